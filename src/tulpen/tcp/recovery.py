"""Loss recovery: RFC 5681 §3.2, RFC 6582, RFC 6675, RFC 8985, and what a timeout begins (RFC 6298 §5).

A connection is in one ``Phase``.  An acknowledgment may move it: from OPEN to DISORDER
when something is missing, to RECOVERY when that is deemed lost, back to OPEN when all that
was out at the time is acknowledged, or when it turns out that nothing was lost
(``spurious``).  A retransmission timeout moves it to LOSS from anywhere.

Losses are found by time (``rack``), by what was sacked above (RFC 6675) or, without SACK,
by three duplicates and each partial acknowledgment (RFC 6582).  What is deemed lost goes
out again as the window allows (``output``); how the window comes down is in ``window``.
"""

from __future__ import annotations

from tulpen.tcp import clocks, ecn, judge, probing, rack, spurious, window
from tulpen.tcp.flight import Sent
from tulpen.tcp.incoming import Incoming
from tulpen.tcp.loss import CWR, DISORDER, LOSS, OPEN, RECOVERY, Resend
from tulpen.tcp.news import News
from tulpen.tcp.tcb import Tcb
from tulpen.tcp.timers import NEVER


def acknowledged(tcb: Tcb, seg: Incoming, news: News, now: int) -> None:
    """Draw the consequences of an acknowledgment that is suspicious, or comes while something is."""
    loss = tcb.loss
    loss.resend = Resend.NOW
    if news.marked:
        loss.prior_ssthresh = 0  # a mark makes no reduction undone
    if loss.phase is OPEN:
        loss.resent_at = -1
    elif tcb.snd.una >= loss.point and _all_acknowledged(tcb, seg):
        return
    if loss.phase is RECOVERY:
        _in_recovery(tcb, seg, news, now)
    elif loss.phase is LOSS:
        _in_loss(tcb, seg, news, now)
    else:
        _watch(tcb, news, now)


def _all_acknowledged(tcb: Tcb, seg: Incoming) -> bool:
    """All that was out when the phase began is acknowledged; say whether the phase goes on nevertheless."""
    loss = tcb.loss
    if loss.phase is CWR and tcb.snd.una > loss.point:
        window.end_reduction(tcb)
        loss.phase = OPEN
    elif loss.phase is RECOVERY:
        return not _recovered(tcb, seg)
    return False


def _recovered(tcb: Tcb, seg: Incoming) -> bool:
    """Leave RECOVERY or LOSS, if that may be; say whether it was left.

    Without SACK something above the point has to be acknowledged first: duplicates below it
    are of what was sent again needlessly (RFC 6582 §4.1).
    """
    loss = tcb.loss
    if not tcb.terms.sack:
        loss.dupacks = 0
    spurious.undo_recovery(tcb, seg)
    if not tcb.terms.sack and tcb.snd.una == loss.point:
        return False
    if loss.phase is RECOVERY:
        window.end_reduction(tcb)
    loss.phase = OPEN
    return True


def _watch(tcb: Tcb, news: News, now: int) -> None:
    """In OPEN, DISORDER and CWR: fast recovery begins once something is deemed lost."""
    loss = tcb.loss
    if news.advanced:
        loss.dupacks = 0
    _count_duplicate(tcb, news)
    if loss.phase <= DISORDER:
        spurious.undo_by_dsack(tcb)
    _find_loss(tcb, news, now)
    if tcb.flight.lost_octets:
        if not _was_path_probe(tcb):
            _enter(tcb)
        if news.marked:
            loss.prior_ssthresh = 0
        return
    if news.marked:
        window.enter_cwr(tcb)
    if loss.phase is not CWR:
        keep_open(tcb)


def keep_open(tcb: Tcb) -> None:
    """OPEN, or DISORDER while something is missing or sent again."""
    loss, flight = tcb.loss, tcb.flight
    again = spurious.any_resent(tcb)
    if not again:
        loss.resent_at = -1
    missing = flight.sacked_octets or flight.lost_octets or (loss.dupacks and not tcb.terms.sack)
    phase = DISORDER if missing or again else OPEN
    if phase is not loss.phase:
        loss.phase = phase
        loss.point = tcb.snd.nxt


def _was_path_probe(tcb: Tcb) -> bool:
    """Whether it is a probe of the path MTU that is lost, which is no congestion; it goes again in pieces."""
    if tcb.loss.phase >= CWR or not probing.failed(tcb):
        return False
    resend_lost(tcb)
    return True


def _enter(tcb: Tcb) -> None:
    """Fast recovery begins (RFC 5681 §3.2; RFC 6675 §5; RFC 8985 §6)."""
    loss = tcb.loss
    tcb.stack.count("TCPSackRecovery" if tcb.terms.sack else "TCPRenoRecovery")
    spurious.remember(tcb)
    reduced = loss.phase is CWR
    loss.prior_ssthresh = 0 if reduced else window.known_ssthresh(tcb)
    if not reduced:
        window.begin_reduction(tcb)
    loss.rescued = min(tcb.flight.sent[0].end, tcb.snd.una + tcb.smss)
    loss.force_resend = True
    loss.phase = RECOVERY


