"""What is held beyond a hole in the text received, until the hole is filled (RFC 9293 §3.10.7.4, RFC 2018 §4).

There is none of this while text comes in order.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Final, final

from tulpen.tcp.ranges import Ranges

#: What one held piece costs beside its octets: the peer cannot make us keep many tiny ones.
PIECE: Final = 256
#: A piece smaller than this is copied, so that it does not pin the packet it came in.
SMALL: Final = 512


@final
class Beyond:
    """Pieces that do not overlap, by where they begin, and the ranges that they make together."""

    __slots__ = ("_ranges", "cost", "costs", "pieces", "starts", "tail")

    def __init__(self) -> None:
        self.starts: list[int] = []
        self.pieces: list[bytes | memoryview] = []
        self.costs: list[int] = []
        self.cost = 0  # of all of them
        self.tail = 0  # octets that fit behind the last
        self._ranges = Ranges()

    @property
    def end(self) -> int:
        """Where the last piece ends."""
        return self.starts[-1] + len(self.pieces[-1])

    def latest(self, most: int) -> list[tuple[int, int]]:
        """Return the ranges, the latest to grow first: RFC 2018 §4."""
        return self._ranges.latest(most)

    def hold(self, seq: int, data: bytes | memoryview, cost: int, tail: int) -> tuple[bool, tuple[int, int] | None]:
        """Keep ``data``; octets held stay as they first came.  Return if any were new, and the first part that was not.

        ``cost``: 0 where memory does not count, and what is held is to be bounded alone.
        """
        starts, pieces = self.starts, self.pieces
        counted, first, last, before = cost > 0, seq, seq + len(data), len(starts)
        if counted and starts and seq == self.end and len(data) <= self.tail:
            cost, tail = 0, self.tail - len(data)
        self._ranges.add(seq, seq + len(data))
        twice: tuple[int, int] | None = None
        while data:
            index = bisect_right(starts, seq)
            if index:
                covered = starts[index - 1] + len(pieces[index - 1]) - seq
                if covered > 0:
                    twice = first_part(twice, seq, seq + min(covered, len(data)))
                    seq += covered
                    data = data[covered:]
                    continue
            room = starts[index] - seq if index < len(starts) else len(data)
            piece = data[:room]
            starts.insert(index, seq)
            pieces.insert(index, bytes(piece) if len(piece) < SMALL else piece)
            self.costs.insert(index, 0)
            if not counted:
                self._recharge(index, len(piece) + PIECE)
            seq += len(piece)
            data = data[len(piece) :]
        new = len(starts) > before
        if new and counted:
            self._charge(first, last, cost, tail)
        return new, twice

    def _charge(self, first: int, last: int, cost: int, tail: int) -> None:
        """A packet came with [first, last): what it covers whole is no longer needed beside it."""
        index = bisect_right(self.starts, first)
        index -= bool(index) and self.starts[index - 1] == first
        while index < len(self.starts) and self.starts[index] + len(self.pieces[index]) <= last:
            self._recharge(index, 0)
            index += 1
        self._recharge(max(0, index - 1), cost)
        if index == len(self.starts):
            self.tail = tail

    def _recharge(self, index: int, cost: int) -> None:
        self.cost += cost - self.costs[index]
        self.costs[index] = cost

    def taken(self, count: int, nxt: int) -> None:
        """The first ``count`` pieces are delivered, and all before ``nxt`` with them."""
        self.cost -= sum(self.costs[:count])
        del self.starts[:count], self.pieces[:count], self.costs[:count]
        self._ranges.forget_before(nxt)

    def drop_last(self) -> None:
        """Drop the last piece."""
        self._recharge(len(self.starts) - 1, 0)
        start = self.starts.pop()
        self.pieces.pop()
        self.costs.pop()
        self.tail = 0
        self._ranges.forget_from(start)

    def clone(self) -> Beyond:
        """Return an independent copy; the octets are shared."""
        twin = Beyond()
        twin.starts = self.starts.copy()
        twin.pieces = self.pieces.copy()
        twin.costs = self.costs.copy()
        twin.cost = self.cost
        twin.tail = self.tail
        twin._ranges = self._ranges.clone()
        return twin


def first_part(known: tuple[int, int] | None, left: int, right: int) -> tuple[int, int]:
    """Of what came twice in a segment the first contiguous part is reported (RFC 2883 §4)."""
    if known is None:
        return left, right
    return (known[0], right) if known[1] == left else known
