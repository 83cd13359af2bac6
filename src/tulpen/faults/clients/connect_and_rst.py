"""connect-and-rst: a storm of connections that are reset at once."""

from __future__ import annotations

from tulpen.faults.bad_client import RATE, BadClient, Target, Values
from tulpen.faults.crowd import Crowd, CrowdVisit, Guest


class _Resets(Guest):
    __slots__ = ()

    def connected(self, now: int) -> None:
        self.socket.abort(now)


def _visit(values: Values, target: Target) -> CrowdVisit:
    return CrowdVisit(Crowd(target, _Resets, values, endless=True))


CLIENT = BadClient(
    name="connect-and-rst",
    summary="{rate} clients a second connect and reset at once: accept() gives what is dead already.",
    good="Answer the others; a connection that fails on its first read is no reason to stop.",
    source="RFC 9293 §3.5.3",
    recipe=_visit,
    parameters=(RATE,),
)
