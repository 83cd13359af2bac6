"""The octets received and not yet read: those in order, and those beyond a hole (RFC 9293 §3.10.7.4)."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from typing import Final, final

#: What one held piece costs beside its octets: the peer cannot make us keep many tiny ones.
PIECE: Final = 256
#: A piece smaller than this is copied, so that it does not pin the packet it came in.
SMALL: Final = 512


@final
class ReceiveQueue:
    """In-order octets ready for the user, and pieces held until the hole before them is filled."""

    __slots__ = ("_held", "_starts", "cost", "duplicate", "octets", "ranges", "ready")

    def __init__(self) -> None:
        self.ready: deque[bytes | memoryview] = deque()
        self.octets = 0  # ready to be read
        self._starts: list[int] = []
        self._held: list[bytes | memoryview] = []
        self.cost = 0  # of the held pieces
        self.ranges: list[tuple[int, int]] = []  # held, most recent first: RFC 2018 §4
        self.duplicate: tuple[int, int] | None = None  # came twice, to be reported once: RFC 2883 §4

    def deliver(self, data: bytes | memoryview) -> None:
        """Take ``data`` that begins at RCV.NXT; small pieces are joined, so that an octet costs about an octet."""
        if not data:
            return
        self.octets += len(data)
        if len(data) >= SMALL:
            self.ready.append(data)
        elif self.ready and len(self.ready[-1]) < SMALL:
            self.ready[-1] = b"".join((self.ready[-1], data))
        else:
            self.ready.append(bytes(data))

    def hold(self, seq: int, data: bytes | memoryview) -> None:
        """Keep ``data`` that lies beyond a hole; octets already held stay as they first came."""
        starts, held = self._starts, self._held
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
            self.cost += len(piece) + PIECE
            seq += len(piece)
            data = data[len(piece) :]
        if twice is not None:
            self.came_twice(*twice)

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
            self.cost -= len(piece) + PIECE
            fresh = piece[nxt - starts[count] :]
            self.deliver(fresh)
            nxt += len(fresh)
            count += 1
        if count:
            del starts[:count], held[:count]
        if twice is not None and (self.duplicate is None or self.duplicate[1] != since):
            self.came_twice(*twice)  # else the segment's own head came twice, and is the first to be told
        if self.ranges:
            self.ranges = [r for r in self.ranges if r[1] > nxt]
        return nxt

    def take(self, limit: int) -> bytes | memoryview:
        """Return up to ``limit`` octets in order; whole chunks are handed on as they came."""
        ready = self.ready
        if not ready or limit <= 0:
            return b""
        first = ready[0]
        if len(first) >= limit or len(ready) == 1:
            return self._take_from_first(limit)
        parts: list[bytes | memoryview] = []
        while limit > 0 and ready:
            part = self._take_from_first(limit)
            limit -= len(part)
            parts.append(part)
        return b"".join(parts)

    def _take_from_first(self, limit: int) -> bytes | memoryview:
        first = self.ready[0]
        if len(first) <= limit:
            self.ready.popleft()
            part = first
        else:
            part = first[:limit]
            self.ready[0] = memoryview(first)[limit:]
        self.octets -= len(part)
        return part

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
        return bool(self._starts) and self._starts[-1] + len(self._held[-1]) > seq

    def forget_held(self) -> None:
        """Drop everything beyond the first hole."""
        self._starts.clear()
        self._held.clear()
        self.ranges.clear()
        self.cost = 0

    def clone(self) -> ReceiveQueue:
        """Return an independent copy; the octets are shared."""
        twin = ReceiveQueue()
        twin.ready = self.ready.copy()
        twin.octets = self.octets
        twin._starts = self._starts.copy()
        twin._held = self._held.copy()
        twin.cost = self.cost
        twin.ranges = self.ranges.copy()
        twin.duplicate = self.duplicate
        return twin


def _first(known: tuple[int, int] | None, left: int, right: int) -> tuple[int, int]:
    """Of what came twice in a segment the first contiguous part is reported (RFC 2883 §4)."""
    if known is None:
        return left, right
    return (known[0], right) if known[1] == left else known
