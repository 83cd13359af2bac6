"""Acknowledgments, and what they say of loss: RFC 5681 §3.2, RFC 6582, RFC 6675, RFC 6298 §5.

A duplicate acknowledgment without SACK says that one segment has left the network.
It is taken out of ``pipe`` instead of being added to ``cwnd``: the difference is the same.
So Limited Transmit (RFC 3042) is the room that the first two make.
"""

from __future__ import annotations

from typing import Final

from tulpen.tcp import buffer, judge, probing, rack
from tulpen.tcp.config import MS
from tulpen.tcp.flight import DUP_THRESH, Sent
from tulpen.tcp.incoming import Incoming
from tulpen.tcp.negotiate import timestamp
from tulpen.tcp.tcb import Tcb
from tulpen.tcp.timers import NEVER
from tulpen.wire.seq import before, unwrap

LIMITED_TRANSMIT: Final = 2  # segments (RFC 3042)


def pipe(tcb: Tcb) -> int:
    """Octets thought to be in the network (RFC 6675 §4)."""
    if tcb.snd.una == tcb.snd.iss and tcb.flight.sent:
        syn = tcb.flight.sent[0]  # it takes room in no window (RFC 9293 §3.4)
        return max(0, tcb.flight.pipe - (not syn.lost or syn.resent))
    if tcb.terms.sack:
        return tcb.flight.pipe
    departed = tcb.episode.dupacks if tcb.episode.recover >= 0 else min(tcb.episode.dupacks, LIMITED_TRANSMIT)
    return max(0, tcb.flight.pipe - departed * tcb.smss)


def acknowledge(tcb: Tcb, seg: Incoming, now: int) -> None:
    """Take the ACK, SACK and window of an acceptable segment (§3.10.7.4, fifth)."""
    duplicate = judge.duplicate_ack(tcb, seg)
    top = tcb.flight.highest_sacked()
    if tcb.terms.sack:
        duplicate = _take_sack(tcb, seg, top, now)  # as RFC 6675 §2 defines it
    acked = seg.ack - tcb.snd.una
    if acked > 0:
        _advance(tcb, seg, top, now)
    if duplicate and (tcb.episode.recover < 0 or not (tcb.terms.sack or tcb.episode.backed_off)):
        tcb.episode.dupacks += 1
    if acked >= 0:
        _answered(tcb, seg, now)
    if tcb.episode.recover >= 0:
        _in_recovery(tcb, acked, now)
    elif duplicate or (acked > 0 and tcb.flight.sacked_octets):
        _detect_loss(tcb, now)


def _answered(tcb: Tcb, seg: Incoming, now: int) -> None:
    """The peer is there: whatever it acknowledges, it counts against no limit (MUST-37, SHLD-17)."""
    if judge.newer_window(tcb, seg):
        _update_window(tcb, seg, now)
    tcb.probes = 0
    if tcb.snd.wnd == 0 and not tcb.orphan:
        tcb.retransmits = 0  # octets beyond a window that has shrunk


def _take_sack(tcb: Tcb, seg: Incoming, top: int, now: int) -> bool:
    """Mark what the SACK blocks report (RFC 2018 §5), a duplicate apart (RFC 2883 §4); say whether any is news."""
    snd, flight = tcb.snd, tcb.flight
    blocks = [(unwrap(left, snd.una), unwrap(right, snd.una)) for left, right in seg.options.sack]
    dsack = judge.reports_duplicate(seg, blocks)
    if dsack:
        tcb.stack.count("TCPDSACKRecv")
        tcb.rack.dsack_seen = True
    if rack.probe_acknowledged(
        tcb, seg.ack, dsack=dsack and blocks[0][1] == tcb.rack.probe_end, duplicate=seg.ack == snd.una
    ):
        tcb.stack.count("TCPLossProbeRecovery")
        tcb.cc.lost(min(flight.octets, tcb.cc.cwnd))
    news = False
    for start, stop in blocks:
        if max(snd.una, seg.ack) <= start < stop <= snd.nxt:
            for piece in flight.sack(start, stop, tcb.smss):
                news = True
                _delivered(tcb, piece, top, now)
    rack.adapt_window(tcb)
    return news


def _delivered(tcb: Tcb, piece: Sent, top: int, now: int) -> None:
    """A stretch is newly known to have arrived, when ``top`` was the end of the highest before this acknowledgment."""
    if piece.times == 1 and piece.seq < top:
        rack.reordered(tcb)
    rack.delivered(tcb, piece, now)


