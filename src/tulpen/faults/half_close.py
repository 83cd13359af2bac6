"""half-close: the server has closed its direction and hears on."""

from __future__ import annotations

from tulpen.faults.conduct import Moment, When
from tulpen.faults.fault import OK_OR_ERROR, TIMES, Fault, Scene, Stage, Values
from tulpen.faults.session import Session


def _stage(values: Values, scene: Scene) -> Stage:
    stage = Stage()

    stage.conduct = lambda: When(Moment.ANSWERED, Session.end_of_answers)
    return stage


FAULT = Fault(
    name="half-close",
    summary="After its first answer the server closes its direction alone: it hears more requests, and answers none.",
    good="Treat the end of the stream as the end of the connection: close it, and ask again on a new one.",
    source="RFC 9293 §3.6.1",
    acceptable=OK_OR_ERROR,
    recipe=_stage,
    parameters=(TIMES,),
    requests=2,
    pause=0.3,
)
