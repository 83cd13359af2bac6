"""reordering: packets overtake each other."""

from __future__ import annotations

from tulpen.faults.fault import OK, SECOND, Fault, Parameter, Scene, Stage, Values
from tulpen.faults.tally import Counted
from tulpen.sim.filters import Reordering


def _stage(values: Values, scene: Scene) -> Stage:
    stage = Stage()
    held = int(values["seconds"] * SECOND)
    stage.network = Counted(stage.tally, Reordering(scene.chance, values["rate"], held))
    return stage


FAULT = Fault(
    name="reordering",
    summary="Each packet is held back for {seconds} s with probability {rate}: later ones overtake it.",
    good="Notice nothing.",
    source="RFC 9293 §3.4",
    acceptable=OK,
    recipe=_stage,
    parameters=(
        Parameter("rate", 0.25, "probability of being held back"),
        Parameter("seconds", 0.02, "how long"),
    ),
)
