"""idle-gone-silent: a firewall forgets a pooled connection and drops what comes of it."""

from __future__ import annotations

from tulpen.faults.conduct import Moment, When
from tulpen.faults.fault import OK_OR_ERROR, Fault, Parameter, Scene, Stage, Values
from tulpen.faults.session import Session


def _stage(values: Values, scene: Scene) -> Stage:
    stage = Stage()
    stage.conduct = lambda: When(Moment.IDLE, Session.vanish, int(values["answers"]), marks=False)
    return stage


FAULT = Fault(
    name="idle-gone-silent",
    summary="A pooled connection is gone without a word after {answers} answer(s); a new one works.",
    good="Time the next request out and ask again on a new connection; or never reuse what was idle for long.",
    source="RFC 9293 §3.8.4",
    acceptable=OK_OR_ERROR,
    recipe=_stage,
    parameters=(Parameter("answers", 1, "answers that a connection gives"),),
    requests=2,
    pause=0.3,
)
