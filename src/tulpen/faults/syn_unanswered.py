"""syn-unanswered: a dead address, or a firewall that drops."""

from __future__ import annotations

from tulpen.faults.fault import ERROR, Fault, Scene, Stage, Values
from tulpen.faults.tally import Counted
from tulpen.sim.filters import Only, drop, flags
from tulpen.wire.segment import ACK, SYN


def _stage(values: Values, scene: Scene) -> Stage:
    stage = Stage()
    stage.network = Counted(stage.tally, Only(flags(SYN, lacking=ACK), drop))
    return stage


FAULT = Fault(
    name="syn-unanswered",
    summary="Every SYN is lost: the server is switched off, or a firewall drops.",
    good="Give up connecting after a timeout of its own, and say so; the kernel's is two minutes.",
    source="RFC 9293 §3.8.3",
    acceptable=ERROR,
    recipe=_stage,
)
