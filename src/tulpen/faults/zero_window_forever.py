"""zero-window-forever: a server that never reads."""

from __future__ import annotations

from tulpen.faults.fault import ERROR, Fault, Scene, Stage, Values
from tulpen.faults.window import ZeroWindow


def _stage(values: Values, scene: Scene) -> Stage:
    stage = Stage()
    stage.network = ZeroWindow(stage.tally, scene)
    return stage


FAULT = Fault(
    name="zero-window-forever",
    summary="The server's window is zero and stays so: the request can never be sent, every probe is acknowledged.",
    good="Time the sending too; the kernel probes for as long as it is answered.",
    source="RFC 9293 §3.8.6.1",
    acceptable=ERROR,
    recipe=_stage,
)
