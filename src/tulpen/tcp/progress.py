"""The ACK, SACK and window of an acceptable segment (RFC 9293 §3.10.7.4, fifth).

What it newly delivers is established here, once, as ``News``; ``recovery`` decides what
that says of losses, ``window`` what it says of the congestion window.
"""

from __future__ import annotations

from typing import Final

from tulpen.tcp import buffer, clocks, ecn, judge, probing, rack, recovery, spurious, window
from tulpen.tcp.config import MS
from tulpen.tcp.incoming import Incoming
from tulpen.tcp.loss import OPEN
from tulpen.tcp.negotiate import timestamp
from tulpen.tcp.news import News
from tulpen.tcp.tcb import Tcb
from tulpen.tcp.timers import NEVER
from tulpen.wire.seq import unwrap

RENEGING_WAIT: Final = 10 * MS


def acknowledge(tcb: Tcb, seg: Incoming, now: int) -> None:
    """Take what ``seg`` acknowledges, and draw the consequences."""
    prior_una, outstanding = tcb.snd.una, bool(tcb.flight.sent)
    if not outstanding and seg.ack == prior_una and tcb.ecn is None and not seg.options.sack:
        _answered(tcb, seg, now)  # it can say nothing new of what is sent
        return
    news = News(tcb.flight)
    news.duplicate = judge.duplicate_ack(tcb, seg)
    if tcb.terms.sack and seg.options.sack:
        _take_sack(tcb, seg, news, now)
        news.duplicate &= not news.dsack
    if seg.ack < prior_una:
        if news.sacked or news.dsack:
            recovery.acknowledged(tcb, seg, news, now)  # an ACK that others have overtaken: only SACK is news
        return
    if seg.ack > prior_una:
        _advance(tcb, seg, news, now)
    _answered(tcb, seg, now)
    if tcb.ecn is not None and prior_una > tcb.snd.iss:
        news.marked = ecn.feedback(tcb, tcb.ecn, seg, news.segments, news.delivered)
    if outstanding or news.dsack:
        _consequences(tcb, seg, news, now)
    if news.advanced:
        buffer.tell_of_room(tcb)


def _consequences(tcb: Tcb, seg: Incoming, news: News, now: int) -> None:
    """Round trip, losses, clock and window, in this order."""
    if not tcb.terms.sack:
        _count_without_sack(tcb, news)
    measured = _measure(tcb, seg, news, now)
    if tcb.terms.sack:
        if news.reordered_from >= 0:
            recovery.note_reordering(tcb, news)
        rack.adapt_window(tcb)
    if tcb.rack.probe_end >= 0:
        repeated = news.duplicate and not (news.advanced or news.sacked)
        if rack.probe_acknowledged(tcb, seg.ack, dsack=news.probe_dsack, duplicate=repeated):
            recovery.probe_repaired(tcb)
    if tcb.loss.phase is not OPEN or news.duplicate or news.sacked or news.dsack or news.marked:
        if _reneged(tcb, news, now):
            return
        recovery.acknowledged(tcb, seg, news, now)
    if not news.waits:
        _restart_clock(tcb, news, now, measured=measured)
    window.adapt(tcb, news, now)
    tcb.flight.rate.sample(tcb.delivered_segments, now, tcb.rtt.least)


def _restart_clock(tcb: Tcb, news: News, now: int, *, measured: bool) -> None:
    """RFC 6298 §5.2, §5.3; what is sacked restarts it too if it was sent before the oldest in flight was."""
    sent = tcb.flight.sent
    if news.advanced or (measured and sent and 0 <= news.sacked_first_at < sent[0].at):
        clocks.restart(tcb, now)


