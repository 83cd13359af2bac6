"""no-options: a server under a SYN flood remembers nothing of the SYN."""

from __future__ import annotations

from tulpen.faults.fault import OK, Fault, Scene, Stage, Values
from tulpen.faults.tally import Seen
from tulpen.sim.filters import flags
from tulpen.wire.segment import ACK, SYN


def _stage(values: Values, scene: Scene) -> Stage:
    settings: dict[str, object] = {"tcp_syncookies": 2, "tcp_timestamps": 0}
    stage = Stage(settings=settings)
    stage.network = Seen(stage.tally, flags(SYN | ACK))
    return stage


FAULT = Fault(
    name="no-options",
    summary="The server answers with a SYN cookie: no window scaling, no SACK, no timestamps.",
    good="Notice nothing; a fast path over a long way is slower.",
    source="RFC 4987 §3.6",
    acceptable=OK,
    recipe=_stage,
)
