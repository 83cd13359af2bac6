"""rst-wrong-seq: somebody off the path forges RSTs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tulpen.faults.fault import OK, Fault, Scene, Stage, Values
from tulpen.sim.rewrite import carrying
from tulpen.wire.segment import RST, SYN, Segment

if TYPE_CHECKING:
    from tulpen.faults.tally import Tally
    from tulpen.sim.filters import Passed
    from tulpen.wire.ip import Packet

FAR = 0x4000_0000  # no window reaches so far
NEAR = 100  # in the window, and not what is expected next


class _Forger:
    """Puts two RSTs in front of the first segment of the answer: one outside the window, one inside."""

    def __init__(self, tally: Tally, scene: Scene) -> None:
        self._tally = tally
        self._scene = scene
        self._done: set[int] = set()

    def __call__(self, packet: Packet, now: int) -> Passed:
        seg = packet.payload
        if not (isinstance(seg, Segment) and len(seg.data) and self._scene.from_server(packet)):
            return [(0, packet)]
        if seg.dport in self._done or seg.flags & SYN:
            return [(0, packet)]
        self._done.add(seg.dport)
        self._tally.mark()
        forged = [_rst(packet, seg, distance) for distance in (FAR, NEAR)]
        return [*((0, each) for each in forged), (0, packet)]


def _rst(packet: Packet, seg: Segment, distance: int) -> Packet:
    rst = Segment(seg.seq + distance & 0xFFFF_FFFF, 0, RST, sport=seg.sport, dport=seg.dport)
    return carrying(packet, rst)


def _stage(values: Values, scene: Scene) -> Stage:
    stage = Stage()
    stage.network = _Forger(stage.tally, scene)
    return stage


FAULT = Fault(
    name="rst-wrong-seq",
    summary="Two forged RSTs arrive, one outside the window, one inside it: the kernel must let neither through.",
    good="Notice nothing.",
    source="RFC 5961 §3.2",
    acceptable=OK,
    recipe=_stage,
)
