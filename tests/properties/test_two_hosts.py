"""Two hosts in virtual time, several connections, a network of every vice: all of it arrives, nothing stays behind."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.properties.ends import patient
from tulpen.sim.application import Client, Server, Together
from tulpen.sim.chance import Chance
from tulpen.sim.conversations import Echo, Sink, Source
from tulpen.sim.filters import Chain, Corruption, Delay, Duplication, Filter, Jitter, Loss, Reordering
from tulpen.sim.mtu import Mtu
from tulpen.sim.rate import Rate
from tulpen.sim.world import World

MS = 1_000_000
SECOND = 1_000_000_000


@dataclass(frozen=True)
class Weather:
    """How bad the network is."""

    delay: int
    jitter: int
    loss: float
    copies: float
    reorder: float
    damage: float
    rate: int
    queue: int
    mtu: int

    def path(self, chance: Chance) -> Filter:
        return Chain(
            Mtu(self.mtu),
            Rate(self.rate, packets=self.queue),
            Delay(self.delay),
            Loss(chance.split("loss"), self.loss),
            Duplication(chance.split("copies"), self.copies, 300 * MS),
            Reordering(chance.split("reorder"), self.reorder, 30 * MS),
            Corruption(chance.split("damage"), self.damage),
            Jitter(chance.split("jitter"), self.jitter, overtaking=True),
        )


WEATHER = st.builds(
    Weather,
    delay=st.sampled_from([0, MS, 40 * MS, 600 * MS]),
    jitter=st.sampled_from([0, MS, 100 * MS]),
    loss=st.sampled_from([0, 0.01, 0.1, 0.3]),
    copies=st.sampled_from([0, 0.02, 0.3]),
    reorder=st.sampled_from([0, 0.02, 0.3]),
    damage=st.sampled_from([0, 0.02, 0.2]),
    rate=st.sampled_from([64_000, 2_000_000, 1_000_000_000]),
    queue=st.sampled_from([2, 20, 200]),
    mtu=st.sampled_from([1500, 1500, 1280, 600]),
)
SIZES = st.lists(st.sampled_from([0, 1, 1000, 20_000]), min_size=1, max_size=3)


def transfers_arrive(seed: int, there: Weather, back: Weather, sizes: list[int], echo: bool, encoded: bool) -> None:
    world = World(seed)
    chance = world.chance.split("path")
    sources = [Source(size, world.chance.split(f"source {i}")) for i, size in enumerate(sizes)]
    clients = [Client("10.0.0.2", 80, source, when=i * 50 * MS) for i, source in enumerate(sources)]
    server = Server(80, Echo if echo else Sink)
    a = world.station(
        "a", "10.0.0.1", runs=Together(*clients), settings=patient(), encoded=encoded, out=there.path(chance.split("a"))
    )
    b = world.station(
        "b", "10.0.0.2", runs=server, settings=patient(), encoded=encoded, out=back.path(chance.split("b"))
    )
    world.run(until=24 * 3600 * SECOND)
    assert [(source.closed, source.error) for source in sources] == [(True, 0)] * len(sizes)
    sent = sorted(source.sent.digest for source in sources)
    assert sorted(c.received.digest for c in server.conversations if isinstance(c, (Echo, Sink))) == sent
    if echo:
        assert [source.received.digest for source in sources] == [source.sent.digest for source in sources]
    for station in (a, b):
        assert list(station.host.sockets()) == []
        assert len(station.host.time_wait) == 0
    assert world.next_deadline() is None


quick = settings(max_examples=200, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
deep = settings(max_examples=1500, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@quick
@given(st.integers(0, 2**32), WEATHER, WEATHER, SIZES, st.booleans(), st.booleans())
def test_transfers_arrive(
    seed: int, there: Weather, back: Weather, sizes: list[int], echo: bool, encoded: bool
) -> None:
    transfers_arrive(seed, there, back, sizes, echo, encoded)


@pytest.mark.slow
@deep
@given(st.integers(0, 2**32), WEATHER, WEATHER, SIZES, st.booleans(), st.booleans())
def test_transfers_arrive_deeper(
    seed: int, there: Weather, back: Weather, sizes: list[int], echo: bool, encoded: bool
) -> None:
    transfers_arrive(seed, there, back, sizes, echo, encoded)
