"""The current segment's variables, SEG.SEQ and its neighbours (RFC 9293 §3.3.1, Table 4)."""

from __future__ import annotations

from typing import final

from tulpen.wire.options import Options
from tulpen.wire.segment import FIN, SYN, URG, Segment


@final
class Incoming:
    """A segment on its way through §3.10.7, its numbers unwrapped; the steps trim it."""

    __slots__ = ("ack", "begin", "data", "flags", "options", "segment", "seq", "up", "wnd")

    def __init__(self, segment: Segment, seq: int, ack: int, wnd: int) -> None:
        self.segment = segment  # as it came
        self.begin = seq  # before it is trimmed
        self.seq = seq
        self.ack = ack
        self.flags = segment.flags
        self.wnd = wnd  # scaled
        self.up = seq + segment.urg if segment.flags & URG else seq
        self.options: Options = segment.options
        self.data = segment.data

    @property
    def len(self) -> int:
        """SEG.LEN, SYN and FIN counted."""
        return len(self.data) + bool(self.flags & SYN) + (self.flags & FIN)

    def trim(self, left: int, right: int) -> None:
        """Keep only what lies in [left, right); a FIN takes no room, but goes with octets cut before it."""
        if self.seq < left and self.flags & SYN:
            self.flags &= ~SYN
            self.seq += 1
        if self.seq < left and self.data:
            cut = min(left - self.seq, len(self.data))
            self.data = memoryview(self.data)[cut:]
            self.seq += cut
        over = self.seq + len(self.data) - right
        if over > 0:
            self.data = memoryview(self.data)[: max(0, len(self.data) - over)]
            self.flags &= ~FIN
