"""The window that the server's host says it has, rewritten on its way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tulpen.sim.rewrite import carrying
from tulpen.wire.segment import RST, Segment

if TYPE_CHECKING:
    from tulpen.faults.fault import Scene
    from tulpen.faults.tally import Tally
    from tulpen.sim.filters import Passed
    from tulpen.wire.ip import Packet


class ZeroWindow:
    """A filter that makes the server's window zero, for ``duration`` nanoseconds from its first segment."""

    def __init__(self, tally: Tally, scene: Scene, duration: int | None = None) -> None:
        self._tally = tally
        self._scene = scene
        self._duration = duration
        self._until: int | None = None

    def __call__(self, packet: Packet, now: int) -> Passed:
        seg = packet.payload
        if not isinstance(seg, Segment) or not self._scene.from_server(packet) or seg.flags & RST:
            return [(0, packet)]
        if self._until is None and self._duration is not None:
            self._until = now + self._duration
        if self._until is not None and now >= self._until:
            return [(0, packet)]
        self._tally.mark()
        return [(0, carrying(packet, _closed(seg)))]


def _closed(seg: Segment) -> Segment:
    return Segment(
        seg.seq, seg.ack, seg.flags, 0, seg.data, seg.options,
        urg=seg.urg, sport=seg.sport, dport=seg.dport, gso_size=seg.gso_size, ecn=seg.ecn,
    )  # fmt: skip
