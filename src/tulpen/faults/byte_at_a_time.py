"""byte-at-a-time: the stream arrives in the smallest pieces there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tulpen.faults.conduct import Conduct
from tulpen.faults.fault import OK, SECOND, Fault, Parameter, Scene, Stage, Values

if TYPE_CHECKING:
    from tulpen.faults.session import Session
    from tulpen.faults.tally import Tally


class _Drips(Conduct):
    """Says one octet, pauses, says the next; the rest at once."""

    __slots__ = ("_next", "_octets", "_pause", "_said", "_tally")

    def __init__(self, tally: Tally, octets: int, pause: int) -> None:
        self._tally = tally
        self._octets = octets
        self._pause = pause
        self._said = -1
        self._next: int | None = None

    def allowance(self, session: Session, now: int) -> int | None:
        if session.said > self._octets:
            self._next = None
            return None
        if session.said != self._said:  # one more was said since
            self._said = session.said
            self._next = now + self._pause if session.said else None
            if session.said:
                self._tally.mark()
        if self._next is not None and now < self._next:
            return 0
        return 1 if session.said < self._octets else None

    def deadline(self) -> int | None:
        return self._next


def _stage(values: Values, scene: Scene) -> Stage:
    stage = Stage(options={"tcp_nodelay": True})
    stage.conduct = lambda: _Drips(stage.tally, int(values["bytes"]), int(values["seconds"] * SECOND))
    return stage


FAULT = Fault(
    name="byte-at-a-time",
    summary="The first {bytes} bytes of the answer arrive one at a time, {seconds} s apart.",
    good="Read on until it has what it needs: TCP carries a stream, and one read is no message.",
    source="RFC 9293 §3.9.1.3",
    acceptable=OK,
    recipe=_stage,
    parameters=(
        Parameter("bytes", 400, "bytes that arrive alone"),
        Parameter("seconds", 0.004, "time between two of them"),
    ),
)
