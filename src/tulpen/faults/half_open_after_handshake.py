"""half-open-after-handshake: the server's host loses power before the request."""

from __future__ import annotations

from tulpen.faults.conduct import Moment, When
from tulpen.faults.fault import ERROR, TIMES, Fault, Scene, Stage, Values
from tulpen.faults.session import Session


def _stage(values: Values, scene: Scene) -> Stage:
    stage = Stage()
    stage.conduct = lambda: When(Moment.OPENED, Session.vanish)
    return stage


FAULT = Fault(
    name="half-open-after-handshake",
    summary="The server is gone without a word once the handshake is done: the request is never acknowledged.",
    good="Give up after a timeout of its own; the kernel retransmits for a quarter of an hour.",
    source="RFC 9293 §3.5.1",
    acceptable=ERROR,
    recipe=_stage,
    parameters=(TIMES,),
)
