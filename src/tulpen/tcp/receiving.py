"""The octets received and not yet read: those in order, and those beyond a hole (RFC 9293 §3.10.7.4).

Where memory counts, who brings octets says what keeping them costs, and how much of that
is free at their end for the octets that follow.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Final, final

from tulpen.tcp.receive_memory import BEHIND, DESCRIPTOR, PAGE, WHOLE, buffer_size

#: What one held piece costs beside its octets: the peer cannot make us keep many tiny ones.
PIECE: Final = 256
#: A piece smaller than this is copied, so that it does not pin the packet it came in.
SMALL: Final = 512
#: Text that is packed closer fills so much of a page.
PACKED: Final = PAGE - BEHIND


def whole(pieces: list[bytes | memoryview]) -> bytes | memoryview:
    """Return pieces as one; what is one already is not copied."""
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


@final
class ReceiveQueue:
    """In-order octets ready for the user, and pieces held until the hole before them is filled."""

    __slots__ = (
        "_costs", "_held", "_held_tail", "_pieces", "_starts", "_tail", "cost", "duplicate", "memory", "octets",
        "ranges", "ready",
    )  # fmt: skip

    def __init__(self) -> None:
        self.ready: list[bytes | memoryview] = []
        self.octets = 0  # ready to be read
        self.memory = 0  # what all of it costs, where memory counts
        self._pieces: list[list[int]] = []  # of that, what is ready, as it came: octets not read, cost
        self._tail = 0  # octets that fit behind the last of them
        self._starts: list[int] = []
        self._held: list[bytes | memoryview] = []
        self._costs: list[int] = []
        self._held_tail = 0
        self.cost = 0  # of the held pieces
        self.ranges: list[tuple[int, int]] = []  # held, most recent first: RFC 2018 §4
        self.duplicate: tuple[int, int] | None = None  # came twice, to be reported once: RFC 2883 §4

    def deliver(self, data: bytes | memoryview, cost: int = 0, tail: int = 0) -> None:
        """Take ``data`` that begins at RCV.NXT; small pieces are joined, so that an octet costs about an octet."""
        if not data:
            return
        self.octets += len(data)
        if cost or self._pieces:
            self._charge(len(data), cost, tail)
        if len(data) >= SMALL:
            self.ready.append(data)
        elif self.ready and len(self.ready[-1]) < SMALL:
            self.ready[-1] = b"".join((self.ready[-1], data))
        else:
            self.ready.append(bytes(data))

    def _charge(self, octets: int, cost: int, tail: int) -> None:
        if self._pieces and (octets <= self._tail or not cost):
            self._pieces[-1][0] += octets
            self._tail = max(0, self._tail - octets)
            return
        self._pieces.append([octets, cost])
        self.memory += cost
        self._tail = tail

    def collapse(self, ratio: int) -> None:
        """Pack what is ready closer together, from the first piece on that holds less than ``ratio`` 256ths of text."""
        pieces = self._pieces
        start = 0
        while start < len(pieces) and pieces[start][1] * ratio >> WHOLE <= pieces[start][0]:
            start += 1
        octets = sum(piece[0] for piece in pieces[start:])
        packed = [[PACKED, DESCRIPTOR + PAGE] for _ in range(octets // PACKED)]
        if rest := octets % PACKED:
            packed.append([rest, DESCRIPTOR + buffer_size(rest + BEHIND)])
        saved = sum(piece[1] for piece in pieces[start:]) - sum(piece[1] for piece in packed)
        if saved > 0:
            self._pieces = pieces[:start] + packed
            self.memory -= saved
            self._tail = 0

    def hold(self, seq: int, data: bytes | memoryview, cost: int = 0, tail: int = 0) -> bool:
        """Keep ``data`` that lies beyond a hole; octets already held stay as they first came.  Say if any were new.

        ``cost``: 0 where memory does not count, and what is held is to be bounded alone.
        """
        starts, held = self._starts, self._held
        counted, first, last, before = cost > 0, seq, seq + len(data), len(starts)
        if counted and self._fits_behind(seq, len(data)):
            cost, tail = 0, self._held_tail - len(data)
        self._remember(seq, seq + len(data))
        twice: tuple[int, int] | None = None
        while data:
            index = bisect_right(starts, seq)
            if index:
                covered = starts[index - 1] + len(held[index - 1]) - seq
                if covered > 0:
                    twice = _first(twice, seq, seq + min(covered, len(data)))
                    seq += covered
                    data = data[covered:]
                    continue
            room = starts[index] - seq if index < len(starts) else len(data)
            piece = data[:room]
            starts.insert(index, seq)
            held.insert(index, bytes(piece) if len(piece) < SMALL else piece)
            self._costs.insert(index, 0)
            if not counted:
                self._recharge(index, len(piece) + PIECE)
            seq += len(piece)
            data = data[len(piece) :]
        if twice is not None:
            self.came_twice(*twice)
        if len(starts) == before:
            return False
        if counted:
            self._charge_held(first, last, cost, tail)
        return True

    def _charge_held(self, first: int, last: int, cost: int, tail: int) -> None:
        """A packet came with [first, last): what it covers whole is no longer needed beside it."""
        index = bisect_right(self._starts, first)
        index -= bool(index) and self._starts[index - 1] == first
        while index < len(self._starts) and self._starts[index] + len(self._held[index]) <= last:
            self._recharge(index, 0)
            index += 1
        self._recharge(max(0, index - 1), cost)
        if index == len(self._starts):
            self._held_tail = tail

    def _recharge(self, index: int, cost: int) -> None:
        more = cost - self._costs[index]
        self.cost += more
        self.memory += more
        self._costs[index] = cost

    def _fits_behind(self, seq: int, octets: int) -> bool:
        return bool(self._starts) and seq == self.held_end(-1) and octets <= self._held_tail

    def held_end(self, nothing: int) -> int:
        """Return where the last piece beyond a hole ends; ``nothing`` if none is held."""
        return self._starts[-1] + len(self._held[-1]) if self._starts else nothing

    def drop_last(self, before: int) -> bool:
        """Drop the last piece held if it begins after ``before``, for want of memory: it was never acknowledged."""
        if not self._starts or self._starts[-1] <= before:
            return False
        self._recharge(len(self._starts) - 1, 0)
        start = self._starts.pop()
        self._held.pop()
        self._costs.pop()
        self._held_tail = 0
        self.ranges = [(left, min(right, start)) for left, right in self.ranges if left < start]
        return True

    def came_twice(self, left: int, right: int) -> None:
        """Keep the duplicate [left, right) for the next report; one that adjoins the last makes it longer."""
        if self.duplicate is not None and self.duplicate[1] == left:
            left = self.duplicate[0]
        self.duplicate = (left, right)

    def fill(self, nxt: int, since: int) -> int:
        """Deliver held pieces that ``nxt`` has reached by text from ``since`` on; return the new RCV.NXT."""
        starts, held, arrived = self._starts, self._held, nxt
        count = 0
        twice: tuple[int, int] | None = None
        while count < len(starts) and starts[count] <= nxt:
            piece = held[count]
            if starts[count] < arrived:
                twice = _first(twice, starts[count], min(starts[count] + len(piece), arrived))
            cost = self._costs[count]
            self.cost -= cost
            self.memory -= cost
            fresh = piece[nxt - starts[count] :]
            if starts[count] != nxt:
                self._tail = 0  # what overlaps is not put behind
            self.deliver(fresh, cost if self._pieces else 0)
            nxt += len(fresh)
            count += 1
        if count:
            del starts[:count], held[:count], self._costs[:count]
        if twice is not None and (self.duplicate is None or self.duplicate[1] != since):
            self.came_twice(*twice)  # else the segment's own head came twice, and is the first to be told
        if self.ranges:
            self.ranges = [r for r in self.ranges if r[1] > nxt]
        return nxt

    def take(self, limit: int) -> list[bytes | memoryview]:
        """Return up to ``limit`` octets in order, in the chunks that they came in."""
        ready, count, octets = self.ready, 0, 0
        for chunk in ready:
            if octets + len(chunk) > limit:
                break
            octets += len(chunk)
            count += 1
        parts = ready[:count]
        del ready[:count]
        part = limit - octets
        if ready and part > 0:
            parts.append(ready[0][:part])
            ready[0] = memoryview(ready[0])[part:]
            octets = limit
        self.octets -= octets
        if self._pieces:
            self._release(octets)
        return parts

    @property
    def first_piece(self) -> int:
        """Octets of what is ready that came in one packet, the oldest."""
        return self._pieces[0][0] if self._pieces else self.octets

    def _release(self, octets: int) -> None:
        pieces, count = self._pieces, 0
        for piece in pieces:
            if piece[0] > octets:
                piece[0] -= octets
                break
            octets -= piece[0]
            self.memory -= piece[1]
            count += 1
        del pieces[:count]
        if not pieces:
            self._tail = 0

    def clear(self) -> None:
        """Drop what is ready: nobody will read it."""
        self.ready.clear()
        self._pieces.clear()
        self.octets = self._tail = 0
        self.memory = self.cost

    def _remember(self, left: int, right: int) -> None:
        """Put the range that now holds [left, right) first (RFC 2018 §4)."""
        others: list[tuple[int, int]] = []
        for old_left, old_right in self.ranges:
            if old_right < left or old_left > right:
                others.append((old_left, old_right))
            else:
                left = min(left, old_left)
                right = max(right, old_right)
        self.ranges = [(left, right), *others]

    def holds_beyond(self, seq: int) -> bool:
        """Whether any octet at or after ``seq`` is held."""
        return self.held_end(seq) > seq

    def forget_held(self) -> None:
        """Drop everything beyond the first hole."""
        self._starts.clear()
        self._held.clear()
        self._costs.clear()
        self.ranges.clear()
        self.memory -= self.cost
        self.cost = 0
        self.duplicate = None

    def clone(self) -> ReceiveQueue:
        """Return an independent copy; the octets are shared."""
        twin = ReceiveQueue()
        twin.ready = self.ready.copy()
        twin.octets = self.octets
        twin._starts = self._starts.copy()
        twin._held = self._held.copy()
        twin._costs = self._costs.copy()
        twin._held_tail = self._held_tail
        twin.memory = self.memory
        twin._pieces = [piece.copy() for piece in self._pieces]
        twin._tail = self._tail
        twin.cost = self.cost
        twin.ranges = self.ranges.copy()
        twin.duplicate = self.duplicate
        return twin


def _first(known: tuple[int, int] | None, left: int, right: int) -> tuple[int, int]:
    """Of what came twice in a segment the first contiguous part is reported (RFC 2883 §4)."""
    if known is None:
        return left, right
    return (known[0], right) if known[1] == left else known
