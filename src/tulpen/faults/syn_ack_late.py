"""syn-ack-late: the handshake succeeds after seconds."""

from __future__ import annotations

from tulpen.faults.fault import OK_OR_ERROR, Fault, Parameter, Scene, Stage, Values
from tulpen.faults.tally import Counted
from tulpen.sim.filters import Only, drop, flags
from tulpen.wire.segment import ACK, SYN


def _stage(values: Values, scene: Scene) -> Stage:
    stage = Stage()
    stage.network = Counted(stage.tally, Only(flags(SYN, lacking=ACK), drop, times=int(values["n"])))
    return stage


FAULT = Fault(
    name="syn-ack-late",
    summary="The first {n} SYNs find no answer, the next one does: an overloaded server.",
    good="Wait (the kernel sends its SYN again every second at first), or give up after a timeout of its own.",
    source="RFC 6298 §5.7",
    acceptable=OK_OR_ERROR,
    recipe=_stage,
    parameters=(Parameter("n", 2, "SYNs that find no answer"),),
)