def _reneged(tcb: Tcb, news: News, now: int) -> bool:
    """The oldest in flight was reported before and is not acknowledged (RFC 2018 §8): time it out soon."""
    sent = tcb.flight.sent
    if not (news.advanced and sent and sent[0].sacked):
        return False
    clocks.stop(tcb)
    tcb.timers.retransmit = now + max(tcb.rtt.srtt // 2, RENEGING_WAIT)
    return True


def _take_sack(tcb: Tcb, seg: Incoming, news: News, now: int) -> None:
    """Mark what the SACK blocks report (RFC 2018 §5), a duplicate reported first apart (RFC 2883 §4)."""
    snd, loss = tcb.snd, tcb.loss
    blocks = [(unwrap(left, snd.una), unwrap(right, snd.una)) for left, right in seg.options.sack]
    if judge.reports_duplicate(seg, blocks):
        tcb.stack.count("TCPDSACKRecv")
        left, right = blocks.pop(0)
        news.probe_dsack = right == tcb.rack.probe_end
        news.twice(spurious.came_twice(tcb, left, right), tcb.smss)
    least = max(snd.una, seg.ack)
    for start, stop in blocks:
        if least < start < stop <= snd.nxt:
            for piece in tcb.flight.sack(start, stop):
                news.selected(piece, loss.point)
                tcb.flight.rate.arrived(piece)
                rack.delivered(tcb, piece, 0, now)  # what is echoed is an earlier one's
    tcb.delivered_segments += news.segments


def _advance(tcb: Tcb, seg: Incoming, news: News, now: int) -> None:
    """SND.UNA moves up to SEG.ACK."""
    snd = tcb.snd
    news.advanced = seg.ack - snd.una
    news.from_una = snd.una
    sacked, rate = news.segments, tcb.flight.rate
    acknowledged = tcb.flight.acknowledge(seg.ack)
    by_sack, echo, point = tcb.terms.sack, _echo(tcb, seg), tcb.loss.point
    for piece in acknowledged:
        if not piece.sacked:
            rate.arrived(piece)
            if by_sack:
                rack.delivered(tcb, piece, echo, now)
        news.acknowledged(piece, point)
    if snd.una == snd.iss:
        news.segments = sacked + 1  # a SYN and what went with it is one
        rate.latest = None  # and tells of no rate
    tcb.delivered_segments += news.segments - sacked
    tcb.delivered += news.advanced
    snd.una = seg.ack
    tcb.queue.release(snd.una)
    if tcb.path is not None:
        probing.acknowledged(tcb)
    if tcb.stack.settings.tcp_pmtu_patience:
        probing.got_through(tcb, (min(piece.end - piece.seq, piece.cut) for piece in acknowledged))
    if tcb.stamps is not None:
        tcb.stamps.acknowledged(snd.una, now)
    snd.due = tcb.queue.end
    tcb.retransmits = 0
    tcb.troubled = False


def _count_without_sack(tcb: Tcb, news: News) -> None:
    """A duplicate stands for a segment delivered, which the next ACK is not to count again."""
    dupacks, mss = tcb.loss.dupacks, tcb.smss
    if not news.advanced:
        news.delivered += mss * news.duplicate
        return
    if news.resent:
        news.original = False  # it may be what was sent again that it acknowledges
    if dupacks:
        news.delivered = max(news.delivered - dupacks * mss, min(news.delivered, mss))
        tcb.loss.dupacks = max(0, dupacks - max(0, news.advanced // mss - 1))


def _answered(tcb: Tcb, seg: Incoming, now: int) -> None:
    """The peer is there: whatever it acknowledges, it counts against no limit (MUST-37, SHLD-17)."""
    if judge.newer_window(tcb, seg):
        tcb.snd.wl1 = seg.seq
        tcb.snd.wl2 = seg.ack
        if seg.wnd != tcb.snd.wnd:
            _update_window(tcb, seg, now)
    tcb.probes = 0
    if tcb.snd.wnd == 0 and not tcb.orphan:
        tcb.retransmits = 0  # octets beyond a window that has shrunk


def _update_window(tcb: Tcb, seg: Incoming, now: int) -> None:
    snd = tcb.snd
    opens, closes = snd.wnd == 0 < seg.wnd, seg.wnd == 0 < snd.wnd
    snd.wnd = seg.wnd
    if seg.wnd > snd.max_wnd:
        snd.max_wnd = seg.wnd
        if tcb.path is not None and tcb.path.searching:
            probing.adjust(tcb)
    if opens or closes:
        tcb.timers.persist = NEVER  # output starts it again: for a probe, or while an opening is a silly one
    if opens:
        tcb.rtt.backoff = 0  # nothing was lost: it was not wanted
        if tcb.flight.sent:
            clocks.start_again(tcb, now, now)


def _measure(tcb: Tcb, seg: Incoming, news: News, now: int) -> bool:
    """One round trip from one acknowledgment (RFC 6298 §3): of what was sent once, or by the echo (RFC 7323 §4.1)."""
    rtt = shortest = -1
    if news.first_at >= 0 and not news.resent:
        rtt, shortest = now - news.first_at, now - news.last_at
    if news.sacked_first_at >= 0:
        shortest = now - news.sacked_last_at
        if rtt < 0:
            rtt = now - news.sacked_first_at
    if rtt < 0 and news.advanced:
        rtt = shortest = _by_echo(tcb, seg, now)
    if rtt < 0:
        return False
    tcb.rtt.sample(rtt, shortest, now)
    tcb.rtt.backoff = 0
    tcb.cc.round_trip(shortest, tcb.snd.una, tcb.snd.nxt, now)
    return True


def _echo(tcb: Tcb, seg: Incoming) -> int:
    """TSecr, where timestamps are in use; 0 for none."""
    return seg.options.tsecr if tcb.terms.timestamps and seg.options.tsval is not None else 0


def _by_echo(tcb: Tcb, seg: Incoming, now: int) -> int:
    """How old the timestamp echoed is, in nanoseconds; -1 for none."""
    echo = _echo(tcb, seg)
    if not echo:
        return -1
    age = timestamp(now, tcb.ts_offset) - echo & 0xFFFF_FFFF
    return max(age, 1) * MS if age < 1 << 31 else -1
