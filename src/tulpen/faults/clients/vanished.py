"""vanished: clients that lose power."""

from __future__ import annotations

from tulpen.faults.bad_client import COUNT, RATE, BadClient, Target, Values
from tulpen.faults.crowd import Crowd, CrowdVisit, Guest
from tulpen.faults.gate import silent
from tulpen.faults.tally import Tally

AFTER = 100_000_000


class _Vanishes(Guest):
    """Says half of what it has to say; a moment later nothing of it is there any more."""

    __slots__ = ()

    def connected(self, now: int) -> None:
        self.say(self.target.question[: len(self.target.question) // 2], now)
        self.due = now + AFTER

    def act(self, now: int) -> None:
        self.target.gate.set(self.socket.name, silent(Tally()))

    def leave(self, now: int) -> None:
        """It has long left."""


def _visit(values: Values, target: Target) -> CrowdVisit:
    return CrowdVisit(Crowd(target, _Vanishes, values))


CLIENT = BadClient(
    name="vanished",
    summary="{clients} clients are gone without a word in the middle of their request.",
    good="Answer the others; close what has been silent for too long, or let keep-alives find out.",
    source="RFC 9293 §3.8.4",
    recipe=_visit,
    parameters=(COUNT, RATE),
)
