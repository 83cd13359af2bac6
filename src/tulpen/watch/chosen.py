"""Which connections are to be told."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from tulpen.tcp.state import State
    from tulpen.watch.ended import Ended
    from tulpen.watch.verdict import Ending, Verdict


class Chosen(NamedTuple):
    """What a connection must be to be told; an empty set chooses all."""

    ports: frozenset[int] = frozenset()  # at either end
    processes: frozenset[str] = frozenset()  # by name or number
    states: frozenset[State] = frozenset()  # that it went through
    endings: frozenset[Ending] = frozenset()

    def takes(self, ended: Ended) -> bool:
        """Whether this end, whose verdict is wanted, is to be told."""
        if self.ports and self.ports.isdisjoint((ended.name.local_port, ended.name.remote_port)):
            return False
        if self.processes:
            who = ended.who
            if who is None or self.processes.isdisjoint((who.command, str(who.pid))):
                return False
        return True

    def wants(self, verdict: Verdict) -> bool:
        """Whether an end with this verdict may be told."""
        if self.states and self.states.isdisjoint(standing.state for standing in verdict.path):
            return False
        return not self.endings or verdict.ending in self.endings
