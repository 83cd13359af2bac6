"""rst-after-response: all was said, and then the connection is reset."""

from __future__ import annotations

from tulpen.faults.conduct import Moment, When
from tulpen.faults.fault import OK_OR_ERROR, TIMES, Fault, Scene, Stage, Values
from tulpen.faults.session import Session


def _stage(values: Values, scene: Scene) -> Stage:
    stage = Stage()
    stage.conduct = lambda: When(Moment.ANSWERED, Session.reset)
    return stage


FAULT = Fault(
    name="rst-after-response",
    summary="The server resets the connection instead of closing it, once the whole answer has arrived.",
    good="Use the answer, which is complete; reading on to see the end of it meets the reset.",
    source="RFC 9293 §3.10.5",
    acceptable=OK_OR_ERROR,
    recipe=_stage,
    parameters=(TIMES,),
)
