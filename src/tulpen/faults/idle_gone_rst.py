"""idle-gone-rst: the server rebooted, or a NAT forgot, while a pooled connection was idle."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tulpen.faults.conduct import Moment, When
from tulpen.faults.fault import OK_OR_ERROR, Fault, Parameter, Scene, Stage, Values
from tulpen.faults.gate import forgotten

if TYPE_CHECKING:
    from tulpen.faults.session import Session


def _stage(values: Values, scene: Scene) -> Stage:
    stage = Stage()
    answers = int(values["answers"])

    def forget(session: Session, now: int) -> None:
        if session.service.asked > answers:  # the next request was faster: the RST must come from here
            stage.tally.mark()
            session.reset(now)
        else:
            session.leave(forgotten(stage.tally))

    stage.conduct = lambda: When(Moment.IDLE, forget, answers, marks=False)
    return stage


FAULT = Fault(
    name="idle-gone-rst",
    summary="A pooled connection is forgotten after {answers} answer(s): the next request on it meets a RST.",
    good="Ask again on a new connection, where the request may be repeated; else report the error.",
    source="RFC 9293 §3.5.1",
    acceptable=OK_OR_ERROR,
    recipe=_stage,
    parameters=(Parameter("answers", 1, "answers that a connection gives"),),
    requests=2,
    pause=0.3,
)
