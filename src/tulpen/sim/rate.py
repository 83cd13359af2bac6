"""A link of a certain rate with a queue in front of it."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from tulpen.sim.rewrite import marked
from tulpen.sim.rewrite import octets as length_of
from tulpen.wire.segment import CE

if TYPE_CHECKING:
    from tulpen.sim.filters import Passed
    from tulpen.wire.ip import Packet

SECOND: Final = 1_000_000_000


class Rate:
    """A link that carries ``bits`` a second; what finds its queue full is lost (drop tail).

    With ``marks``, what says ECT and finds more octets than this in the queue is marked CE.
    """

    def __init__(
        self, bits: int, *, packets: int | None = None, octets: int | None = None, marks: int | None = None
    ) -> None:
        self.bits = bits
        self.marks = marks
        self.marked = 0
        self.longest = 0  # octets that the queue held at most
        self.packets = packets  # the queue's limits; None: none
        self.octets = octets
        self.dropped = 0
        self._queue: deque[tuple[int, int]] = deque()  # (when it has left, octets), the one being sent included
        self._queued = 0
        self._free = 0

    def __call__(self, packet: Packet, now: int) -> Passed:
        self._leave(now)
        length = length_of(packet)
        if self._full(length):
            self.dropped += 1
            return []
        if self.marks is not None and self._queued > self.marks and packet.tos & 3:
            self.marked += 1
            packet = marked(packet, CE)
        self._free = max(self._free, now) + length * 8 * SECOND // self.bits
        self._queue.append((self._free, length))
        self._queued += length
        self.longest = max(self.longest, self._queued)
        return [(self._free - now, packet)]

    def _leave(self, now: int) -> None:
        while self._queue and self._queue[0][0] <= now:
            self._queued -= self._queue.popleft()[1]

    def _full(self, length: int) -> bool:
        if not self._queue:
            return False
        if self.packets is not None and len(self._queue) > self.packets:
            return True
        return self.octets is not None and self._queued + length > self.octets
