"""The octets received and not yet read: those in order, and those beyond a hole (RFC 9293 §3.10.7.4).

Where memory counts, who brings octets says what keeping them costs, and how much of that
is free at their end for the octets that follow.
"""

from __future__ import annotations

from typing import Final, final

from tulpen.tcp.beyond import SMALL, Beyond, first_part
from tulpen.tcp.nothing import NOTHING
from tulpen.tcp.receive_memory import BEHIND, DESCRIPTOR, PAGE, WHOLE, buffer_size

#: Text that is packed closer fills so much of a page.
PACKED: Final = PAGE - BEHIND


def whole(pieces: list[bytes | memoryview]) -> bytes | memoryview:
    """Return pieces as one; what is one already is not copied."""
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


@final
class ReceiveQueue:
    """In-order octets ready for the user, and pieces held until the hole before them is filled."""

    __slots__ = ("_pieces", "_tail", "beyond", "duplicate", "memory", "octets", "ready")

    def __init__(self) -> None:
        self.ready: list[bytes | memoryview] = NOTHING
        self.octets = 0  # ready to be read
        self.memory = 0  # what all of it costs, where memory counts
        self._pieces: list[list[int]] = NOTHING  # of that, what is ready, as it came: octets not read, cost
        self._tail = 0  # octets that fit behind the last of them
        self.beyond: Beyond | None = None  # None: there is no hole
        self.duplicate: tuple[int, int] | None = None  # came twice, to be reported once: RFC 2883 §4

    def deliver(self, data: bytes | memoryview, cost: int = 0, tail: int = 0) -> None:
        """Take ``data`` that begins at RCV.NXT; small pieces are joined, so that an octet costs about an octet."""
        if not data:
            return
        self.octets += len(data)
        if cost or self._pieces:
            self._charge(len(data), cost, tail)
        ready = self.ready
        if not ready:
            self.ready = [data if len(data) >= SMALL else bytes(data)]
        elif len(data) >= SMALL:
            ready.append(data)
        elif len(ready[-1]) < SMALL:
            ready[-1] = b"".join((ready[-1], data))
        else:
            ready.append(bytes(data))

    def _charge(self, octets: int, cost: int, tail: int) -> None:
        if self._pieces and (octets <= self._tail or not cost):
            self._pieces[-1][0] += octets
            self._tail = max(0, self._tail - octets)
            return
        if self._pieces:
            self._pieces.append([octets, cost])
        else:
            self._pieces = [[octets, cost]]
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

    @property
    def cost(self) -> int:
        """What the held pieces cost."""
        return 0 if self.beyond is None else self.beyond.cost

    def latest(self, most: int) -> list[tuple[int, int]]:
        """Return ranges that are held, the most recent first: RFC 2018 §4."""
        return [] if self.beyond is None else self.beyond.latest(most)

    def hold(self, seq: int, data: bytes | memoryview, cost: int = 0, tail: int = 0) -> bool:
        """Keep ``data`` that lies beyond a hole; octets already held stay as they first came.  Say if any were new.

        ``cost``: 0 where memory does not count, and what is held is to be bounded alone.
        """
        beyond = self.beyond
        if beyond is None:
            beyond = self.beyond = Beyond()
        before = beyond.cost
        new, twice = beyond.hold(seq, data, cost, tail)
        self.memory += beyond.cost - before
        if twice is not None:
            self.came_twice(*twice)
        return new

    def held_end(self, nothing: int) -> int:
        """Return where the last piece beyond a hole ends; ``nothing`` if none is held."""
        return nothing if self.beyond is None else self.beyond.end

    def drop_last(self, before: int) -> bool:
        """Drop the last piece held if it begins after ``before``, for want of memory: it was never acknowledged."""
        beyond = self.beyond
        if beyond is None or beyond.starts[-1] <= before:
            return False
        cost = beyond.cost
        beyond.drop_last()
        self.memory += beyond.cost - cost
        if not beyond.starts:
            self.beyond = None
        return True

    def came_twice(self, left: int, right: int) -> None:
        """Keep the duplicate [left, right) for the next report; one that adjoins the last makes it longer."""
        if self.duplicate is not None and self.duplicate[1] == left:
            left = self.duplicate[0]
        self.duplicate = (left, right)

    def fill(self, nxt: int, since: int) -> int:
        """Deliver held pieces that ``nxt`` has reached by text from ``since`` on; return the new RCV.NXT."""
        beyond, arrived = self.beyond, nxt
        if beyond is None:
            return nxt
        starts, count = beyond.starts, 0
        twice: tuple[int, int] | None = None
        while count < len(starts) and starts[count] <= nxt:
            start, piece = starts[count], beyond.pieces[count]
            if start < arrived:
                twice = first_part(twice, start, min(start + len(piece), arrived))
            self.memory -= beyond.costs[count]
            fresh = piece[nxt - start :]
            if start != nxt:
                self._tail = 0  # what overlaps is not put behind
            self.deliver(fresh, beyond.costs[count] if self._pieces else 0)
            nxt += len(fresh)
            count += 1
        beyond.taken(count, nxt)
        if not beyond.starts:
            self.beyond = None
        if twice is not None and (self.duplicate is None or self.duplicate[1] != since):
            self.came_twice(*twice)  # else the segment's own head came twice, and is the first to be told
        return nxt

    def take(self, limit: int) -> list[bytes | memoryview]:
        """Return up to ``limit`` octets in order, in the chunks that they came in."""
        ready, count, octets = self.ready, 0, 0
        if self.octets <= limit:
            self.ready = NOTHING
            self._release(self.octets)
            self.octets = 0
            return ready or []
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
        if count < len(pieces):
            del pieces[:count]
        else:
            self._pieces = NOTHING
            self._tail = 0

    def clear(self) -> None:
        """Drop what is ready: nobody will read it."""
        self.ready = self._pieces = NOTHING
        self.octets = self._tail = 0
        self.memory = self.cost

    def holds_beyond(self, seq: int) -> bool:
        """Whether any octet at or after ``seq`` is held."""
        return self.held_end(seq) > seq

    def forget_held(self) -> None:
        """Drop everything beyond the first hole."""
        self.memory -= self.cost
        self.beyond = None
        self.duplicate = None

    def clone(self) -> ReceiveQueue:
        """Return an independent copy; the octets are shared."""
        twin = ReceiveQueue()
        twin.ready = self.ready.copy() or NOTHING
        twin.octets = self.octets
        twin.beyond = None if self.beyond is None else self.beyond.clone()
        twin.memory = self.memory
        twin._pieces = [piece.copy() for piece in self._pieces] or NOTHING
        twin._tail = self._tail
        twin.duplicate = self.duplicate
        return twin
