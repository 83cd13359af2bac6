"""close-race: the server closes an idle connection just as the next request sets out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tulpen.faults.conduct import Act, Moment, When
from tulpen.faults.fault import OK_OR_ERROR, Fault, Parameter, Scene, Stage, Values
from tulpen.faults.gate import Crossing

if TYPE_CHECKING:
    from tulpen.faults.session import Session


class _Races(When):
    """Closes when it learns that a request is under way."""

    __slots__ = ("_crossing",)

    def __init__(self, act: Act, answers: int, crossing: Crossing) -> None:
        super().__init__(Moment.IDLE, act, answers, marks=False)
        self._crossing = crossing

    def deadline(self) -> int | None:
        return 0 if self._crossing.under_way else None

    def woken(self, session: Session, now: int) -> None:
        if self._crossing.under_way and not session.over:
            session.close(now)


def _stage(values: Values, scene: Scene) -> Stage:
    stage = Stage()
    answers = int(values["answers"])

    def conduct() -> _Races:
        crossing = Crossing(stage.tally)

        def race(session: Session, now: int) -> None:
            if session.service.asked > answers:  # the next request was faster
                stage.tally.mark()
                session.close(now)
            else:
                session.gate(crossing)

        return _Races(race, answers, crossing)

    stage.conduct = conduct
    return stage


FAULT = Fault(
    name="close-race",
    summary="The server's FIN crosses the next request on a pooled connection, after {answers} answer(s).",
    good="Ask again on a new connection, where the request may be repeated: the server has not seen it.",
    source="RFC 9293 §3.6",
    acceptable=OK_OR_ERROR,
    recipe=_stage,
    parameters=(Parameter("answers", 1, "answers that a connection gives"),),
    requests=2,
    pause=0.3,
)
