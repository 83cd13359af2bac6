"""byte-at-a-time: requests that take for ever."""

from __future__ import annotations

from tulpen.faults.bad_client import COUNT, RATE, BadClient, Target, Values
from tulpen.faults.crowd import Crowd, CrowdVisit, Guest
from tulpen.faults.fault import SECOND, Parameter
from tulpen.host.socket import Socket


class _Drips(Guest):
    """Says one octet, pauses, says the next."""

    __slots__ = ("_pause", "_said")

    def __init__(self, socket: Socket, target: Target, pause: int) -> None:
        super().__init__(socket, target)
        self._pause = pause
        self._said = 0

    def connected(self, now: int) -> None:
        self.act(now)

    def act(self, now: int) -> None:
        question = self.target.question
        self.say(question[self._said : self._said + 1], now)
        self._said += 1
        if self._said < len(question):
            self.due = now + self._pause


def _visit(values: Values, target: Target) -> CrowdVisit:
    pause = int(values["seconds"] * SECOND)
    return CrowdVisit(Crowd(target, lambda socket, where: _Drips(socket, where, pause), values))


CLIENT = BadClient(
    name="byte-at-a-time",
    summary="{clients} clients send their request one byte every {seconds} s.",
    good="Answer the others; give a request a time in which it has to be complete.",
    source="RFC 9293 §3.9.1.3",
    recipe=_visit,
    parameters=(COUNT, RATE, Parameter("seconds", 0.2, "time between two bytes")),
)
