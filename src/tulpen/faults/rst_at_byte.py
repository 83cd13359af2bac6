"""rst-at-byte: the connection is reset in the middle of the answer."""

from __future__ import annotations

from tulpen.faults.conduct import Moment, When
from tulpen.faults.fault import ERROR, TIMES, Fault, Parameter, Scene, Stage, Values
from tulpen.faults.session import Session


def _stage(values: Values, scene: Scene) -> Stage:
    stage = Stage()
    stage.conduct = lambda: When(Moment.SAID, Session.reset, int(values["bytes"]))
    return stage


FAULT = Fault(
    name="rst-at-byte",
    summary="The server resets the connection after {bytes} bytes of its answer.",
    good="Report the error; what came is not the whole answer.",
    source="RFC 9293 §3.5.3",
    acceptable=ERROR,
    recipe=_stage,
    parameters=(Parameter("bytes", 5000, "bytes of the answer that arrive"), TIMES),
)
