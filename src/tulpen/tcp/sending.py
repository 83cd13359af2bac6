"""The octets a user has sent and the peer has not acknowledged, by sequence number."""

from __future__ import annotations

from bisect import bisect_right
from typing import Final, final

from tulpen.tcp.nothing import NOTHING

#: Writes up to this size are joined, so that a byte at a time does not cost an object a byte.
JOIN: Final = 4096


@final
class Stretch:
    """Text not yet sent that goes out as one segment, or as what a device makes of it, if the windows allow."""

    __slots__ = ("end", "push", "record")

    def __init__(self, end: int) -> None:
        self.end = end
        self.push = False  # its last octet goes out with PSH
        self.record = False  # nothing joins it (MSG_EOR)

    def clone(self) -> Stretch:
        """Return an independent copy."""
        twin = Stretch(self.end)
        twin.push = self.push
        twin.record = self.record
        return twin


@final
class SendQueue:
    """Immutable chunks from ``start`` (oldest octet held) to ``end`` (one past the newest)."""

    __slots__ = ("_chunks", "_starts", "end", "start", "stretches")

    def __init__(self, start: int) -> None:
        self.start = start
        self.end = start
        self.stretches: list[Stretch] = NOTHING  # what is not yet sent; the last ends at ``end``
        self._starts: list[int] = NOTHING
        self._chunks: list[bytes | memoryview] = NOTHING

    def __len__(self) -> int:
        return self.end - self.start

    def append(self, data: bytes | memoryview, *, begin: bool = False) -> None:
        """Take ``data``, which does not change, behind what is there; ``begin``: it begins a new stretch."""
        if not data:
            return
        chunks = self._chunks
        if chunks and len(chunks[-1]) + len(data) <= JOIN:
            chunks[-1] = b"".join((chunks[-1], data))
        else:
            if not chunks:
                self._starts, chunks = [], []
                self._chunks = chunks
            as_it_is = len(data) <= JOIN or isinstance(data, memoryview)
            chunks.append(data if as_it_is else memoryview(data))  # a part of the latter is no copy
            self._starts.append(self.end)
        self.end += len(data)
        stretches = self.stretches
        if not stretches:
            self.stretches = [Stretch(self.end)]
        elif begin or stretches[-1].record:
            stretches.append(Stretch(self.end))
        else:
            stretches[-1].end = self.end

    def sent(self, end: int) -> bool:
        """Note that everything before ``end`` is sent; say whether the last of it is pushed."""
        stretches = self.stretches
        count, pushed = 0, False
        for stretch in stretches:
            if stretch.end > end:
                break
            count += 1
            pushed = stretch.push and stretch.end == end
        if count == len(stretches):
            self.stretches = NOTHING
        elif count:
            del stretches[:count]
        return pushed

    def widen(self, octets: int) -> None:
        """Move up to so many octets from the second stretch into the first."""
        first, second = self.stretches[:2]
        first.end = min(first.end + octets, second.end)
        if first.end == second.end:
            first.push = first.push or second.push
            first.record = second.record
            del self.stretches[1]

    def end_record(self) -> None:
        """Let no later octet share a segment with those before it (MSG_EOR)."""
        if self.stretches:
            self.stretches[-1].record = True

    def ends_record(self, seq: int) -> bool:
        """Say whether a record ends in what is not yet sent before ``seq``."""
        return any(stretch.record and stretch.end < seq for stretch in self.stretches)

    def octets(self, seq: int, end: int) -> bytes | memoryview:
        """Return the octets from ``seq`` up to ``end``, without a copy where they lie in one large chunk."""
        if seq >= end:
            return b""
        starts, chunks = self._starts, self._chunks
        index = bisect_right(starts, seq) - 1
        chunk = chunks[index]
        offset = seq - starts[index]
        size = end - seq
        if offset + size <= len(chunk):
            return chunk if size == len(chunk) else chunk[offset : offset + size]
        parts: list[bytes | memoryview] = [memoryview(chunk)[offset:]]
        index += 1
        while index < len(starts) and starts[index] < end:
            parts.append(memoryview(chunks[index])[: end - starts[index]])
            index += 1
        return b"".join(parts)

    def release(self, seq: int) -> None:
        """Forget what lies before ``seq``: it is acknowledged."""
        if seq <= self.start:
            return
        self.start = min(seq, self.end)
        if self.start == self.end:
            self._starts = self._chunks = NOTHING
            return
        starts, chunks = self._starts, self._chunks
        keep = bisect_right(starts, self.start) - 1
        if keep > 0:
            del starts[:keep], chunks[:keep]

    def clone(self) -> SendQueue:
        """Return an independent copy; the chunks are shared, being immutable."""
        twin = SendQueue(self.start)
        twin.end = self.end
        twin.stretches = [stretch.clone() for stretch in self.stretches] or NOTHING
        twin._starts = self._starts.copy() or NOTHING
        twin._chunks = self._chunks.copy() or NOTHING
        return twin
