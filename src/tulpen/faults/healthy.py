"""healthy: the control, with which every other run is compared."""

from __future__ import annotations

from tulpen.faults.fault import OK, Fault, Scene, Stage, Values


def _stage(values: Values, scene: Scene) -> Stage:
    return Stage()


FAULT = Fault(
    name="healthy",
    summary="The control: nothing goes wrong.",
    good="Succeed.",
    source="RFC 9293 §3.3.2",
    acceptable=OK,
    recipe=_stage,
)
