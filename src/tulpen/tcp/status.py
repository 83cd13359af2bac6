"""STATUS (RFC 9293 §3.10.6): a snapshot of a connection, its fields named as Linux's tcp_info."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from tulpen.tcp import pacing
from tulpen.tcp.config import SECOND
from tulpen.tcp.ecn_state import PLAIN_SYN, Ecn, Mode
from tulpen.tcp.flight import Sent
from tulpen.tcp.loss import Phase
from tulpen.tcp.negotiate import DEFAULT_MSS_4
from tulpen.tcp.outgo import Sending
from tulpen.tcp.state import State
from tulpen.tcp.tcb import Tcb
from tulpen.tcp.timers import NEVER

HEADERS_4: Final = 40  # octets of IP and TCP header without options
HEADERS_6: Final = 60
NO_ECN: Final = Ecn(Mode.OFF)


@dataclass(frozen=True, slots=True)
class Status:
    """Octets, and nanoseconds; ``retransmits`` and ``probes`` are counts."""

    state: State
    snd_una: int
    snd_nxt: int
    snd_wnd: int
    rcv_nxt: int
    rcv_wnd: int
    send_queue: int  # not acknowledged: Send-Q of ss
    recv_queue: int  # not read: Recv-Q of ss
    snd_mss: int
    rcv_mss: int  # the largest segment seen
    advmss: int  # the largest we take
    snd_cwnd: int
    snd_ssthresh: int
    rtt: int
    rttvar: int
    rto: int
    retransmits: int
    probes: int
    backoff: int
    unacked: int
    sacked: int
    lost: int
    timestamps: bool
    sack: bool
    snd_wscale: int
    rcv_wscale: int
    timer: str  # "" for none
    timer_at: int  # of now; 0 for none
    error: int  # errno
    delivered: int  # segments, our SYN one of them
    resent: int  # octets sent again and in flight
    pacing_rate: int  # octets a second; 0: no limit
    delivery_rate: int  # octets a second; 0: nothing was delivered yet
    app_limited: bool  # the application kept it from being more
    unacked_segments: int
    sacked_segments: int  # without SACK, the duplicates that stand for them
    lost_segments: int
    resent_segments: int
    phase: Phase  # of loss recovery: Linux's ca_state
    reordering: int  # segments: DupThresh, as the path has shown
    reorderings: int
    dsacks: int  # segments that came twice
    resent_total: int  # segments sent again
    min_rtt: int
    syn_data: bool  # text beside the SYN was taken (RFC 7413)
    quick_ack: bool  # ACKs do not wait for answers
    receive_buffer: int
    receive_memory: int  # taken of it
    rcv_ssthresh: int  # the window that may be offered now
    rcv_space: int  # what the application takes in a round trip
    rcv_rtt: int  # that round trip
    ecn_mode: int  # 0: no ECN; 1: RFC 3168; 2: AccECN; 3: asked for
    ecn_seen: bool  # something came with a mark
    delivered_ce: int  # segments
    received_ce: int
    delivered_marked: tuple[int, int, int]  # octets, by their mark: ECT(1), ECT(0), CE
    received_marked: tuple[int, int, int]
    accecn_opt_seen: int  # of ``ecn_state``
    accecn_fail_mode: int
    segments_received: int
    text_segments_received: int
    octets_received: int  # in order, a FIN one of them
    segments_beyond_hole: int
    text_sent_at: int  # of now; where nothing was sent, when the connection was established
    text_received_at: int
    ack_received_at: int
    outgo: Sending  # what was sent, and what kept more from being sent
    acknowledged: int  # octets, our SYN one of them if we opened
    path_mtu: int
    ack_delay: int  # of the next ACK


def status_of(tcb: Tcb) -> Status:
    """Return the snapshot."""
    timers, memory, rate = tcb.timers, tcb.rcv.memory, tcb.flight.rate
    ecn = tcb.ecn if tcb.ecn is not None else NO_ECN
    at = timers.next()
    running = ""
    for name in ("retransmit", "probe", "reorder", "pace", "persist", "delayed_ack", "keepalive", "linger"):
        if at != NEVER and getattr(timers, name) == at:
            running = name.replace("_", "-")
            break
    return Status(
        state=tcb.state,
        snd_una=tcb.snd.una,
        snd_nxt=tcb.snd.nxt,
        snd_wnd=tcb.snd.wnd,
        rcv_nxt=tcb.rcv.nxt,
        rcv_wnd=tcb.rcv.wnd,
        send_queue=len(tcb.queue),
        recv_queue=tcb.receive_queue.octets,
        snd_mss=tcb.smss,
        rcv_mss=tcb.acks.seen_mss or min(DEFAULT_MSS_4, tcb.rcv_mss),
        advmss=tcb.rcv_mss,
        snd_cwnd=tcb.cc.cwnd,
        snd_ssthresh=tcb.cc.ssthresh,
        rtt=tcb.rtt.srtt,
        rttvar=tcb.rtt.rttvar,
        rto=tcb.rtt.timeout(),
        retransmits=tcb.retransmits,
        probes=tcb.probes,
        backoff=tcb.rtt.backoff,
        unacked=tcb.flight.octets,
        sacked=tcb.flight.sacked_octets,
        lost=tcb.flight.lost_octets,
        timestamps=tcb.terms.timestamps,
        sack=tcb.terms.sack,
        snd_wscale=tcb.terms.snd_shift,
        rcv_wscale=tcb.terms.rcv_shift,
        timer=running,
        timer_at=0 if at == NEVER else at,
        error=tcb.error,
        delivered=tcb.delivered_segments,
        resent=tcb.flight.resent_octets,
        pacing_rate=pacing.rate(tcb),
        delivery_rate=rate.delivered * tcb.smss * SECOND // rate.interval if rate.interval else 0,
        app_limited=rate.limited,
        unacked_segments=_segments(tcb.flight.sent),
        sacked_segments=_segments(p for p in tcb.flight.sent if p.sacked) if tcb.terms.sack else tcb.loss.dupacks,
        lost_segments=_segments(p for p in tcb.flight.sent if p.lost),
        resent_segments=_segments(p for p in tcb.flight.sent if p.resent),
        phase=tcb.loss.phase,
        reordering=tcb.loss.reordering,
        reorderings=tcb.loss.reorderings,
        dsacks=tcb.loss.dsacks,
        resent_total=tcb.loss.resent_total,
        min_rtt=tcb.rtt.least,
        syn_data=tcb.fast_open is not None and tcb.fast_open.taken,
        quick_ack=not tcb.acks.answering,
        receive_buffer=tcb.rcv.buff,
        receive_memory=tcb.receive_queue.memory or tcb.receive_queue.octets,
        rcv_ssthresh=tcb.rcv.buff if memory is None else memory.threshold,
        rcv_space=0 if memory is None else memory.space,
        rcv_rtt=0 if memory is None else memory.rtt // 8,
        ecn_mode=int(ecn.mode),
        ecn_seen=ecn.seen,
        delivered_ce=ecn.delivered_ce,
        received_ce=ecn.received_ce,
        delivered_marked=(ecn.delivered[0], ecn.delivered[1], ecn.delivered[2]),
        received_marked=(ecn.received[0], ecn.received[1], ecn.received[2]),
        accecn_opt_seen=ecn.option_seen,
        accecn_fail_mode=ecn.failures & (PLAIN_SYN - 1),
        segments_received=tcb.intake.segments,
        text_segments_received=tcb.intake.text_segments,
        octets_received=max(0, tcb.rcv.nxt - tcb.rcv.irs - 1),
        segments_beyond_hole=tcb.intake.beyond_hole,
        text_sent_at=max(tcb.sent_at, tcb.intake.since),
        text_received_at=max(tcb.intake.text_at, tcb.intake.since),
        ack_received_at=tcb.intake.ack_at,
        outgo=tcb.outgo.told(),
        acknowledged=max(0, tcb.snd.una - tcb.snd.iss - tcb.passive),
        path_mtu=tcb.mtu_mss + (HEADERS_6 if tcb.ipv6 else HEADERS_4),
        ack_delay=tcb.acks.delay,
    )


def _segments(pieces: Iterable[Sent]) -> int:
    return sum(piece.segments for piece in pieces)
