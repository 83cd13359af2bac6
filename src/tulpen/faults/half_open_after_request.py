"""half-open-after-request: the request arrives, the server's host loses power."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tulpen.faults.conduct import Conduct
from tulpen.faults.fault import ERROR, TIMES, Fault, Scene, Stage, Values

if TYPE_CHECKING:
    from tulpen.faults.session import Session
    from tulpen.faults.tally import Tally


class _Acknowledges(Conduct):
    """Says nothing, and is gone as soon as the request has been acknowledged."""

    __slots__ = ("_gone", "_tally")

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._gone: int | None = None

    def asked(self, session: Session, now: int) -> None:
        self._tally.mark()
        session.mute(now)
        self._gone = now + GRACE

    def deadline(self) -> int | None:
        return self._gone

    def woken(self, session: Session, now: int) -> None:
        if self._gone is not None and now >= self._gone:
            session.vanish(now)


GRACE = 300_000_000  # longer than any delayed ACK takes


def _stage(values: Values, scene: Scene) -> Stage:
    stage = Stage()
    stage.conduct = lambda: _Acknowledges(stage.tally)
    return stage


FAULT = Fault(
    name="half-open-after-request",
    summary="The server acknowledges the request and is gone without a word: nothing is left to retransmit.",
    good="Give up after a timeout of its own, or notice by keep-alives; TCP alone waits for ever.",
    source="RFC 9293 §3.8.4",
    acceptable=ERROR,
    recipe=_stage,
    parameters=(TIMES,),
)
