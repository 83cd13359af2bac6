"""Acknowledgments, and what they say of loss: RFC 5681 §3.2, RFC 6582, RFC 6675, RFC 6298 §5.

A duplicate acknowledgment without SACK says that one segment has left the network.
It is taken out of ``pipe`` instead of being added to ``cwnd``: the difference is the same.
"""

from __future__ import annotations

from tulpen.tcp import judge
from tulpen.tcp.config import MS
from tulpen.tcp.flight import DUP_THRESH, Sent
from tulpen.tcp.incoming import Incoming
from tulpen.tcp.negotiate import timestamp
from tulpen.tcp.signals import Signal
from tulpen.tcp.tcb import Tcb
from tulpen.tcp.timers import NEVER
from tulpen.wire.seq import before, unwrap


def pipe(tcb: Tcb) -> int:
    """Octets thought to be in the network (RFC 6675 §4)."""
    return max(0, tcb.flight.pipe - tcb.dupacks * tcb.smss)


def acknowledge(tcb: Tcb, seg: Incoming, now: int) -> None:
    """Take the ACK, SACK and window of an acceptable segment (§3.10.7.4, fifth)."""
    duplicate = judge.duplicate_ack(tcb, seg)
    in_flight = tcb.flight.octets
    sacked = _take_sack(tcb, seg)
    acked = seg.ack - tcb.snd.una
    if acked > 0:
        _advance(tcb, seg, in_flight, now)
    elif duplicate and tcb.recover < 0:
        tcb.dupacks += not tcb.terms.sack
    elif duplicate and not tcb.terms.sack and not tcb.backed_off:
        tcb.dupacks += 1
    if acked >= 0 and judge.newer_window(tcb, seg):
        _update_window(tcb, seg)
    if acked >= 0:
        tcb.probes = 0
    if tcb.recover >= 0:
        _in_recovery(tcb, acked)
    elif sacked or duplicate:
        _detect_loss(tcb)


def _take_sack(tcb: Tcb, seg: Incoming) -> bool:
    """Mark what the SACK blocks report (RFC 2018 §5); say whether any of it is news."""
    if not (tcb.terms.sack and seg.options.sack):
        return False
    snd = tcb.snd
    news = 0
    for left, right in seg.options.sack:
        start, stop = unwrap(left, snd.una), unwrap(right, snd.una)
        if max(snd.una, seg.ack) <= start < stop <= snd.nxt:
            news += tcb.flight.sack(start, stop)
    return news > 0


def _advance(tcb: Tcb, seg: Incoming, in_flight: int, now: int) -> None:
    """SND.UNA moves up to SEG.ACK."""
    snd = tcb.snd
    octets = seg.ack - snd.una
    result = tcb.flight.acknowledge(seg.ack)
    snd.una = seg.ack
    tcb.queue.release(snd.una)
    tcb.delivered += octets
    if result.sent_at >= 0 and (not result.resent or _echoes(tcb, seg, result.sent_at)):
        tcb.rtt.sample(now - result.sent_at)
        tcb.rtt.backoff = 0
    tcb.retransmits = 0
    tcb.troubled = False
    if tcb.recover < 0:
        tcb.dupacks = 0
    elif tcb.dupacks:
        tcb.dupacks = max(0, tcb.dupacks - max(0, octets // tcb.smss - 1))
    if tcb.recover < 0 or tcb.backed_off:
        tcb.cc.acknowledged(octets, in_flight)
    tcb.timers.retransmit = retransmit_deadline(tcb, now) if tcb.flight.sent else NEVER  # RFC 6298 §5.2, §5.3
    if tcb.wants_room:
        tcb.wants_room = False
        tcb.signal(Signal.WRITABLE)


def _echoes(tcb: Tcb, seg: Incoming, sent_at: int) -> bool:
    """The timestamp echoed is that of the last transmission, or later (RFC 7323 §4.1).

    An echo of an earlier one would count the timeout before the retransmission as round trip.
    """
    return (
        tcb.terms.timestamps
        and seg.options.tsval is not None
        and not before(seg.options.tsecr, timestamp(sent_at, tcb.ts_offset))
    )


def _update_window(tcb: Tcb, seg: Incoming) -> None:
    snd = tcb.snd
    snd.wnd = seg.wnd
    snd.wl1 = seg.seq
    snd.wl2 = seg.ack
    snd.max_wnd = max(snd.max_wnd, seg.wnd)
    if tcb.timers.persist != NEVER and judge.usable_window(tcb) > 0:
        tcb.timers.persist = NEVER  # output starts it again if this opening is a silly one
        tcb.rtt.backoff = 0


def _detect_loss(tcb: Tcb) -> None:
    if tcb.terms.sack:
        lost = tcb.flight.mark_lost(tcb.smss)
    else:
        lost = tcb.dupacks >= DUP_THRESH and bool(tcb.flight.sent)
        if lost:
            tcb.flight.deem_lost(_first_segment(tcb))
    if lost:
        tcb.stack.count("TCPSackRecovery" if tcb.terms.sack else "TCPRenoRecovery")
        tcb.recover = tcb.snd.nxt
        tcb.backed_off = False
        tcb.force_resend = True
        tcb.cc.lost(tcb.flight.octets)


def _in_recovery(tcb: Tcb, acked: int) -> None:
    if tcb.snd.una >= tcb.recover:
        if not tcb.backed_off:
            tcb.cc.recovered()
        tcb.recover = -1
        tcb.backed_off = False
        tcb.dupacks = 0
    elif tcb.terms.sack:
        tcb.flight.mark_lost(tcb.smss)
    elif acked > 0 and not tcb.backed_off:
        tcb.flight.deem_lost(_first_segment(tcb))  # a partial acknowledgment (RFC 6582 §3.2, step 5)
        tcb.force_resend = True


def _first_segment(tcb: Tcb) -> Sent:
    """The oldest full segment in flight: a device may have cut a larger one."""
    first = tcb.flight.sent[0]
    if first.end - first.seq > tcb.smss:
        tcb.flight.split(first, first.seq + tcb.smss)
    return first


def retransmit_deadline(tcb: Tcb, now: int) -> int:
    """When the oldest segment in flight times out: an RTO from now, or at the user timeout (RFC 5482)."""
    return within_user_timeout(tcb, now + tcb.rtt.timeout(), tcb.flight.sent[0].first_at, now)


def within_user_timeout(tcb: Tcb, deadline: int, since: int, now: int) -> int:
    """Return ``deadline``, or the user timeout counted from ``since`` where that comes first."""
    if tcb.user_timeout:
        return max(now + 1, min(deadline, since + tcb.user_timeout * MS))
    return deadline


def retransmission_timeout(tcb: Tcb) -> None:
    """RFC 6298 §5.4 to §5.6 and RFC 5681 §3.1: start again from one segment."""
    flight = tcb.flight
    if flight.sent[0].sacked:
        flight.forget_sacks()
    tcb.cc.timed_out(flight.octets, again=tcb.retransmits > 0)
    flight.all_lost()
    tcb.dupacks = 0
    tcb.recover = tcb.snd.nxt
    tcb.backed_off = True
