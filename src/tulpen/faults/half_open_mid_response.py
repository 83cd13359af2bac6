"""half-open-mid-response: the server's host loses power in the middle of its answer."""

from __future__ import annotations

from tulpen.faults.conduct import Moment, When
from tulpen.faults.fault import ERROR, TIMES, Fault, Parameter, Scene, Stage, Values
from tulpen.faults.session import Session


def _stage(values: Values, scene: Scene) -> Stage:
    stage = Stage()
    stage.conduct = lambda: When(Moment.SAID, Session.vanish, int(values["bytes"]))
    return stage


FAULT = Fault(
    name="half-open-mid-response",
    summary="The server is gone without a word after {bytes} bytes of its answer.",
    good="Time the silence between two reads, not only the wait for the first byte.",
    source="RFC 9293 §3.5.1",
    acceptable=ERROR,
    recipe=_stage,
    parameters=(Parameter("bytes", 5000, "bytes of the answer that arrive"), TIMES),
)
