"""The segments of an exploration: each value once, by a number, so that a set of them is an int."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from tulpen.prove.explorer import TooLarge
from tulpen.wire.segment import ACK, FIN, SYN, Segment, letters
from tulpen.wire.seq import MASK, wrap

ROOM: Final = 256  # different segments: a set of them has so many bits


class Segments:
    """Every segment that was ever sent, or forged, to one end or the other."""

    def __init__(self) -> None:
        self.all: list[Segment] = []
        self.to: dict[str, int] = {}  # those for an end of this name, as bits
        self.sent = 0  # those that an end really sent; others are parts of them, or forged
        self._numbers: dict[tuple[str, Segment], int] = {}
        self._parts: dict[int, int] = {}

    def number(self, segment: Segment, to: str) -> int:
        """Return the number of a segment, a new one if it is new; the same both ways has two."""
        number = self._numbers.setdefault((to, segment), len(self.all))
        if number == len(self.all):
            if number == ROOM:
                raise TooLarge(f"more than {ROOM} different segments")
            self.all.append(segment)
            self.to[to] = self.to.get(to, 0) | 1 << number
        return number

    def bits(self, segments: Iterable[Segment], to: str) -> int:
        """Return a set of segments as a bit for each."""
        bits = 0
        for segment in segments:
            bits |= 1 << self.number(segment, to)
        return bits

    def parts(self, bits: int, to: str) -> int:
        """Return all that a sender which cuts anew might send in the place of some segments."""
        for number in members(bits):
            if number not in self._parts:
                self._parts[number] = self.bits(_cut(self.all[number]), to)
            bits |= self._parts[number]
        return bits


def members(bits: int) -> Iterator[int]:
    """Yield the numbers in a set."""
    while bits:
        low = bits & -bits
        yield low.bit_length() - 1
        bits ^= low


def _cut(segment: Segment) -> Iterator[Segment]:
    """Yield the parts of a segment's text; the FIN stays with the last octet."""
    size = len(segment.data)
    if size < 2 or segment.flags & SYN:
        return
    for start in range(size):
        for stop in range(start + 1, size + 1):
            flags = segment.flags if stop == size else segment.flags & ~FIN
            yield Segment(
                wrap(segment.seq + start), segment.ack, flags, segment.wnd, bytes(segment.data)[start:stop],
                segment.options, sport=segment.sport, dport=segment.dport,
            )  # fmt: skip


def describe(segment: Segment, sender: tuple[int, ...], receiver: tuple[int, ...]) -> str:
    """Return a segment in a few words, its numbers relative to the nearest ISS: ``S. seq=0 ack=1``."""
    words = [letters(segment.flags), f"seq={_relative(segment.seq, sender)}"]
    if segment.flags & ACK:
        words.append(f"ack={_relative(segment.ack, receiver)}")
    if segment.data:
        words.append(repr(bytes(segment.data).decode("ascii", "replace")))
    for left, right in segment.options.sack:
        words.append(f"sack={_relative(left, receiver)}:{_relative(right, receiver)}")
    words.append(f"wnd={segment.wnd}")
    return " ".join(words)


def _relative(number: int, isses: tuple[int, ...]) -> str:
    """The distance from the last ISS before it; a prime for each connection after the first."""
    life, distance = min(enumerate((number - iss) & MASK for iss in isses), key=lambda found: found[1])
    return f"{distance if distance <= MASK >> 1 else distance - MASK - 1}{chr(39) * life}"
