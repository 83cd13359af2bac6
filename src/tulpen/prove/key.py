"""When two connections behave alike: the part of a TCB that decides what it does next.

What is left out is counted for statistics, or is a time.  Of a timer it counts that it
runs; when it runs out is the explorer's to choose.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Final

from tulpen.tcp.attributes import attributes
from tulpen.tcp.congestion import NewReno
from tulpen.tcp.connection import Connection
from tulpen.tcp.ecn_state import Ecn
from tulpen.tcp.loss import RECOVERY
from tulpen.tcp.path_state import Path
from tulpen.tcp.receiving import ReceiveQueue
from tulpen.tcp.state import CLOSED, SYNCHRONIZED
from tulpen.tcp.tcb import Tcb
from tulpen.tcp.timers import NEVER, Timers

TIMERS: Final = ("linger", "retransmit", "probe", "reorder", "pace", "persist", "keepalive", "delayed_ack")
CWND_ALIKE: Final = 8  # segments; a congestion window of more never holds these few octets back
DUPACKS_ALIKE: Final = 5  # more of them would have emptied a network of four octets
RESENT_ALIKE: Final = 3  # a report for each of more would be news of more copies than there are octets
FOR_EVER: Final = 100  # retries; who has so many behaves alike after the first

#: Attributes of a TCB that ``key`` holds, by way of a part of them where they are large.
HELD: Final = frozenset({
    "state", "error", "snd", "rcv", "terms", "smss", "passive", "signals", "syn_due", "ack_now", "acks",
    "replies", "last_ack_sent", "queue", "receive_queue", "closing", "orphan", "wants_room", "override", "flight",
    "timers", "cc", "loss", "retransmits", "probes", "troubled",
    "soft_error", "rcv_mss", "mtu_mss", "usage", "rack", "ecn", "path",
})  # fmt: skip
#: Those it leaves out: the same for both, times, and statistics.
LEFT_OUT: Final = frozenset({
    "stack", "name", "options", "trace", "ipv6", "gso_max", "ts_offset", "user_timeout", "user_timeout_told",
    "fast_open", "outgo", "probing_since", "route", "stamps",
    "rtt", "sent_at", "intake", "invalid_ack_at", "ts_recent", "ts_recent_at", "delivered",
    "delivered_segments",
})  # fmt: skip


def key(connection: Connection) -> Hashable:
    """Return a value that is equal for connections that behave alike."""
    tcb = connection.tcb
    if tcb.state is CLOSED:
        return CLOSED, tcb.error, tcb.passive, tcb.signals, tuple(tcb.replies)
    snd, rcv, terms, received = tcb.snd, tcb.rcv, tcb.terms, tcb.receive_queue
    return (
        tcb.state, tcb.error, tcb.soft_error, tcb.passive, tcb.closing, tcb.orphan, tcb.signals,
        snd.una, snd.nxt, snd.wnd, snd.wl1, snd.wl2, snd.up, snd.due, snd.freed, snd.max_wnd, snd.fin,
        snd.small > snd.una,
        rcv.irs, rcv.nxt, rcv.wnd, rcv.up, rcv.fin, tcb.last_ack_sent,
        terms.mss, terms.sack, terms.scaling, terms.timestamps, tcb.smss, tcb.mtu_mss, tcb.rcv_mss,
        tcb.rack.probe_due, tcb.rack.probe_end, tcb.rack.probe_resent,
        None if tcb.path is None else _path(tcb.path),
        tcb.acks.quick, tcb.acks.answering, tcb.acks.pending, None if tcb.ecn is None else _ecn(tcb.ecn),
        tcb.syn_due, tcb.ack_now, tuple(tcb.replies), tcb.override, tcb.loss.force_resend, tcb.wants_room,
        tcb.queue.start, tcb.queue.end, tuple((s.end, s.push, s.record) for s in tcb.queue.stretches),
        received.octets, _held(received), received.duplicate,
        tuple((s.seq, s.end, s.push, s.times > 1, s.sacked, s.lost, s.resent) for s in tcb.flight.sent),
        running(tcb.timers), _sending(tcb), *_tries(tcb), tcb.troubled,
    )  # fmt: skip


def running(timers: Timers) -> tuple[str, ...]:
    """Return the names of the timers that run."""
    return tuple(name for name in TIMERS if getattr(timers, name) != NEVER)


def _sending(tcb: Tcb) -> Hashable:
    """What decides how much of the text goes out, and what goes out again; nothing does where all of it has arrived."""
    if 0 <= tcb.snd.fin < tcb.snd.una:
        return ()
    loss = tcb.loss
    return (
        _window(tcb), _usage(tcb), _undo(tcb),
        loss.phase, loss.point, loss.resend, loss.rescued, min(loss.dupacks, DUPACKS_ALIKE), loss.reordering, loss.frto,
        (loss.prior_cwnd, loss.prr_delivered, loss.prr_out) if loss.phase is RECOVERY else (),
    )  # fmt: skip


def _window(tcb: Tcb) -> tuple[int, int, int]:
    """The congestion window, where it will go on growing evenly, and how far it is from the next step of that."""
    cc, most = tcb.cc, CWND_ALIKE * tcb.smss
    gathered = cc.gathered if isinstance(cc, NewReno) and cc.ssthresh <= cc.cwnd < most else 0
    return min(cc.cwnd, most), min(cc.ssthresh, most), gathered


def _usage(tcb: Tcb) -> Hashable:
    """Whether the congestion window was used up; that is judged anew with the first text after a pause."""
    usage = tcb.usage
    return (usage.limited, usage.most, max(tcb.snd.una, usage.point)) if len(tcb.flight.sent) else ()


def _undo(tcb: Tcb) -> Hashable:
    """What a reduction might give back, where a timestamp or a DSACK could prove that it was not needed."""
    loss = tcb.loss
    if loss.undo_from < 0 or not (tcb.terms.sack or tcb.terms.timestamps):
        return ()
    most = CWND_ALIKE * tcb.smss
    return (
        min(loss.prior_ssthresh, most),
        min(loss.prior_cwnd, most),
        min(loss.undo_resent, RESENT_ALIKE),
        loss.resent_at >= 0,
    )


def _held(received: ReceiveQueue) -> Hashable:
    return () if received.beyond is None else tuple(received.beyond.latest(len(received.beyond.starts)))


def _tries(tcb: Tcb) -> tuple[int, int]:
    """What was tried in vain: how often counts where there is an end to it, and of a SYN (RFC 5681 §3.1)."""
    if tcb.stack.settings.tcp_retries2 >= FOR_EVER:
        return min(tcb.retransmits, 1 if SYNCHRONIZED[tcb.state] else 2), min(tcb.probes, 1)
    return tcb.retransmits, tcb.probes


def _ecn(ecn: Ecn) -> Hashable:
    return (
        ecn.mode, ecn.seen, ecn.echo, ecn.cwr_due, ecn.reflect, ecn.hasten, ecn.syn_mark,
        ecn.last_mark, ecn.received_ce, ecn.delivered_ce, ecn.told_ce, tuple(ecn.received), tuple(ecn.delivered),
        ecn.estimate, ecn.fields, ecn.option_due, ecn.option_seen, ecn.told_duplicate, ecn.first_feedback, ecn.failures,
    )  # fmt: skip


def _path(path: Path) -> Hashable:
    return (
        path.proved, path.doubted, path.searching, path.low, path.high, path.probe, path.probe_start, path.probe_end,
    )  # fmt: skip


def unknown_attributes() -> frozenset[str]:
    """Return the attributes of a TCB that this module does not know; there should be none."""
    return frozenset(attributes(Tcb)) ^ HELD ^ LEFT_OUT