def _in_recovery(tcb: Tcb, seg: Incoming, news: News, now: int) -> None:
    loss = tcb.loss
    if not news.advanced:
        _count_duplicate(tcb, news)
    elif spurious.late(tcb, seg):
        _note_reordering(tcb, news.from_una, by="TCPTSReorder")
        if tcb.flight.resent_octets:
            loss.resend = Resend.LATER
            return
        spurious.undo_partially(tcb)
        keep_open(tcb)
    if spurious.undo_by_dsack(tcb):
        keep_open(tcb)
    _find_loss(tcb, news, now)
    if loss.phase is not RECOVERY and tcb.flight.lost_octets:
        _enter(tcb)  # something was late, and something else is lost


def _in_loss(tcb: Tcb, seg: Incoming, news: News, now: int) -> None:
    """After a timeout, which may prove to have been spurious (RFC 5682)."""
    loss = tcb.loss
    lost_again = _after_timeout(tcb, seg, news, now)
    if loss.phase is OPEN or lost_again:
        _watch(tcb, news, now)


def _after_timeout(tcb: Tcb, seg: Incoming, news: News, now: int) -> bool:
    """Go on in LOSS, or leave it; say whether a retransmission is found lost, which a new reduction answers."""
    loss = tcb.loss
    if not (spurious.undo_timeout(tcb, seg, news) or (loss.frto and spurious.forward(tcb, news))):
        if tcb.snd.una >= loss.point:
            _recovered(tcb, seg)
        elif not tcb.terms.sack and news.advanced:
            loss.dupacks = 0
        elif not tcb.terms.sack and tcb.snd.nxt > loss.point:
            _count_duplicate(tcb, news)  # of new text: it clocks out what is to follow
    before = tcb.flight.resent_octets
    _find_loss(tcb, news, now)
    return tcb.flight.resent_octets < before


