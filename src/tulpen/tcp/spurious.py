"""Reductions that were not needed: found by timestamps (Eifel, RFC 3522), by DSACK (RFC 3708) or by F-RTO (RFC 5682).

What a reduction took is kept in ``Loss`` while it may prove needless, and given back
(RFC 4015 §3.2) once every retransmission was answered by a DSACK, or the original is known
to have arrived.
"""

from __future__ import annotations

from tulpen.tcp import ecn, rack
from tulpen.tcp.incoming import Incoming
from tulpen.tcp.loss import LOSS, OPEN, Resend
from tulpen.tcp.negotiate import timestamp
from tulpen.tcp.news import News
from tulpen.tcp.tcb import Tcb
from tulpen.wire.seq import before


def remember(tcb: Tcb) -> None:
    """A reduction begins: from here on retransmissions are counted against DSACKs."""
    loss = tcb.loss
    loss.undo_from = tcb.snd.una
    under_way = sum(piece.segments for piece in tcb.flight.sent if piece.resent)
    if tcb.rack.probe_end >= 0 and tcb.rack.probe_resent:
        under_way += 1
    loss.undo_resent = under_way or -1


def resent(tcb: Tcb, segments: int, now: int) -> None:
    """Segments went out again."""
    loss = tcb.loss
    loss.resent_total += segments
    if loss.resent_at < 0:
        loss.resent_at = now
    loss.undo_resent = max(0, loss.undo_resent) + segments


def any_resent(tcb: Tcb) -> bool:
    """Whether a retransmission may still be under way, or unanswered."""
    flight = tcb.flight
    return flight.resent_octets > 0 or (bool(flight.sent) and flight.sent[0].times > 1)


def came_twice(tcb: Tcb, left: int, right: int) -> int:
    """A DSACK (RFC 2883): the peer had what we sent again; return how many segments that is.

    None, if it is more than ever was sent again: then the network, or a forger, has doubled it.
    """
    loss = tcb.loss
    segments = max(1, -(-(right - left) // tcb.smss))
    loss.dsacks += segments
    if loss.dsacks > loss.resent_total or right - left > tcb.snd.max_wnd:
        return 0
    if right != tcb.rack.probe_end:
        tcb.rack.dsack_seen = True  # not what a Tail Loss Probe repeated
    if loss.undo_resent > 0 and 0 <= loss.undo_from < right:
        loss.undo_resent = max(0, loss.undo_resent - segments)
    return segments


def original_arrived(tcb: Tcb, seg: Incoming) -> bool:
    """Eifel detection (RFC 3522 §3.2): the timestamp echoed is older than the first retransmission, if any."""
    if tcb.loss.resent_at < 0:
        return True
    echo = seg.options.tsecr
    if not tcb.terms.timestamps or seg.options.tsval is None or not echo:
        return False
    return before(echo, timestamp(tcb.loss.resent_at, tcb.ts_offset))


def may_undo(tcb: Tcb, seg: Incoming) -> bool:
    """Every retransmission was answered by a DSACK, or the original is known to have arrived."""
    return tcb.loss.undo_from >= 0 and (tcb.loss.undo_resent == 0 or original_arrived(tcb, seg))


def undo(tcb: Tcb, *, unmark: bool) -> None:
    """Give the window back (RFC 4015 §3.2); ``unmark``: what was deemed lost is only late."""
    loss, cc = tcb.loss, tcb.cc
    if unmark:
        tcb.flight.unmark_lost()
    if loss.prior_ssthresh:
        cc.undone(loss.prior_cwnd)
        if loss.prior_ssthresh > cc.ssthresh:
            cc.ssthresh = loss.prior_ssthresh
            ecn.restored(tcb)
    loss.undo_from = -1
    tcb.rack.advanced = True  # what is lost after all shows by itself


def undo_recovery(tcb: Tcb, seg: Incoming) -> None:
    """All that was out when the phase began is acknowledged: take back what was not needed."""
    if may_undo(tcb, seg):
        tcb.stack.count("TCPLossUndo" if tcb.loss.phase is LOSS else "TCPFullUndo")
        undo(tcb, unmark=False)
    elif tcb.rack.persist:
        tcb.rack.persist -= 1


def late(tcb: Tcb, seg: Incoming) -> bool:
    """Whether a partial acknowledgment is the original's: most of the rest is late as well, and not lost."""
    return tcb.loss.undo_from >= 0 and original_arrived(tcb, seg)


def undo_partially(tcb: Tcb) -> None:
    """What was deemed lost is late, and nothing sent again is under way any more."""
    if not any_resent(tcb):
        tcb.loss.resent_at = -1
    tcb.stack.count("TCPPartialUndo")
    undo(tcb, unmark=True)


def undo_by_dsack(tcb: Tcb) -> bool:
    """Every retransmission came twice (RFC 3708 §2); say so."""
    if tcb.loss.undo_from < 0 or tcb.loss.undo_resent != 0:
        return False
    tcb.rack.persist = min(rack.PERSIST, tcb.rack.persist + 1)
    tcb.stack.count("TCPDSACKUndo")
    undo(tcb, unmark=False)
    return True


def undo_timeout(tcb: Tcb, seg: Incoming, news: News) -> bool:
    """In LOSS: whether the timeout was spurious, by what was sent again or by what was not (RFC 5682 §3.1, step 3b)."""
    loss = tcb.loss
    by_frto = loss.frto and news.original
    if not by_frto and not (news.advanced and may_undo(tcb, seg)):
        return False
    undo(tcb, unmark=True)
    tcb.stack.count("TCPLossUndo")
    if by_frto:
        tcb.stack.count("TCPSpuriousRTOs")
    tcb.retransmits = 0
    if not tcb.terms.sack and tcb.snd.una == loss.point:
        return True  # RFC 6582 §4.1: no fast retransmit before something above it is acknowledged
    if by_frto or tcb.terms.sack:
        loss.phase = OPEN
    return True


def forward(tcb: Tcb, news: News) -> bool:
    """F-RTO in LOSS (RFC 5682 §3.1): new text first, and see what it brings.

    Says whether retransmissions wait for it.
    """
    loss = tcb.loss
    if tcb.snd.nxt > loss.point:
        if news.sacked or news.duplicate:
            loss.frto = False  # step 3a: something is missing
        return False
    if not news.advanced or tcb.snd.una >= loss.point:
        return False
    loss.point = tcb.snd.nxt
    loss.resend = Resend.AFTER_NEW  # step 2b
    return True
