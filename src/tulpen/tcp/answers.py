"""What goes back for a segment that is not taken: a reset, an ACK, a challenge ACK, within limits."""

from __future__ import annotations

from tulpen.tcp.config import MS
from tulpen.tcp.incoming import Incoming
from tulpen.tcp.output import bare_ack, reset_for
from tulpen.tcp.tcb import Tcb
from tulpen.tcp.trace import Reason
from tulpen.wire.segment import SYN, Segment


def refuse(tcb: Tcb, segment: Segment, reason: Reason, now: int) -> None:
    """Send the reset that §3.10.7.1 forms."""
    tcb.note(segment, reason, now)
    tcb.reply(reset_for(segment, tcb.stack.settings))


def answer_invalid(tcb: Tcb, seg: Incoming, reason: Reason, now: int) -> bool:
    """Acknowledge and drop; a SYN, and what has neither text nor FIN, is answered at a limited rate."""
    tcb.note(seg.segment, reason, now)
    if seg.len and not seg.flags & SYN:
        tcb.ack_now = True
    elif may_answer(tcb, now):
        tcb.reply(bare_ack(tcb, now))
    else:
        tcb.note(seg.segment, Reason.RATE_LIMITED, now)
    return False


def challenge(tcb: Tcb, seg: Incoming, reason: Reason, now: int) -> bool:
    """Send a challenge ACK, within the limits of RFC 5961 §7, and drop."""
    tcb.note(seg.segment, reason, now)
    if may_answer(tcb, now) and tcb.stack.may_challenge(now):
        tcb.reply(bare_ack(tcb, now))
    else:
        tcb.note(seg.segment, Reason.RATE_LIMITED, now)
    return False


def challenge_syn(tcb: Tcb, segment: Segment, now: int) -> None:
    """Send the challenge ACK for a SYN in a synchronized state (§3.10.7.4, fourth)."""
    tcb.stack.count("TCPChallengeACK")
    challenge(tcb, Incoming(segment, segment.seq, segment.ack, segment.wnd), Reason.SYN_IN_SYNCHRONIZED, now)


def may_answer(tcb: Tcb, now: int) -> bool:
    """tcp_invalid_ratelimit, one clock for all of a connection's answers to what is not acceptable."""
    last = tcb.invalid_ack_at
    if last >= 0 and now - last < tcb.stack.settings.tcp_invalid_ratelimit * MS:
        return False
    tcb.invalid_ack_at = now
    return True
