"""When to acknowledge: at once, or delayed in the hope of a companion (RFC 9293 §3.8.6.3, RFC 5681 §4.2).

The delay adapts to how fast text comes, and the first segments of a connection, or
after a pause, are acknowledged at once so that the sender's window opens (Linux's quick
ACKs).  Once the application answers what it receives, ACKs wait for the answers; so does
that of the peer's FIN.  With tcp_quick_acks 0 it is every second full segment, and one delay.
"""

from __future__ import annotations

from typing import Final

from tulpen.tcp import accecn, receive_window
from tulpen.tcp.ack_state import AckState
from tulpen.tcp.config import MS
from tulpen.tcp.incoming import Incoming
from tulpen.tcp.negotiate import TIMESTAMPS_ROOM
from tulpen.tcp.state import ESTABLISHED, SYNCHRONIZED
from tulpen.tcp.tcb import Tcb
from tulpen.tcp.timers import NEVER
from tulpen.wire.segment import SYN

MOST: Final = 200 * MS  # below the 0.5 s of MUST-40
LEAST_QUICK: Final = 2


def text_arrived(tcb: Tcb, octets: int, now: int) -> None:
    """``octets`` in order came: an ACK is owed, now or later."""
    tcb.acks.pending += octets
    tcb.intake.text_at = now
    enough = _adapt(tcb, now) if tcb.stack.settings.tcp_quick_acks else _enough(tcb)
    if enough or tcb.options.tcp_quickack or tcb.route.quickack:
        tcb.ack_now = True
    elif tcb.timers.delayed_ack == NEVER:
        tcb.timers.delayed_ack = now + _delay(tcb)