def _count_duplicate(tcb: Tcb, news: News) -> None:
    """One more duplicate; without SACK never more than could have left the network."""
    loss, flight = tcb.loss, tcb.flight
    if tcb.terms.sack:
        loss.dupacks += news.sacked  # as RFC 6675 §2 defines it
    elif news.duplicate:
        out, lost = -(-flight.octets // tcb.smss), -(-flight.lost_octets // tcb.smss)
        most = max(0, out - max(lost, 1))
        if loss.dupacks >= most:
            loss.reordering = max(loss.reordering, min(out, tcb.stack.settings.tcp_max_reordering))
            tcb.stack.count("TCPRenoReorder")
        loss.dupacks = min(loss.dupacks + 1, most)


def _find_loss(tcb: Tcb, news: News, now: int) -> None:
    flight, loss = tcb.flight, tcb.loss
    if not flight.sent:
        return
    if not tcb.terms.sack:
        begins = loss.phase < RECOVERY and loss.dupacks >= loss.reordering
        if begins or (loss.phase is RECOVERY and news.advanced):  # RFC 6582 §3.2, step 5
            flight.deem_lost(first_segment(tcb))
    elif rack.in_use(tcb):
        _find_loss_by_time(tcb, news, now)
    else:
        flight.mark_lost(tcb.smss, loss.reordering)
        if loss.phase < RECOVERY and loss.dupacks >= loss.reordering and not flight.sent[0].sacked:
            flight.deem_lost(first_segment(tcb))


def _find_loss_by_time(tcb: Tcb, news: News, now: int) -> None:
    """RACK, whenever something was newly delivered (RFC 8985 §6.2)."""
    if tcb.rack.advanced:
        tcb.rack.advanced = False
        wait = rack.detect_loss(tcb, now)
        if wait:
            clocks.await_reordering(tcb, wait, now)
            news.waits = True


def first_segment(tcb: Tcb) -> Sent:
    """Return the oldest full segment in flight: a device may have cut a larger one."""
    first = tcb.flight.sent[0]
    if first.end - first.seq > tcb.smss:
        tcb.flight.split(first, first.seq + tcb.smss)
    return first


def note_reordering(tcb: Tcb, news: News) -> None:
    """A stretch sent once arrived after later ones (RFC 8985 §6.2 step 3)."""
    if tcb.loss.phase is not LOSS or tcb.loss.undo_from >= 0:
        _note_reordering(tcb, news.reordered_from, by="TCPSACKReorder")


def _note_reordering(tcb: Tcb, start: int, *, by: str) -> None:
    """Keep by how many segments ``start`` came late."""
    loss = tcb.loss
    late = (tcb.flight.highest_sacked() or tcb.snd.una) - start
    if late <= 0:
        return
    if late > loss.reordering * tcb.smss:
        loss.reordering = min(-(-late // tcb.smss), tcb.stack.settings.tcp_max_reordering)
    loss.reorderings += 1
    tcb.stack.count(by)


def probe_repaired(tcb: Tcb) -> None:
    """A Tail Loss Probe repaired a loss: that counts as one (RFC 8985 §7.4.2)."""
    tcb.stack.count("TCPLossProbeRecovery")
    window.begin_reduction(tcb)
    tcb.loss.phase = CWR
    window.end_reduction(tcb)
    keep_open(tcb)


def resend_lost(tcb: Tcb) -> None:
    """Send what is deemed lost again at once; the congestion window stays, for congestion is not why."""
    loss = tcb.loss
    if not tcb.flight.lost_octets:
        return
    if loss.phase is not LOSS:
        loss.point = loss.rescued = tcb.snd.nxt
        tcb.cc.ssthresh = window.known_ssthresh(tcb)
        loss.prior_ssthresh = 0
        loss.undo_from = -1
        loss.phase = LOSS
    loss.resend = Resend.NOW
    loss.force_resend = True


def reordering_timeout(tcb: Tcb, now: int) -> None:
    """What RACK waited for has not come (RFC 8985 §6.2 step 5)."""
    flight = tcb.flight
    in_flight, lost = flight.pipe, flight.lost_total
    rack.detect_loss(tcb, now)
    if flight.pipe != in_flight:
        if tcb.loss.phase is not RECOVERY and not _was_path_probe(tcb):
            _enter(tcb)
            window.reduce(tcb, tcb.smss, flight.lost_total - lost, advanced=False)
        tcb.loss.resend = Resend.NOW
    if flight.sent:
        clocks.await_timeout(tcb, now)
    else:
        clocks.stop(tcb)


def probe_timeout(tcb: Tcb, now: int) -> None:
    """Send the Tail Loss Probe: new text if there is any, else the last segment again (RFC 8985 §7.3)."""
    if not tcb.flight.sent:
        clocks.stop(tcb)
    elif tcb.rack.probe_end < 0:
        tcb.stack.count("TCPLossProbes")
        tcb.rack.probe_end = tcb.snd.nxt
        tcb.rack.probe_due = True
        clocks.start_again(tcb, now, now)
    else:
        clocks.await_timeout(tcb, now)


def retransmission_timeout(tcb: Tcb, now: int) -> None:
    """RFC 6298 §5.4 to §5.6 and RFC 5681 §3.1: start again from one segment."""
    loss, flight = tcb.loss, tcb.flight
    fresh = loss.phase < RECOVERY
    if loss.phase <= DISORDER or tcb.snd.una >= loss.point or (loss.phase is LOSS and not tcb.retransmits):
        loss.prior_ssthresh = window.known_ssthresh(tcb)
        loss.prior_cwnd = tcb.cc.cwnd
        tcb.cc.ssthresh = tcb.cc.after_loss(window.flight_size(tcb))
        _deem_overdue_lost(tcb, now)
        spurious.remember(tcb)
    else:
        _deem_overdue_lost(tcb, now)
    if loss.phase <= DISORDER and flight.sacked_octets >= tcb.stack.settings.tcp_reordering * tcb.smss:
        loss.reordering = min(loss.reordering, tcb.stack.settings.tcp_reordering)
    window.restart_from_one(tcb)
    ecn.reduced(tcb)
    loss.point = tcb.snd.nxt
    tcb.rack.probe_end = -1
    tcb.rack.probe_due = False
    # RFC 5682 §2.1, step 1: not where fast recovery had begun, unless nothing since was acknowledged
    loss.frto = tcb.stack.settings.tcp_frto > 0 and (fresh or tcb.retransmits > 0)
    loss.resend = Resend.NOW
    loss.force_resend = True  # the oldest goes out whatever the congestion window (RFC 6298 §5.4)


def _deem_overdue_lost(tcb: Tcb, now: int) -> None:
    """Nothing that may have arrived is in the network any more; what RACK knows to be recent may be."""
    flight = tcb.flight
    if flight.sent[0].sacked:
        tcb.stack.count("TCPSACKReneging")
        flight.forget_sacks()
    tcb.loss.dupacks = 0
    by_time = rack.in_use(tcb)
    for index, piece in enumerate(flight.sent):
        if not (index and by_time and rack.overdue_in(tcb, piece, 0, now) > 0):
            flight.deem_lost(piece)
    if tcb.timers.reorder != NEVER:
        tcb.timers.reorder = NEVER


def last_resort(tcb: Tcb) -> Sent | None:
    """Rules 3 and 4 of NextSeg (RFC 6675 §4): a stretch below a SACK, then once the last one, the rescue."""
    loss, flight = tcb.loss, tcb.flight
    if not tcb.terms.sack or rack.in_use(tcb) or loss.phase is not RECOVERY:
        return None
    piece = flight.below_a_sack()
    if piece is not None:
        if piece.end - piece.seq > tcb.smss:
            flight.split(piece, piece.seq + judge.full_segment(tcb))
        return piece
    piece = flight.last_unsacked()
    if piece is None or tcb.snd.una <= loss.rescued:
        return None
    loss.rescued = loss.point
    full = judge.full_segment(tcb)
    if piece.end - piece.seq > full:
        flight.split(piece, piece.end - full)
        piece = flight.last_unsacked()
    return piece
