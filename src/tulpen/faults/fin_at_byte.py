"""fin-at-byte: an orderly close in the middle of the answer."""

from __future__ import annotations

from tulpen.faults.conduct import Moment, When
from tulpen.faults.fault import ERROR, TIMES, Fault, Parameter, Scene, Stage, Values
from tulpen.faults.session import Session


def _stage(values: Values, scene: Scene) -> Stage:
    stage = Stage()
    stage.conduct = lambda: When(Moment.SAID, Session.close, int(values["bytes"]))
    return stage


FAULT = Fault(
    name="fin-at-byte",
    summary="The server closes in good order after {bytes} bytes of its answer.",
    good="Compare what came with what was announced, and report that it is too short; TCP sees no error here.",
    source="RFC 9293 §3.6",
    acceptable=ERROR,
    recipe=_stage,
    parameters=(Parameter("bytes", 5000, "bytes of the answer that arrive"), TIMES),
)
