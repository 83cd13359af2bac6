"""Conversations of two real engines in virtual time, and their ladders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tulpen.host.host import Host
from tulpen.show.ladder_trace import Witness, ladder_from_trace, records_of
from tulpen.sim.application import Client, Server
from tulpen.sim.filters import Chain, Delay, Filter, clear
from tulpen.sim.station import Station
from tulpen.sim.world import World
from tulpen.tcp.config import Settings
from tulpen.tcp.trace import FourTuple
from tulpen.wire.address import address

if TYPE_CHECKING:
    from collections.abc import Callable

    from tulpen.show.ladder import Ladder
    from tulpen.sim.application import Conversation
    from tulpen.tcp.trace import Record

A: Final = address("10.0.0.1")
B: Final = address("10.0.0.2")
MS: Final = 1_000_000


class Conversed:
    """What both ends wrote down."""

    def __init__(self, client: list[Record], server: list[Record]) -> None:
        self.client = client
        self.server = server

    @property
    def ladder(self) -> Ladder:
        """From both."""
        return ladder_from_trace(Witness("client", self.client), Witness("server", self.server))

    @property
    def of_client(self) -> Ladder:
        """From the client's alone."""
        return ladder_from_trace(Witness("client", self.client), Witness("server"))

    @property
    def of_server(self) -> Ladder:
        """From the server's alone."""
        return ladder_from_trace(Witness("client"), Witness("server", self.server))


def converse(
    client: Conversation,
    server: Callable[[], Conversation],
    *,
    out: Filter = clear,
    into: Filter = clear,
    delay: int = 10 * MS,
    port: int = 80,
    until: int | None = None,
    settings: Settings | None = None,
) -> Conversed:
    """Let a client talk to a server listening on port 80; ``out`` and ``into`` are the client's path."""
    world = World(1)
    a = Host([A], secret=b"a" * 16, trace=True)
    b = Host([B], settings=settings, secret=b"b" * 16, trace=True)
    station = Station(a, Client(B, port, client))
    world.add("a", station, A, out=Chain(out, Delay(delay)), into=Chain(into, Delay(delay)))
    world.add("b", Station(b, Server(80, server)), B)
    world.run(until)
    assert a.stack.records is not None
    assert b.stack.records is not None
    name = next(name for name, _ in a.stack.records if name is not None)
    turned = FourTuple(name.remote, name.remote_port, name.local, name.local_port)
    return Conversed(records_of(a.stack.records, name), records_of(b.stack.records, turned))
