"""fin-and-never-close: clients that end their side in the middle of a request, and wait."""

from __future__ import annotations

from tulpen.faults.bad_client import COUNT, RATE, BadClient, Target, Values
from tulpen.faults.crowd import Crowd, CrowdVisit, Guest
from tulpen.faults.fault import Parameter
from tulpen.host.socket import Socket


class _HalfCloses(Guest):
    """Says a part of its request and sends its FIN; then it is the server's turn to close."""

    __slots__ = ("_part",)

    def __init__(self, socket: Socket, target: Target, part: float) -> None:
        super().__init__(socket, target)
        self._part = part

    def connected(self, now: int) -> None:
        question = self.target.question
        self.say(question[: int(len(question) * self._part)], now)
        self.socket.shutdown(now)

    def leave(self, now: int) -> None:
        """It stays until the server closes."""


def _visit(values: Values, target: Target) -> CrowdVisit:
    part = min(1.0, values["part"])
    return CrowdVisit(Crowd(target, lambda socket, where: _HalfCloses(socket, where, part), values))


CLIENT = BadClient(
    name="fin-and-never-close",
    summary="{clients} clients send {part} of a request and their FIN, and wait for the server to close.",
    good="Read the end of the stream and close: what is left in CLOSE-WAIT stays until the process ends.",
    source="RFC 9293 §3.6",
    recipe=_visit,
    parameters=(COUNT, RATE, Parameter("part", 0.5, "how much of the request is sent, 0 to 1")),
)
