"""loss: packets get lost."""

from __future__ import annotations

from tulpen.faults.fault import OK, Fault, Parameter, Scene, Stage, Values
from tulpen.faults.tally import Counted
from tulpen.sim.filters import Loss


def _stage(values: Values, scene: Scene) -> Stage:
    stage = Stage()
    stage.network = Counted(stage.tally, Loss(scene.chance, values["rate"]))
    return stage


FAULT = Fault(
    name="loss",
    summary="Each packet is lost with probability {rate}, both ways.",
    good="Be slower, and notice nothing else.",
    source="RFC 9293 §3.8.1",
    acceptable=OK,
    recipe=_stage,
    parameters=(Parameter("rate", 0.1, "probability of a loss"),),
)
