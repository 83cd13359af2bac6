"""duplication: packets arrive twice."""

from __future__ import annotations

from tulpen.faults.fault import OK, SECOND, Fault, Parameter, Scene, Stage, Values
from tulpen.faults.tally import Counted
from tulpen.sim.filters import Duplication


def _stage(values: Values, scene: Scene) -> Stage:
    stage = Stage()
    gap = int(values["seconds"] * SECOND)
    stage.network = Counted(stage.tally, Duplication(scene.chance, values["rate"], gap))
    return stage


FAULT = Fault(
    name="duplication",
    summary="Each packet comes a second time with probability {rate}, up to {seconds} s later.",
    good="Notice nothing.",
    source="RFC 9293 §3.4",
    acceptable=OK,
    recipe=_stage,
    parameters=(
        Parameter("rate", 0.5, "probability of a second copy"),
        Parameter("seconds", 0.05, "how late at most"),
    ),
)