def _adapt(tcb: Tcb, now: int) -> bool:
    """Fit the delay to the pace at which text comes; say whether its ACK is to go at once."""
    ack, settings = tcb.acks, tcb.stack.settings
    least = settings.tcp_delack_ms * MS
    pause = now - ack.heard_text_at
    if ack.delay == 0:
        _be_quick(tcb)
        ack.delay = least
    elif pause <= least // 2:
        ack.delay = ack.delay // 2 + least // 2
    elif pause < ack.delay:
        ack.delay = min(ack.delay // 2 + pause, tcb.rtt.rto)
    elif pause > tcb.rtt.rto:
        _be_quick(tcb)
    ack.heard_text_at = now
    return tcb.ack_now or _is_full(tcb) or (ack.quick > 0 and not ack.answering)


def _is_full(tcb: Tcb) -> bool:
    """Say whether more than a full segment waits for its ACK, and the window goes on with it."""
    return tcb.acks.pending > tcb.acks.seen_mss and receive_window.advances(tcb)


def acknowledged(tcb: Tcb) -> None:
    """An ACK has gone out."""
    ack = tcb.acks
    ack.pending = 0
    ack.small = False
    tcb.ack_now = False
    tcb.timers.delayed_ack = NEVER
    if ack.quick:
        ack.quick -= 1
        if not ack.quick:
            ack.delay = tcb.stack.settings.tcp_delack_ms * MS


def taken_along(tcb: Tcb) -> None:
    """Text came with a SYN, and our SYN,ACK tells of it: what follows is the first to set a pace."""
    tcb.acks = AckState()
    tcb.acks.pending = 0
    tcb.ack_now = False
    tcb.timers.delayed_ack = NEVER


def handshake_answered(tcb: Tcb, now: int) -> None:
    """Text takes the last ACK of the handshake along: that is an answer."""
    tcb.acks.delay = tcb.stack.settings.tcp_delack_ms * MS
    tcb.acks.heard_text_at = now
    _be_quick(tcb)


def text_sent(tcb: Tcb, now: int) -> None:
    """The application sends: soon after it received, that is an answer."""
    ack = tcb.acks
    if ack.delay and now - ack.heard_text_at < ack.delay:
        ack.answering = True


def fin_comes(tcb: Tcb) -> None:
    """A FIN ends the text: the application is about to close too, and ACKs wait for our FIN (as on Linux)."""
    if _waits_for_our_fin(tcb):
        tcb.acks.answering = True


def fin_arrived(tcb: Tcb, now: int) -> None:
    """All up to the FIN is here: its ACK is owed, now or later."""
    fin_comes(tcb)
    tcb.acks.pending += 1
    if not _waits_for_our_fin(tcb) or not tcb.acks.delay or tcb.options.tcp_quickack or _is_full(tcb):
        tcb.ack_now = True
    elif tcb.timers.delayed_ack == NEVER:
        tcb.timers.delayed_ack = now + _delay(tcb)


def _waits_for_our_fin(tcb: Tcb) -> bool:
    return tcb.state is ESTABLISHED and tcb.stack.settings.tcp_quick_acks > 0


def switch(tcb: Tcb, *, on: bool) -> None:
    """TCP_QUICKACK on an open connection, for the moment: off, ACKs wait for an answer; on, one that waits may go."""
    tcb.acks.answering = not on
    if on and tcb.timers.delayed_ack != NEVER and not tcb.receive_queue.octets:
        tcb.ack_now = True


def waited(tcb: Tcb) -> None:
    """The delay has passed and no answer took the ACK along."""
    ack = tcb.acks
    if ack.answering:
        ack.answering = False
        ack.delay = tcb.stack.settings.tcp_delack_ms * MS
    else:
        ack.delay = min(2 * ack.delay, tcb.rtt.rto)
    tcb.ack_now = True


def report_duplicate(tcb: Tcb, seg: Incoming) -> None:
    """Text or a FIN left of RCV.NXT came twice: the sender is told (RFC 2883 §4)."""
    if not seg.len or seg.flags & SYN or seg.seq >= tcb.rcv.nxt or not SYNCHRONIZED[tcb.state]:
        return
    hurry(tcb)
    if tcb.ecn is not None:
        accecn.came_twice(tcb.ecn, seg)
    if tcb.terms.sack and tcb.stack.settings.tcp_dsack:
        tcb.stack.count("TCPDSACKOldSent")
        tcb.ack_now |= not tcb.stack.settings.tcp_quick_acks  # which bring it soon
        tcb.receive_queue.came_twice(seg.seq, min(seg.seq + seg.len, tcb.rcv.nxt))


def report_known_syn(tcb: Tcb, seg: Incoming) -> None:
    """The SYN,ACK of a simultaneous open brings a SYN that is known: it came twice (RFC 2883 §4)."""
    tcb.ack_now |= tcb.stack.settings.tcp_quick_acks > 0
    if tcb.terms.sack and tcb.stack.settings.tcp_dsack:
        tcb.ack_now = True
        tcb.stack.count("TCPDSACKOldSent")
        tcb.receive_queue.came_twice(seg.seq, seg.seq + 1)


def hurry(tcb: Tcb) -> None:
    """Something is missing or came twice: the next ACKs go at once (RFC 5681 §4.2)."""
    if tcb.stack.settings.tcp_quick_acks:
        _be_quick(tcb)
        tcb.acks.answering = False
        tcb.acks.delay = tcb.stack.settings.tcp_delack_ms * MS


def _be_quick(tcb: Tcb) -> None:
    ack = tcb.acks
    count = max(tcb.rcv.wnd // (2 * max(ack.seen_mss, 1)), LEAST_QUICK)
    ack.quick = max(ack.quick, min(count, tcb.stack.settings.tcp_quick_acks))


def _delay(tcb: Tcb) -> int:
    """How long the ACK may wait for a companion."""
    ack = tcb.acks
    least = tcb.stack.settings.tcp_delack_ms * MS
    if not tcb.stack.settings.tcp_quick_acks:
        return least
    most = MOST
    if tcb.rtt.srtt:
        most = min(most, max(tcb.rtt.srtt, least))
    return min(ack.delay, most)


def _full_segment_received(tcb: Tcb) -> int:
    """RMSS less the options that every segment carries: what the peer's full segments hold (RFC 5681 §4.2)."""
    return tcb.rcv_mss - (TIMESTAMPS_ROOM if tcb.terms.timestamps else 0) - tcb.terms.signed


def _enough(tcb: Tcb) -> bool:
    """Whether text that came owes an ACK at once: two full segments, or any two (RFC 5681 §4.2)."""
    if tcb.acks.pending >= 2 * _full_segment_received(tcb):
        return True
    return tcb.stack.settings.tcp_delack_any and tcb.timers.delayed_ack != NEVER
