"""How much of the receive buffer is taken, and how much of it is offered, as Linux counts: the numbers.

A packet takes a descriptor and a buffer, and buffers come in sizes.  What a connection may
offer is therefore less than its buffer, by the ratio of text to memory in what comes.
``receive_window`` acts on this.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, final

DESCRIPTOR: Final = 256  # octets of memory beside each buffer
ROOM: Final = 384  # of a buffer: for headers before the packet, and a list of pages behind it
BEHIND: Final = 320  # the latter alone
PAGE: Final = 4096
SMALLEST: Final = 576
LARGEST: Final = 8192  # beyond that a buffer is whole pages
WHOLE: Final = 8  # bits: a ratio counts in 256ths
HALF: Final = 128


@final
class ReceiveMemory:
    """Octets, of memory or of window; times in nanoseconds."""

    __slots__ = (
        "adopted", "clamp", "echoed", "field", "offered", "offered_at", "ratio", "rtt", "rtt_at", "rtt_edge", "short",
        "space", "space_at", "space_seq", "threshold",
    )  # fmt: skip

    def __init__(self) -> None:
        self.ratio = HALF  # octets of text in 256 of memory
        self.clamp = 0  # the most to be offered
        self.threshold = 0  # the most to be offered now; it grows as text comes
        self.offered = 0  # the window as it was last told
        self.field = 0  # how that was written
        self.offered_at = -1  # RCV.NXT then; -1: it may be another now
        self.short = False  # there was no memory for what came: the next ACK closes the window
        self.adopted = False  # the application has the connection
        # what the application takes in a round trip
        self.space = 0
        self.space_seq = 0
        self.space_at = 0
        # the round trip as a receiver sees it, eightfold
        self.rtt = 0
        self.rtt_edge = 0
        self.rtt_at = -1
        self.echoed = -1

    def clone(self) -> ReceiveMemory:
        """Return an independent copy."""
        twin = ReceiveMemory()
        twin.ratio = self.ratio
        twin.clamp = self.clamp
        twin.threshold = self.threshold
        twin.offered = self.offered
        twin.field = self.field
        twin.offered_at = self.offered_at
        twin.short = self.short
        twin.adopted = self.adopted
        twin.space = self.space
        twin.space_seq = self.space_seq
        twin.space_at = self.space_at
        twin.rtt = self.rtt
        twin.rtt_edge = self.rtt_edge
        twin.rtt_at = self.rtt_at
        twin.echoed = self.echoed
        return twin


@lru_cache(maxsize=64)
def keeping(packet: int) -> tuple[int, int]:
    """Return the memory that a packet of so many octets takes, and how much of it is free for the next one's text."""
    needed = packet + ROOM
    size = buffer_size(needed)
    return DESCRIPTOR + size, size - needed if needed <= PAGE else 0


def buffer_size(needed: int) -> int:
    """Return the size of the buffer that holds so many octets."""
    if needed > LARGEST:
        return -(-needed // PAGE) * PAGE
    return SMALLEST if needed <= SMALLEST else 1 << (needed - 1).bit_length()
