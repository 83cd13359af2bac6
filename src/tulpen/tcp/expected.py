"""The short path: the segment that a quiet connection expects (header prediction, Jacobson 1990).

Most segments are the next text in its order, or an ACK of what is in flight.  ``is_expected``
asks the few things from which it follows that every step of §3.10.7.4 would let a segment
pass as it is; ``take`` then does what the steps do with such a one, by the same functions.
A property test holds that both ways lead to the same.
"""

from __future__ import annotations

from typing import Final

from tulpen.tcp import progress, text
from tulpen.tcp.incoming import Incoming
from tulpen.tcp.state import ESTABLISHED
from tulpen.tcp.tcb import Tcb
from tulpen.wire.segment import ACK, PSH, Segment
from tulpen.wire.seq import HALF, MASK

BESIDE_PSH: Final = 0x1FF & ~PSH


def is_expected(tcb: Tcb, segment: Segment) -> bool:
    """Whether no step has more to say than "go on": it lies at RCV.NXT, in the window, and is nothing special."""
    rcv, snd, options = tcb.rcv, tcb.snd, segment.options
    if segment.flags & BESIDE_PSH != ACK or tcb.state is not ESTABLISHED:
        return False
    if segment.seq != rcv.nxt & MASK or len(segment.data) > rcv.wnd or rcv.fin >= 0:
        return False
    if segment.ack - snd.una & MASK > snd.nxt - snd.una:
        return False
    if tcb.terms.timestamps and (options.tsval is None or options.tsval - tcb.ts_recent & MASK >= HALF):
        return False
    return tcb.ecn is None and options.user_timeout is None


def take(tcb: Tcb, segment: Segment, now: int) -> None:
    """What the fifth and the seventh step do, and the timestamp between them; the others have nothing to do."""
    intake, terms, una = tcb.intake, tcb.terms, tcb.snd.una
    seg = Incoming(segment, tcb.rcv.nxt, una + (segment.ack - una & MASK), segment.wnd << terms.snd_shift)
    intake.heard_at = intake.ack_at = now
    progress.acknowledge(tcb, seg, now)
    if terms.timestamps and seg.begin <= tcb.last_ack_sent and segment.options.tsval is not None:
        tcb.ts_recent = segment.options.tsval
        tcb.ts_recent_at = now
    if segment.data:
        text.in_order(tcb, seg, now)
