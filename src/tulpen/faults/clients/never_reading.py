"""never-reading: clients that ask and don't take the answer."""

from __future__ import annotations

from tulpen.faults.bad_client import COUNT, RATE, BadClient, Target, Values
from tulpen.faults.crowd import Crowd, CrowdVisit, Guest
from tulpen.tcp.config import SocketOptions


class _Asks(Guest):
    """Asks many times, reads nothing, and resets when it leaves."""

    __slots__ = ()

    def connected(self, now: int) -> None:
        self.say(self.target.question * 20, now)

    def heard(self, now: int) -> None:
        """It does not listen."""

    def leave(self, now: int) -> None:
        self.socket.abort(now)


def _visit(values: Values, target: Target) -> CrowdVisit:
    return CrowdVisit(Crowd(target, _Asks, values, options=SocketOptions(so_rcvbuf=4096)))


CLIENT = BadClient(
    name="never-reading",
    summary="{clients} clients ask and never read the answer: their windows close; at the end they reset.",
    good="Answer the others; time the sending too, and drop who does not read.",
    source="RFC 9293 §3.8.6.1",
    recipe=_visit,
    parameters=(COUNT, RATE),
)
