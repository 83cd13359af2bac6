"""The octets a user has sent and the peer has not acknowledged, by sequence number."""

from __future__ import annotations

from bisect import bisect_right
from typing import Final, final

#: Writes up to this size are joined, so that a byte at a time does not cost an object a byte.
JOIN: Final = 4096


@final
class SendQueue:
    """Immutable chunks from ``start`` (oldest octet held) to ``end`` (one past the newest)."""

    __slots__ = ("_chunks", "_records", "_starts", "end", "start")

    def __init__(self, start: int) -> None:
        self.start = start
        self.end = start
        self._starts: list[int] = []
        self._chunks: list[bytes] = []
        self._records: list[int] = []  # where records end (MSG_EOR): no segment reaches across

    def __len__(self) -> int:
        return self.end - self.start

    def append(self, data: bytes) -> None:
        """Take ``data`` behind what is there."""
        if not data:
            return
        chunks = self._chunks
        if chunks and len(chunks[-1]) + len(data) <= JOIN:
            chunks[-1] += data
        else:
            chunks.append(data)
            self._starts.append(self.end)
        self.end += len(data)

    def end_record(self) -> None:
        """Let no later octet share a segment with those before it (MSG_EOR)."""
        records = self._records
        if self.end > self.start and not (records and records[-1] == self.end):
            records.append(self.end)

    def stop(self, seq: int) -> int:
        """Return where the segment that begins at ``seq`` has to end: with its record, or with the queue."""
        records = self._records
        if not records or records[-1] <= seq:
            return self.end
        return records[bisect_right(records, seq)]

    def ends_record(self, seq: int) -> bool:
        """Say whether a record ends just before ``seq``."""
        records = self._records
        return bool(records) and records[bisect_right(records, seq) - 1] == seq

    def octets(self, seq: int, end: int) -> bytes | memoryview:
        """Return the octets from ``seq`` up to ``end``, without a copy where they lie in one chunk."""
        if seq >= end:
            return b""
        starts, chunks = self._starts, self._chunks
        index = bisect_right(starts, seq) - 1
        chunk = chunks[index]
        offset = seq - starts[index]
        if offset + end - seq <= len(chunk):
            if offset == 0 and end - seq == len(chunk):
                return chunk
            return memoryview(chunk)[offset : offset + end - seq]
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
        starts, chunks = self._starts, self._chunks
        keep = bisect_right(starts, self.start) - 1
        if self.start == self.end:
            keep = len(starts)
        if keep > 0:
            del starts[:keep], chunks[:keep]
        while self._records and self._records[0] <= self.start:
            del self._records[0]

    def clone(self) -> SendQueue:
        """Return an independent copy; the chunks are shared, being immutable."""
        twin = SendQueue(self.start)
        twin.end = self.end
        twin._starts = self._starts.copy()
        twin._chunks = self._chunks.copy()
        twin._records = self._records.copy()
        return twin
