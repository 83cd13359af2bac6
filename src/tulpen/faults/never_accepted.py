"""never-accepted: the TCP of a server whose program hangs still completes handshakes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tulpen.faults.fault import ERROR, Fault, Scene, Stage, Values
from tulpen.faults.tally import Seen
from tulpen.wire.segment import Segment

if TYPE_CHECKING:
    from tulpen.wire.ip import Packet


def _stage(values: Values, scene: Scene) -> Stage:
    def request(packet: Packet) -> bool:
        return isinstance(packet.payload, Segment) and len(packet.payload.data) > 0 and not scene.from_server(packet)

    stage = Stage(accepts=False)
    stage.network = Seen(stage.tally, request)
    return stage


FAULT = Fault(
    name="never-accepted",
    summary="The server's TCP accepts the connection and acknowledges the request; its program never does.",
    good="Time the answer, not only the connecting: a connection is no sign of a working server.",
    source="RFC 9293 §3.10.1",
    acceptable=ERROR,
    recipe=_stage,
)
