"""The octets of a capture in one buffer that is used again and again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, final

import numpy as np

from tulpen.capture.frame import Damaged

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tulpen.capture.octets import Octets

BLOCK: Final = 1 << 20  # octets: what fits a processor's cache is summed where it was read


@final
class Window:
    """``data[at:end]`` is what comes next; compiled code walks over it, the exact readers ``take`` from it."""

    __slots__ = ("_base", "_failure", "_octets", "_stop", "at", "data", "end", "memory")

    def __init__(self, octets: Octets, stop: int | None = None, size: int = BLOCK) -> None:
        self._octets = octets
        self._stop = stop  # of the file; None: its end
        self._base = octets.offset  # of data[0]
        self._failure: Damaged | None = None
        self.data: NDArray[Any] = np.empty(size, np.uint8)
        self.memory = int(self.data.ctypes.data)  # where its octets lie
        self.at = 0
        self.end = 0

    @property
    def base(self) -> int:
        """Where ``data`` begins in the file."""
        return self._base

    @property
    def offset(self) -> int:
        """Where the file is read next."""
        return self._base + self.at

    def more(self) -> bool:
        """Read on; False where nothing comes any more.  What stood before ``at`` is gone."""
        if self._failure is not None:
            return False
        left = self.end - self.at
        room = self.data
        if left > len(room) // 2:
            room = np.empty(2 * len(room), np.uint8)
        room[:left] = self.data[self.at : self.end]
        if room is not self.data:
            self.data, self.memory = room, int(room.ctypes.data)
        self._base, self.at, self.end = self._base + self.at, 0, left
        until = len(room) if self._stop is None else min(len(room), self._stop - self._base)
        try:
            size = self._octets.into(room.data[left:until]) if until > left else 0
        except Damaged as failure:
            self._failure = failure
            return False
        self.end += size
        return size > 0

    def take(self, size: int) -> bytes:
        """Return ``size`` octets, or as many as are left.  Raises Damaged where they cannot be unpacked."""
        while self.end - self.at < size and self.more():
            pass
        stop = min(self.at + size, self.end)
        if stop < self.at + size and self._failure is not None:
            raise Damaged(self._failure.what, self.offset)
        taken = self.data[self.at : stop].tobytes()
        self.at = stop
        return taken
