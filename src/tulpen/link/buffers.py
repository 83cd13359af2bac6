"""A few buffers that packets are read into again and again, so that they stay in the processor's cache.

A new buffer of 64 KiB for each packet costs several times the copy into it: the allocator gives such
memory back to the system and asks for it again, page by page.
"""

from __future__ import annotations

import sys
from typing import Final, final

COUNT: Final = 8  # half a MiB: what the cache next to a processor holds
#: An allocator that has had so many octets back at once keeps as many from then on (mallopt(3), M_TRIM_THRESHOLD), and
#: text that is joined or handed out in one piece is not written to pages that the kernel has to find and clear first.
KEPT: Final = 8 << 20
SMALL: Final = 16_384  # fewer octets are copied out of their buffer, so that whoever keeps them keeps no more


@final
class Buffers:
    """Buffers of one size; one is free while nobody holds a view of it."""

    __slots__ = ("_buffers", "_unused")

    def __init__(self, size: int, count: int = COUNT) -> None:
        bytearray(KEPT)
        self._buffers = [bytearray(size) for _ in range(count)]
        self._unused = 0
        self._unused = max(self._references())

    def free(self) -> bytearray | None:
        """Return a buffer that nobody has a view of; None: every one of them is in use."""
        references, unused = sys.getrefcount, self._unused
        for buffer in self._buffers:
            if references(buffer) <= unused:
                return buffer
        return None

    def _references(self) -> list[int]:
        """Count what refers to each buffer, looked at as ``free`` looks at it."""
        references, counts = sys.getrefcount, []
        for buffer in self._buffers:
            counts.append(references(buffer))
        return counts
