"""rst-on-request: the server resets instead of answering."""

from __future__ import annotations

from tulpen.faults.conduct import Moment, When
from tulpen.faults.fault import ERROR, TIMES, Fault, Scene, Stage, Values
from tulpen.faults.session import Session


def _stage(values: Values, scene: Scene) -> Stage:
    stage = Stage()
    stage.conduct = lambda: When(Moment.ASKED, Session.reset)
    return stage


FAULT = Fault(
    name="rst-on-request",
    summary="The request is answered with a RST: the server's program died, or closed without reading.",
    good="Report the error, or ask again where the request may be repeated.",
    source="RFC 9293 §3.5.3",
    acceptable=ERROR,
    recipe=_stage,
    parameters=(TIMES,),
)
