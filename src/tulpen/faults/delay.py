"""delay: a long way."""

from __future__ import annotations

from tulpen.faults.fault import OK, SECOND, Fault, Parameter, Scene, Stage, Values
from tulpen.faults.tally import Counted
from tulpen.sim.filters import Delay


def _stage(values: Values, scene: Scene) -> Stage:
    stage = Stage()
    stage.network = Counted(stage.tally, Delay(int(values["seconds"] * SECOND)))
    return stage


FAULT = Fault(
    name="delay",
    summary="Every packet takes {seconds} s, either way.",
    good="Be slower; many short exchanges in a row are what hurts.",
    source="RFC 6298 §2",
    acceptable=OK,
    recipe=_stage,
    parameters=(Parameter("seconds", 0.2, "time under way"),),
)
