"""SYN cookies, as far as a listener's SYN,ACKs give them away (RFC 4987 §3.6).

A cookie keeps nothing of the SYN.  Linux puts window scale, SACK and ECN into the low six bits of its timestamp, and
adds an offset that is the same for all connections of two addresses: what is left when the options are taken off does
not change.  Where the SYN had no timestamp, those options are missing from the SYN,ACK of a listener that otherwise
grants them.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Final, final

from tulpen.capture.policy import SILENCE
from tulpen.wire.segment import ACK, ECE, RST, SYN

if TYPE_CHECKING:
    from tulpen.capture.conversation import Conversation
    from tulpen.capture.seen import Seen

MOST: Final = 4096
ENOUGH: Final = 4  # timestamps in a row; two may be alike by chance, by 1 in 64

_NO_SCALE: Final = 0x0F
_SACK: Final = 0x10
_ECN: Final = 0x20
_BITS: Final = 0x3F


@final
class _Listener:
    __slots__ = ("grants", "pending", "rest", "stamps")

    def __init__(self) -> None:
        self.grants = False  # it has granted window scaling or SACK
        self.rest = -1  # of its timestamp's low bits, the options taken off
        self.stamps: set[int] = set()  # timestamps in a row with this rest
        self.pending: list[tuple[Conversation, int, int, int]] = []


@final
class Listeners:
    """What the SYN,ACKs of each address and port have looked like."""

    __slots__ = ("_cookies", "_known")

    def __init__(self, cookies: set[int]) -> None:
        self._cookies = cookies  # the frames that look like one
        self._known: OrderedDict[tuple[bytes, int, bytes], _Listener] = OrderedDict()

    def syn(self, talk: Conversation, seg: Seen) -> None:
        """Take a SYN or SYN,ACK; add ``cookie`` to the findings of those that look like one."""
        if seg.flags & (SYN | ACK | RST) != SYN | ACK:
            return
        side = talk.side_of(seg)
        opener = talk.ends[1 - side]
        if not opener.syns or talk.ends[side].syn_acks:
            return
        name = (seg.src, seg.sport, seg.dst)
        listener = self._known.setdefault(name, _Listener())
        self._known.move_to_end(name)
        if len(self._known) > MOST:
            self._known.popitem(last=False)
        offered = opener.wscale >= 0 or opener.sack_permitted
        granted = seg.options.wscale is not None or seg.options.sack_permitted
        if granted and not seg.options.tsval:
            listener.grants = True
        if seg.options.tsval is not None and offered:
            self._stamped(listener, talk, side, seg)
        elif offered and not granted and listener.grants and not opener.stamped:
            self._is_one(talk, side, seg.frame)

    def _stamped(self, listener: _Listener, talk: Conversation, side: int, seg: Seen) -> None:
        opener = talk.ends[1 - side]
        assert seg.options.tsval is not None
        kept = min(opener.wscale, 14) if opener.wscale >= 0 else _NO_SCALE
        kept |= (_SACK if opener.sack_permitted else 0) | (_ECN if seg.flags & ECE else 0)
        rest = (seg.options.tsval - kept) & _BITS
        if rest != listener.rest:
            listener.rest = rest
            listener.stamps.clear()
            listener.pending.clear()
        listener.stamps.add(seg.options.tsval)
        listener.pending.append((talk, side, seg.frame, seg.when))
        if len(listener.stamps) >= ENOUGH:
            for each, of, frame, when in listener.pending:
                if seg.when - when <= SILENCE:  # else its connection may have been told already
                    self._is_one(each, of, frame)
            listener.pending.clear()

    def _is_one(self, talk: Conversation, side: int, frame: int) -> None:
        self._cookies.add(frame)
        talk.findings.add("cookie", side, frame, "SYN cookie?")
