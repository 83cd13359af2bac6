"""corrupted-checksums: packets arrive damaged."""

from __future__ import annotations

from tulpen.faults.fault import OK, Fault, Parameter, Scene, Stage, Values
from tulpen.faults.tally import Counted
from tulpen.sim.filters import Corruption


def _stage(values: Values, scene: Scene) -> Stage:
    stage = Stage()
    stage.network = Counted(stage.tally, Corruption(scene.chance, values["rate"]))
    return stage


FAULT = Fault(
    name="corrupted-checksums",
    summary="A bit of each packet is flipped with probability {rate}: its checksum is wrong, and it must not be used.",
    good="Be slower, and notice nothing else.",
    source="RFC 9293 §3.1 MUST-3",
    acceptable=OK,
    recipe=_stage,
    parameters=(Parameter("rate", 0.1, "probability of damage"),),
)
