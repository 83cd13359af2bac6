"""fin-never: an answer whose end is told by the FIN alone, and no FIN."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tulpen.faults.conduct import Conduct
from tulpen.faults.fault import OK_OR_ERROR, Fault, Scene, Stage, Values
from tulpen.faults.http import Framing

if TYPE_CHECKING:
    from tulpen.faults.session import Session
    from tulpen.faults.tally import Tally


class _StaysOpen(Conduct):
    """Never closes."""

    __slots__ = ("_tally",)

    def __init__(self, tally: Tally) -> None:
        self._tally = tally

    def finished(self, session: Session, now: int) -> None:
        self._tally.mark()


def _stage(values: Values, scene: Scene) -> Stage:
    stage = Stage(framing=Framing.UNTIL_CLOSE)
    stage.conduct = lambda: _StaysOpen(stage.tally)
    return stage


FAULT = Fault(
    name="fin-never",
    summary="The whole answer arrives, its end would be told by the server's FIN, and the FIN never comes.",
    good="Time the silence between two reads; without the FIN the answer cannot be known to be whole.",
    source="RFC 9293 §3.6",
    acceptable=OK_OR_ERROR,
    recipe=_stage,
)
