"""A path that loses what it is told to, so that two runs lose the same."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from tulpen.wire.segment import Segment

if TYPE_CHECKING:
    from tulpen.sim.filters import Passed
    from tulpen.wire.ip import Packet


class Holes:
    """Loses certain segments, each once."""

    def __init__(self, which: Iterable[int]) -> None:
        self._which = set(which)
        self._seen = 0
        self._highest: int | None = None

    def __call__(self, packet: Packet, now: int) -> Passed:
        seg = packet.payload
        if isinstance(seg, Segment) and seg.data and (self._highest is None or seg.seq > self._highest):
            self._highest = seg.seq
            self._seen += 1
            if self._seen in self._which:
                return []
        return [(0, packet)]
