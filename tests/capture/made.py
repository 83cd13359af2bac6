"""Captures made by tulpen's own hosts in virtual time, with the truth from their traces."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.sim.pair import CLIENT, SERVER, Pair, short
from tulpen.capture.policy import Policy
from tulpen.capture.reading import Reading, read
from tulpen.sim.application import Conversation
from tulpen.sim.capture import Capture
from tulpen.tcp.state import State
from tulpen.tcp.trace import Moved

EPOCH = 1_700_000_000_000_000_000
FOREVER = 10_000_000_000_000


class Made:
    """A client and a server, a capture at each of them, and what really happened."""

    def __init__(
        self,
        folder: Path,
        conversation: Conversation,
        make: Callable[[], Conversation],
        *,
        there: Callable[..., Any] = short,
        back: Callable[..., Any] = short,
        seed: int = 1,
        ipv6: bool = False,
        **settings: Any,
    ) -> None:
        self.folder = folder
        self.pair = Pair(conversation, make, there=there, back=back, seed=seed, trace=True, ipv6=ipv6, **settings)
        world = self.pair.world
        self.files = {each.name: folder / f"{each.name}.pcapng" for each in world.interfaces}
        self.captures = [Capture(each, self.files[each.name], epoch=EPOCH) for each in world.interfaces]
        world.taps += self.captures

    def run(self, until: int | None = FOREVER) -> Made:
        self.pair.run(until)
        for capture in self.captures:
            capture.close()
        return self

    def truth(self, end: str) -> list[str]:
        """Every state that one end went through, as its own trace has it."""
        station = self.pair.client_station if end == "client" else self.pair.server_station
        records = station.host.stack.records
        assert records is not None
        return [record.after.title for _, record in records if isinstance(record, Moved)]

    def read(self, where: str = "client", policy: Policy | None = None) -> Reading:
        return read(self.files[where], policy=policy, ladders=None)


def path(told: str) -> list[str]:
    """The states of a path as the table has it, however they are known."""
    return [state.rstrip("?") for state in told.split(" > ")] if told else []


__all__ = ["CLIENT", "SERVER", "Made", "State", "path"]
