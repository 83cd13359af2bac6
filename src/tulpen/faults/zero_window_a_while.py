"""zero-window-a-while: a server that is busy, and then reads."""

from __future__ import annotations

from tulpen.faults.fault import OK_OR_ERROR, SECOND, Fault, Parameter, Scene, Stage, Values
from tulpen.faults.window import ZeroWindow


def _stage(values: Values, scene: Scene) -> Stage:
    stage = Stage()
    stage.network = ZeroWindow(stage.tally, scene, int(values["seconds"] * SECOND))
    return stage


FAULT = Fault(
    name="zero-window-a-while",
    summary="The server's window is zero for {seconds} s; a probe of the kernel's then finds it open.",
    good="Wait, or give up after a timeout of its own.",
    source="RFC 9293 §3.8.6.1",
    acceptable=OK_OR_ERROR,
    recipe=_stage,
    parameters=(Parameter("seconds", 1.0, "how long the window is zero"),),
)