def _advance(tcb: Tcb, seg: Incoming, top: int, now: int) -> None:
    """SND.UNA moves up to SEG.ACK."""
    snd = tcb.snd
    octets = seg.ack - snd.una
    was_open = snd.una > snd.iss
    result = tcb.flight.acknowledge(seg.ack)
    for piece in result.pieces:
        _delivered(tcb, piece, top, now)
    snd.una = seg.ack
    tcb.queue.release(snd.una)
    if tcb.path.probe:
        probing.acknowledged(tcb)
    snd.due = tcb.queue.end
    tcb.delivered += octets
    tcb.delivered_segments += -(-octets // tcb.smss) if was_open else 1  # a SYN and what went with it is one
    if result.sent_at >= 0 and (not result.resent or _echoes(tcb, seg, result.sent_at)):
        tcb.rtt.sample(now - result.sent_at, now)
        tcb.rtt.backoff = 0
        tcb.cc.round_trip(now - result.sent_at, snd.una, snd.nxt, now)
    tcb.retransmits = 0
    tcb.troubled = False
    if tcb.episode.recover < 0:
        tcb.episode.dupacks = 0
    elif tcb.episode.dupacks:
        tcb.episode.dupacks = max(0, tcb.episode.dupacks - max(0, octets // tcb.smss - 1))
    if judge.window_was_the_limit(tcb) and (tcb.episode.backed_off or tcb.episode.recover < 0):
        # After a timeout most of it may have arrived long ago (RFC 3465 §2.3).
        tcb.cc.acknowledged(min(octets, tcb.smss) if tcb.episode.backed_off else octets, now, tcb.rtt.srtt)
    if not tcb.flight.sent:
        tcb.timers.retransmit = tcb.timers.probe = tcb.timers.reorder = NEVER  # RFC 6298 §5.2
    elif not tcb.episode.partial:  # the second partial ACK no longer restarts it (RFC 6582 §3.2)
        rearm(tcb, now)  # §5.3
    buffer.tell_of_room(tcb)


def _echoes(tcb: Tcb, seg: Incoming, sent_at: int) -> bool:
    """The timestamp echoed is that of the last transmission, or later (RFC 7323 §4.1).

    An echo of an earlier one would count the timeout before the retransmission as round trip.
    """
    return (
        tcb.terms.timestamps
        and seg.options.tsval is not None
        and not before(seg.options.tsecr, timestamp(sent_at, tcb.ts_offset))
    )


def _update_window(tcb: Tcb, seg: Incoming, now: int) -> None:
    snd = tcb.snd
    opens, closes = snd.wnd == 0 < seg.wnd, seg.wnd == 0 < snd.wnd
    snd.wnd = seg.wnd
    snd.wl1 = seg.seq
    snd.wl2 = seg.ack
    if seg.wnd > snd.max_wnd:
        snd.max_wnd = seg.wnd
        if tcb.path.searching:
            probing.adjust(tcb)
    if opens or closes:
        tcb.timers.persist = NEVER  # output starts it again: for a probe, or while an opening is a silly one
    if opens:
        tcb.rtt.backoff = 0  # nothing was lost: it was not wanted
        if tcb.flight.sent:
            tcb.timers.retransmit = retransmit_deadline(tcb, now)


def rearm(tcb: Tcb, now: int) -> None:
    """The clock of what is in flight starts again: the probe's (RFC 8985 §7.2), or the retransmission timer."""
    if not rack.schedule_probe(tcb, now):
        tcb.timers.probe = NEVER
        tcb.timers.retransmit = retransmit_deadline(tcb, now)


def _detect_loss(tcb: Tcb, now: int) -> None:
    """Enter recovery where RFC 8985 §6.2, RFC 6675 §5 or RFC 6582 §3.2 does."""
    flight = tcb.flight
    if rack.in_use(tcb):
        if rack.detect_loss(tcb, now):
            _enter(tcb, now)
        return
    if tcb.terms.sack:
        lost = flight.mark_lost(tcb.smss) or (tcb.episode.dupacks >= DUP_THRESH and not flight.sent[0].sacked)
    else:
        lost = tcb.episode.dupacks >= DUP_THRESH and tcb.snd.una > tcb.episode.over_at
    if lost:
        flight.deem_lost(_first_segment(tcb))
        _enter(tcb, now)


def _enter(tcb: Tcb, now: int) -> None:
    """Fast recovery begins, unless it was but a probe of the path that was lost."""
    flight = tcb.flight
    if tcb.path.probe and probing.failed(tcb):
        resend_lost(tcb)
        return
    tcb.stack.count("TCPSackRecovery" if tcb.terms.sack else "TCPRenoRecovery")
    tcb.rack.probe_end = -1
    if tcb.timers.probe != NEVER:
        tcb.timers.probe = NEVER
        tcb.timers.retransmit = retransmit_deadline(tcb, now)
    tcb.episode.recover = tcb.snd.nxt
    tcb.episode.rescued = min(flight.sent[0].end, tcb.snd.una + tcb.smss)
    tcb.episode.force_resend = True
    tcb.cc.lost(min(flight.octets, tcb.cc.cwnd))  # what Limited Transmit added does not count (RFC 5681 §3.2)


def _in_recovery(tcb: Tcb, acked: int, now: int) -> None:
    if tcb.snd.una >= tcb.episode.recover:
        _recovered(tcb, now)
    elif rack.in_use(tcb):
        rack.detect_loss(tcb, now)
    elif tcb.terms.sack:
        tcb.flight.mark_lost(tcb.smss)
    elif acked > 0 and not (tcb.episode.backed_off or tcb.episode.resized):
        tcb.flight.deem_lost(_first_segment(tcb))  # a partial acknowledgment (RFC 6582 §3.2, step 3)
        tcb.episode.force_resend = True
        tcb.episode.partial = True


def _recovered(tcb: Tcb, now: int) -> None:
    """All that was outstanding at the loss is acknowledged."""
    if not tcb.episode.backed_off:
        tcb.cc.recovered()
    if tcb.episode.partial and tcb.flight.sent:
        tcb.timers.retransmit = retransmit_deadline(tcb, now)
    tcb.episode.over_at = tcb.episode.recover
    tcb.episode.recover = -1
    tcb.episode.backed_off = tcb.episode.partial = tcb.episode.resized = False
    tcb.episode.dupacks = 0


def last_resort(tcb: Tcb) -> Sent | None:
    """Rules 3 and 4 of NextSeg (RFC 6675 §4): a stretch below a SACK, then once the last one, the rescue."""
    if not tcb.terms.sack or rack.in_use(tcb) or tcb.episode.recover < 0 or tcb.episode.backed_off:
        return None
    flight = tcb.flight
    piece = flight.below_a_sack()
    if piece is not None:
        if piece.end - piece.seq > tcb.smss:
            flight.split(piece, piece.seq + judge.full_segment(tcb))
        return piece
    piece = flight.last_unsacked()
    if piece is None or tcb.snd.una <= tcb.episode.rescued:
        return None
    tcb.episode.rescued = tcb.episode.recover
    full = judge.full_segment(tcb)
    if piece.end - piece.seq > full:
        flight.split(piece, piece.end - full)
        piece = flight.last_unsacked()
    return piece


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
    limit = judge.user_timeout(tcb)
    return max(now + 1, min(deadline, since + limit * MS)) if limit else deadline


def resend_lost(tcb: Tcb) -> None:
    """Send what is deemed lost again at once; the congestion window stays, for congestion is not why."""
    if tcb.flight.lost_octets and tcb.episode.recover < 0:
        tcb.episode.recover = tcb.episode.rescued = tcb.snd.nxt
        tcb.episode.force_resend = tcb.episode.resized = True


def reordering_timeout(tcb: Tcb, now: int) -> None:
    """What RACK waited for has not come (RFC 8985 §6.2 step 5)."""
    tcb.timers.reorder = NEVER
    if rack.detect_loss(tcb, now) and tcb.episode.recover < 0:
        _enter(tcb, now)


def probe_timeout(tcb: Tcb, now: int) -> None:
    """Send the Tail Loss Probe: new text if there is any, else the last segment again (RFC 8985 §7.3)."""
    tcb.timers.probe = NEVER
    if not tcb.flight.sent:
        return
    if tcb.rack.probe_end < 0:
        tcb.stack.count("TCPLossProbes")
        tcb.rack.probe_end = tcb.snd.nxt
        tcb.rack.probe_due = True
    tcb.timers.retransmit = retransmit_deadline(tcb, now)


def retransmission_timeout(tcb: Tcb) -> None:
    """RFC 6298 §5.4 to §5.6 and RFC 5681 §3.1: start again from one segment."""
    flight = tcb.flight
    if flight.sent[0].sacked:
        flight.forget_sacks()
    tcb.cc.timed_out(flight.octets, again=tcb.retransmits > 0)
    flight.all_lost()
    tcb.rack.probe_end = -1
    tcb.timers.probe = tcb.timers.reorder = NEVER
    tcb.episode.dupacks = 0
    tcb.episode.recover = tcb.snd.nxt
    tcb.episode.backed_off = True
    tcb.episode.force_resend = True  # the oldest goes out whatever the congestion window (RFC 6298 §5.4)
    tcb.episode.partial = False
