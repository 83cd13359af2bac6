"""SYN cookies, as far as a listener's SYN,ACKs give them away (RFC 4987 §3.6).

A cookie keeps nothing of the SYN.  Linux puts window scale, SACK and ECN into the low six bits of its timestamp, and
adds an offset that is the same for all connections of two addresses: what is left when the options are taken off does
not change.  Where the SYN had no timestamp, those options are missing from the SYN,ACK of a listener that otherwise
grants them.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Final, final

from tulpen.capture.policy import SILENCE
from tulpen.wire.segment import ACK, ECE, RST, SYN
from tulpen.wire.seq import MASK

if TYPE_CHECKING:
    from tulpen.capture.conversation import Conversation
    from tulpen.capture.follower import Name
    from tulpen.capture.seen import Seen

ENOUGH: Final = 4  # timestamps in a row; two may be alike by chance, by 1 in 64

NO_SCALE: Final = 0x0F
OF_SACK: Final = 0x10
OF_ECN: Final = 0x20
BITS: Final = 0x3F


@final
class _Offer:
    """A SYN that waits for its answer."""

    __slots__ = ("answered", "bits", "gone", "offers", "seq", "source", "stamped", "when")

    def __init__(self, seg: Seen) -> None:
        options = seg.options
        self.source = (seg.src, seg.sport)
        self.seq = seg.seq
        self.when = seg.when
        self.bits = NO_SCALE if options.wscale is None else min(options.wscale, 14)
        self.bits |= OF_SACK if options.sack_permitted else 0
        self.offers = options.wscale is not None or options.sack_permitted
        self.stamped = bool(options.tsval)
        self.answered = False
        self.gone = False  # another SYN of its name has come: its connection may have been told already


@final
class _Listener:
    __slots__ = ("grants", "pending", "rest", "stamps", "when")

    def __init__(self) -> None:
        self.when = 0  # of its last SYN,ACK
        self.grants = False  # it has granted window scaling or SACK
        self.rest = -1  # of its timestamp's low bits, the options taken off
        self.stamps: set[int] = set()  # timestamps in a row with this rest
        self.pending: list[tuple[_Offer, Conversation, int, int, int]] = []


@final
class Listeners:
    """What the SYN,ACKs of each address and port have looked like.  After 2 MSL of silence, one is forgotten."""

    __slots__ = ("_cookies", "_known", "_offers")

    def __init__(self, cookies: set[int]) -> None:
        self._cookies = cookies  # the frames that look like one
        self._offers: OrderedDict[Name, _Offer] = OrderedDict()
        self._known: OrderedDict[tuple[bytes, int, bytes], _Listener] = OrderedDict()

    def syn(self, name: Name, talk: Conversation, seg: Seen) -> None:
        """Take a SYN or SYN,ACK; add ``cookie`` to the findings of those that look like one."""
        if seg.flags & (SYN | ACK | RST) == SYN:
            self._offer(name, seg)
        elif seg.flags & (SYN | ACK | RST) == SYN | ACK:
            offer = self._offers.get(name)
            if offer is not None and self._is_answer(offer, seg):
                offer.answered = True
                self._answer(offer, talk, seg)

    def _offer(self, name: Name, seg: Seen) -> None:
        last = self._offers.get(name)
        if last is not None:
            again = last.seq == seg.seq and last.source == (seg.src, seg.sport)
            if again and seg.when - last.when <= SILENCE:
                return
            last.gone = True
        _forget(self._offers, seg.when)
        self._offers[name] = _Offer(seg)
        self._offers.move_to_end(name)

    @staticmethod
    def _is_answer(offer: _Offer, seg: Seen) -> bool:
        if offer.answered or offer.source == (seg.src, seg.sport) or seg.when - offer.when > SILENCE:
            return False
        return (seg.ack - offer.seq) & MASK == 1

    def _answer(self, offer: _Offer, talk: Conversation, seg: Seen) -> None:
        side = talk.side_of(seg)
        listener = self._listener(seg)
        options = seg.options
        granted = options.wscale is not None or options.sack_permitted
        if granted and not options.tsval:
            listener.grants = True
        if options.tsval is not None and offer.offers:
            self._stamped(listener, offer, talk, side, seg)
        elif offer.offers and not granted and listener.grants and not offer.stamped:
            self._is_one(talk, side, seg.frame)

    def _listener(self, seg: Seen) -> _Listener:
        name = (seg.src, seg.sport, seg.dst)
        listener = self._known.get(name)
        if listener is None or seg.when - listener.when > SILENCE:
            _forget(self._known, seg.when)
            listener = self._known[name] = _Listener()
        listener.when = seg.when
        self._known.move_to_end(name)
        return listener

    def _stamped(self, listener: _Listener, offer: _Offer, talk: Conversation, side: int, seg: Seen) -> None:
        assert seg.options.tsval is not None
        rest = (seg.options.tsval - (offer.bits | (OF_ECN if seg.flags & ECE else 0))) & BITS
        if rest != listener.rest:
            listener.rest = rest
            listener.stamps.clear()
            listener.pending.clear()
        if len(listener.stamps) < ENOUGH:
            listener.stamps.add(seg.options.tsval)
        listener.pending.append((offer, talk, side, seg.frame, seg.when))
        if len(listener.stamps) >= ENOUGH:
            for one, each, of, frame, when in listener.pending:
                if not one.gone and seg.when - when <= SILENCE:  # else its connection may have been told already
                    self._is_one(each, of, frame)
            listener.pending.clear()

    def _is_one(self, talk: Conversation, side: int, frame: int) -> None:
        self._cookies.add(frame)
        talk.findings.add("cookie", side, frame, "SYN cookie?")


def _forget(known: OrderedDict[Any, Any], now: int) -> None:
    while known:
        key, first = next(iter(known.items()))
        if now - first.when <= 2 * SILENCE:
            break
        del known[key]
