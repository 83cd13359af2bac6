"""What a path can do to a packet, each a small object: ``filter(packet, now) -> [(delay, packet)]``.

A filter holds no clock and does no I/O.  It answers a packet with those that come out
behind it and how many nanoseconds later: an empty list is a loss, two are a
duplication.  A filter may answer with a packet that travels the other way (an ICMP
error, a forged RST): one that is addressed to the source of the packet it was given.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from tulpen.sim.rewrite import carrying, marked, with_data
from tulpen.wire.ip import Packet
from tulpen.wire.segment import CE, Segment

if TYPE_CHECKING:
    from tulpen.sim.chance import Chance

Passed = list[tuple[int, Packet]]
Filter = Callable[[Packet, int], Passed]


def clear(packet: Packet, now: int) -> Passed:
    """A path that does nothing."""
    return [(0, packet)]


class Chain:
    """Filters in a row.  Each is asked with the time at which the packet reaches it.

    Every packet is asked about when it enters the chain, so one that an earlier filter
    holds back reaches a later one out of turn: a ``Rate`` belongs before what delays.
    """

    def __init__(self, *filters: Filter) -> None:
        self.filters = filters

    def __call__(self, packet: Packet, now: int) -> Passed:
        passed: Passed = [(0, packet)]
        turned: Passed = []
        for each in self.filters:
            arrived, passed = passed, []
            for waited, one in arrived:
                for delay, out in each(one, now + waited):
                    (turned if out.dst == one.src != one.dst else passed).append((waited + delay, out))
        return passed + turned


class Delay:
    """Every packet takes ``delay`` nanoseconds longer."""

    def __init__(self, delay: int) -> None:
        self.delay = delay

    def __call__(self, packet: Packet, now: int) -> Passed:
        return [(self.delay, packet)]


class Jitter:
    """Every packet takes up to ``most`` nanoseconds longer; in order unless ``overtaking``."""

    def __init__(self, chance: Chance, most: int, *, overtaking: bool = False) -> None:
        self._chance = chance
        self.most = most
        self.overtaking = overtaking
        self._last = 0

    def __call__(self, packet: Packet, now: int) -> Passed:
        out = now + self._chance.between(0, self.most)
        if not self.overtaking:
            out = self._last = max(out, self._last)
        return [(out - now, packet)]


class Loss:
    """Each packet is lost with ``probability``."""

    def __init__(self, chance: Chance, probability: float) -> None:
        self._chance = chance
        self.probability = probability

    def __call__(self, packet: Packet, now: int) -> Passed:
        return [] if self._chance.happens(self.probability) else [(0, packet)]


class Marks:
    """Each packet that says ECT is marked CE with ``probability``; one that does not is lost (RFC 3168 §5)."""

    def __init__(self, chance: Chance, probability: float) -> None:
        self._chance = chance
        self.probability = probability
        self.marked = 0

    def __call__(self, packet: Packet, now: int) -> Passed:
        if not self._chance.happens(self.probability):
            return [(0, packet)]
        if not packet.tos & 3:
            return []
        self.marked += 1
        return [(0, marked(packet, CE))]


class Remark:
    """A box that writes its own ECN field on every packet (RFC 9768 §3.2.2.3: bleaching, if it is 0)."""

    def __init__(self, mark: int) -> None:
        self.mark = mark

    def __call__(self, packet: Packet, now: int) -> Passed:
        return [(0, marked(packet, self.mark))]


class Bursts:
    """Losses that come together: each packet may begin a burst or end it (Gilbert's model)."""

    def __init__(self, chance: Chance, begins: float, ends: float) -> None:
        self._chance = chance
        self.begins = begins
        self.ends = ends
        self._losing = False

    def __call__(self, packet: Packet, now: int) -> Passed:
        if self._chance.happens(self.ends if self._losing else self.begins):
            self._losing = not self._losing
        return [] if self._losing else [(0, packet)]


class Duplication:
    """Each packet comes a second time with ``probability``, up to ``gap`` nanoseconds later."""

    def __init__(self, chance: Chance, probability: float, gap: int = 0) -> None:
        self._chance = chance
        self.probability = probability
        self.gap = gap

    def __call__(self, packet: Packet, now: int) -> Passed:
        if not self._chance.happens(self.probability):
            return [(0, packet)]
        return [(0, packet), (self._chance.between(0, self.gap), packet)]


class Reordering:
    """Each packet is held back for ``delay`` nanoseconds with ``probability``: later ones overtake it."""

    def __init__(self, chance: Chance, probability: float, delay: int) -> None:
        self._chance = chance
        self.probability = probability
        self.delay = delay

    def __call__(self, packet: Packet, now: int) -> Passed:
        return [(self.delay if self._chance.happens(self.probability) else 0, packet)]


class Corruption:
    """Each packet is damaged with ``probability``: its checksum is wrong, and a bit of its text flipped."""

    def __init__(self, chance: Chance, probability: float) -> None:
        self._chance = chance
        self.probability = probability

    def __call__(self, packet: Packet, now: int) -> Passed:
        return [(0, self._damage(packet) if self._chance.happens(self.probability) else packet)]

    def _damage(self, packet: Packet) -> Packet:
        seg = packet.payload
        if isinstance(seg, Segment) and len(seg.data):
            data = bytearray(seg.data)
            data[self._chance.between(0, len(data) - 1)] ^= 1 << self._chance.between(0, 7)
            seg = with_data(seg, bytes(data))
        return carrying(packet, seg, damaged=True)


class Cut:
    """Nothing passes from ``start`` until ``end`` (None: for ever)."""

    def __init__(self, start: int = 0, end: int | None = None) -> None:
        self.start = start
        self.end = end

    def __call__(self, packet: Packet, now: int) -> Passed:
        cut = now >= self.start and (self.end is None or now < self.end)
        return [] if cut else [(0, packet)]


class Switch:
    """A cut thrown by hand: nothing passes while ``on`` is False."""

    def __init__(self, on: bool = True) -> None:
        self.on = on

    def __call__(self, packet: Packet, now: int) -> Passed:
        return [(0, packet)] if self.on else []


class Only:
    """Let ``filter`` see the packets that ``which`` picks, at most ``times`` of them; the others pass."""

    def __init__(self, which: Callable[[Packet], bool], filter: Filter, times: int | None = None) -> None:
        self.which = which
        self.filter = filter
        self.left = times

    def __call__(self, packet: Packet, now: int) -> Passed:
        if self.left == 0 or not self.which(packet):
            return [(0, packet)]
        if self.left is not None:
            self.left -= 1
        return self.filter(packet, now)


def drop(packet: Packet, now: int) -> Passed:
    """A path that nothing passes."""
    return []


def flags(having: int, lacking: int = 0) -> Callable[[Packet], bool]:
    """Return a test for TCP segments with all flags of ``having`` and none of ``lacking``."""

    def which(packet: Packet) -> bool:
        seg = packet.payload
        return isinstance(seg, Segment) and seg.flags & (having | lacking) == having

    return which


def in_turn(filters: Sequence[Filter]) -> Filter:
    """Return a path that treats its first packet with the first filter, and so on; the rest pass."""
    turn = iter(filters)

    def filter(packet: Packet, now: int) -> Passed:
        return next(turn, clear)(packet, now)

    return filter
