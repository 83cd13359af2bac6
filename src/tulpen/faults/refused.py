"""refused: nobody listens."""

from __future__ import annotations

from tulpen.faults.fault import ERROR, Fault, Scene, Stage, Values
from tulpen.faults.tally import Seen
from tulpen.sim.filters import flags
from tulpen.wire.segment import RST


def _stage(values: Values, scene: Scene) -> Stage:
    stage = Stage(listens=False)
    stage.network = Seen(stage.tally, flags(RST))
    return stage


FAULT = Fault(
    name="refused",
    summary="Nobody listens on the port: the SYN is answered with a RST.",
    good="Report that the connection was refused, at once.",
    source="RFC 9293 §3.5.2",
    acceptable=ERROR,
    recipe=_stage,
)
