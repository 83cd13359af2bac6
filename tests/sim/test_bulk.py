"""A bulk transfer in virtual time, where a whole flight arrives in one instant."""

from __future__ import annotations

from tests.sim.packets import MS, SECOND
from tulpen.sim.application import Client, Server
from tulpen.sim.conversations import Sink, Source
from tulpen.sim.filters import Delay
from tulpen.sim.world import World

OCTETS = 6_000_000


def test_the_window_grows_although_each_flight_comes_at_once() -> None:
    world, sink = World(), Sink()
    world.station("server", "192.0.2.1", runs=Server(80, lambda: sink), out=Delay(50 * MS))
    world.station("client", "192.0.2.2", runs=Client("192.0.2.1", 80, Source(OCTETS)), out=Delay(50 * MS))
    world.run(60 * SECOND, unless=lambda: sink.ended)
    assert sink.received.octets == OCTETS
    assert world.now < 2 * SECOND  # of virtual time: ten round trips of slow start, and a few more
