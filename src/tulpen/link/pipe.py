"""Two links in memory: what is written to one is read from the other."""

from __future__ import annotations

import os
from collections import deque
from typing import final

from tulpen.link.link import BATCH, Arrival
from tulpen.wire.ip import Offload


@final
class Pipe:
    """One end of the pair that ``pipe()`` makes."""

    __slots__ = ("_arrivals", "_peer", "_wake", "limit", "lost", "mtu", "offload")

    def __init__(self, mtu: int = 1500, *, offload: bool = False, limit: int = 1000) -> None:
        self._arrivals: deque[Arrival] = deque()
        self._peer: Pipe | None = None
        self._wake: tuple[int, int] | None = None  # made when somebody asks for a descriptor
        self.mtu = mtu
        self.offload = offload
        self.limit = limit  # packets waiting at the other end; beyond, they are lost
        self.lost = 0

    def read(self) -> list[Arrival]:
        """Return the packets that are there now."""
        waiting = self._arrivals
        arrivals = [waiting.popleft() for _ in range(min(BATCH, len(waiting)))]
        if self._wake is not None and not waiting and arrivals:
            os.read(self._wake[0], 1)
        return arrivals

    def write(self, buffer: bytes | memoryview, offload: Offload | None = None, text: bytes | memoryview = b"") -> None:
        """Give one packet to the other end."""
        peer = self._peer
        if text:
            buffer = b"".join((buffer, text))
        if peer is None or len(peer._arrivals) >= self.limit or (offload is None and len(buffer) > self.mtu):
            self.lost += 1
            return
        peer._arrivals.append((buffer, offload))
        if peer._wake is not None and len(peer._arrivals) == 1:
            os.write(peer._wake[1], b"\0")

    def fileno(self) -> int:
        """Return a descriptor that is readable while packets wait."""
        if self._wake is None:
            self._wake = os.pipe()
            if self._arrivals:
                os.write(self._wake[1], b"\0")
        return self._wake[0]

    def close(self) -> None:
        """Leave the pair; what the other end writes from now on is lost."""
        if self._peer is not None:
            self._peer._peer = None
            self._peer = None
        self._arrivals.clear()
        if self._wake is not None:
            os.close(self._wake[0])
            os.close(self._wake[1])
            self._wake = None


def pipe(mtu: int = 1500, *, offload: bool = False, limit: int = 1000) -> tuple[Pipe, Pipe]:
    """Return the two ends of a link in memory."""
    left = Pipe(mtu, offload=offload, limit=limit)
    right = Pipe(mtu, offload=offload, limit=limit)
    left._peer, right._peer = right, left
    return left, right
