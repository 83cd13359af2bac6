"""What an attacker sends: segments about one connection that its peer never sent.

A blind one knows the four-tuple and guesses the numbers: what he sends may lie in the
window, not at its edge; and what has no ACK is not to be taken whatever its number.  One on the path knows them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from tulpen.tcp.state import CLOSED, LISTEN, SYN_SENT, SYNCHRONIZED
from tulpen.tcp.tcb import Tcb
from tulpen.wire.segment import ACK, FIN, RST, SYN, Segment
from tulpen.wire.seq import wrap

STRANGE: Final = 0x5000_0000  # from every number that either end uses
TEXT: Final = b"!"

RST_INSIDE: Final = "RST in the window"
RST_OUTSIDE: Final = "RST out of the window"
SYN_INSIDE: Final = "SYN in the window"
SYN_OUTSIDE: Final = "SYN out of the window"
SYN_ACK: Final = "SYN,ACK of nothing"
ACK_OLD: Final = "text with an ACK from long ago"
ACK_NEW: Final = "text with an ACK of what was not sent"
NO_ACK: Final = "text at RCV.NXT without an ACK"
FIN_OUTSIDE: Final = "FIN out of the window"
ACK_OF_NOTHING: Final = "an ACK of no SYN"
RST_EXACT: Final = "RST at RCV.NXT"
FIN_EXACT: Final = "FIN at RCV.NXT"
PROBE_EXACT: Final = "a window probe"

#: RFC 5961: none of these may harm a connection.
BLIND: Final = (
    RST_INSIDE,
    RST_OUTSIDE,
    SYN_INSIDE,
    SYN_OUTSIDE,
    SYN_ACK,
    ACK_OLD,
    ACK_NEW,
    NO_ACK,
    ACK_OF_NOTHING,
    FIN_OUTSIDE,
)
ON_PATH: Final = (RST_EXACT, FIN_EXACT, PROBE_EXACT)


def forged(tcb: Tcb, kinds: tuple[str, ...]) -> Iterator[Segment]:
    """Yield what an attacker of these kinds sends to the connection now."""
    if tcb.state is CLOSED or tcb.state is LISTEN:
        return
    for kind in kinds:
        if SYNCHRONIZED[tcb.state]:
            yield _MADE[kind](tcb)
        elif tcb.state is not SYN_SENT:
            if kind not in (SYN_INSIDE, SYN_ACK):  # RFC 9293 §3.10.7.4: a SYN returns a passive open to LISTEN
                yield _MADE[kind](tcb)
        elif kind == SYN_ACK:
            yield Segment(STRANGE, wrap(tcb.snd.nxt + STRANGE), SYN | ACK, 1000)
        elif kind == ACK_OF_NOTHING:
            yield Segment(STRANGE, wrap(tcb.snd.iss), SYN | ACK, 1000)
        elif kind in (RST_INSIDE, RST_EXACT):
            yield Segment(STRANGE, wrap(tcb.snd.nxt + STRANGE), RST | ACK)


def _inside(tcb: Tcb) -> int:
    return wrap(tcb.rcv.nxt + max(1, tcb.rcv.wnd // 2))


def _outside(tcb: Tcb) -> int:
    return wrap(tcb.rcv.nxt + STRANGE)


_MADE: Final[dict[str, Callable[[Tcb], Segment]]] = {
    RST_INSIDE: lambda tcb: Segment(_inside(tcb), 0, RST),
    RST_OUTSIDE: lambda tcb: Segment(_outside(tcb), 0, RST),
    SYN_INSIDE: lambda tcb: Segment(_inside(tcb), 0, SYN, 1000),
    SYN_OUTSIDE: lambda tcb: Segment(_outside(tcb), 0, SYN, 1000),
    SYN_ACK: lambda tcb: Segment(_inside(tcb), wrap(tcb.snd.nxt), SYN | ACK, 1000),
    ACK_OLD: lambda tcb: Segment(wrap(tcb.rcv.nxt), wrap(tcb.snd.una - STRANGE), ACK, 1000, TEXT),
    ACK_NEW: lambda tcb: Segment(wrap(tcb.rcv.nxt), wrap(tcb.snd.nxt + 1), ACK, 1000, TEXT),
    NO_ACK: lambda tcb: Segment(wrap(tcb.rcv.nxt), 0, 0, 1000, TEXT),
    ACK_OF_NOTHING: lambda tcb: Segment(wrap(tcb.rcv.nxt), wrap(tcb.snd.iss), ACK, 1000),
    FIN_OUTSIDE: lambda tcb: Segment(_outside(tcb), wrap(tcb.snd.nxt), FIN | ACK, 1000),
    RST_EXACT: lambda tcb: Segment(wrap(tcb.rcv.nxt), 0, RST),
    FIN_EXACT: lambda tcb: Segment(wrap(tcb.rcv.nxt), wrap(tcb.snd.nxt), FIN | ACK, 1000),
    PROBE_EXACT: lambda tcb: Segment(wrap(tcb.rcv.nxt - 1), wrap(tcb.snd.nxt), ACK, 1000),
}
