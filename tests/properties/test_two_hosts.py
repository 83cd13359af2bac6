"""Two hosts in virtual time, several connections, a network of every vice: all of it arrives, nothing stays behind."""

from __future__ import annotations

import errno
from dataclasses import dataclass
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.properties.ends import patient
from tulpen.sim.application import Application, Client, Server, Together
from tulpen.sim.chance import Chance
from tulpen.sim.conversations import Echo, Reader, Sink, Source
from tulpen.sim.filters import Chain, Corruption, Delay, Duplication, Filter, Jitter, Loss, Reordering
from tulpen.sim.mtu import Mtu
from tulpen.sim.rate import Rate
from tulpen.sim.station import Station
from tulpen.sim.world import World
from tulpen.tcp.congestion import ALGORITHMS

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


HOSTS = st.fixed_dictionaries({
    "tcp_syncookies": st.just(0),  # a cookie does not survive reordering: what comes before the ACK is refused
    "tcp_timestamps": st.sampled_from([0, 1, 2]),
    "tcp_sack": st.booleans(),
    "tcp_window_scaling": st.booleans(),
    "tcp_congestion_control": st.sampled_from(sorted(ALGORITHMS)),
    "tcp_rmem": st.sampled_from([(4096, 131_072, 6_291_456), (100, 3000, 3000)]),
})  # fmt: skip
Choices = dict[str, object]


@dataclass(frozen=True)
class Case:
    """One run."""

    seed: int
    there: Weather
    back: Weather
    client: Choices
    server: Choices
    sizes: list[int]
    backlog: int
    echo: bool
    encoded: bool
    gso_max: int


CASES = st.builds(
    Case,
    seed=st.integers(0, 2**32),
    there=WEATHER,
    back=WEATHER,
    client=HOSTS,
    server=HOSTS,
    sizes=SIZES,
    backlog=st.sampled_from([0, 1, 128]),
    echo=st.booleans(),
    encoded=st.booleans(),
    gso_max=st.sampled_from([0, 0, 5000, 65_000]),
)


def stations(
    world: World, case: Case, clients: Application, server: Server, **client: object
) -> tuple[Station, Station]:
    chance = world.chance.split("path")
    there, back = case.there.path(chance.split("a")), case.back.path(chance.split("b"))
    chosen = patient(**{**case.client, **client})
    a = world.station(
        "a", "10.0.0.1", runs=clients, settings=chosen, out=there, encoded=case.encoded, gso_max=case.gso_max
    )
    b = world.station(
        "b",
        "10.0.0.2",
        runs=server,
        settings=patient(**case.server),
        out=back,
        encoded=case.encoded,
        gso_max=case.gso_max,
    )
    return a, b


def transfers_arrive(case: Case) -> None:
    world = World(case.seed)
    sources = [Source(size, world.chance.split(f"source {i}")) for i, size in enumerate(case.sizes)]
    clients = [Client("10.0.0.2", 80, source, when=i * 50 * MS) for i, source in enumerate(sources)]
    server = Server(80, Echo if case.echo else Sink, backlog=case.backlog)
    a, b = stations(world, case, Together(*clients), server)
    world.run(until=24 * 3600 * SECOND)
    assert [(source.closed, source.error) for source in sources] == [(True, 0)] * len(sources)
    sent = sorted(source.sent.digest for source in sources)
    assert sorted(c.received.digest for c in server.conversations if isinstance(c, (Echo, Sink))) == sent
    if case.echo:
        assert [source.received.digest for source in sources] == [source.sent.digest for source in sources]
    for station in (a, b):
        assert list(station.host.sockets()) == []
        assert len(station.host.time_wait) == 0
    assert world.next_deadline() is None


quick = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
deep = settings(max_examples=1500, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@quick
@given(CASES)
def test_transfers_arrive(case: Case) -> None:
    transfers_arrive(case)


@pytest.mark.slow
@deep
@given(CASES)
def test_transfers_arrive_deeper(case: Case) -> None:
    transfers_arrive(case)


def incarnations_do_not_mix(case: Case, apart: int) -> None:
    """Every connection has the same two sockets as the one before; the client closes first, or the server does."""
    world = World(case.seed)
    made = (Source(case.sizes[i % len(case.sizes)], world.chance.split(f"source {i}")) for i in count())
    readers: list[Reader] = [next(made) if case.echo else Sink() for _ in range(8)]
    clients = [Client("10.0.0.2", 80, reader, when=i * apart) for i, reader in enumerate(readers)]
    server = Server(80, Echo if case.echo else lambda: next(made))
    one_port = {"ip_local_port_range": (40_000, 40_000), "tcp_tw_reuse": 1, "tcp_timestamps": 1}
    stations(world, case, Together(*clients), server, **one_port)
    world.run(until=24 * 3600 * SECOND)
    sent = [source.sent.digest for source in (*readers, *server.conversations) if isinstance(source, Source)]
    for reader in readers:
        assert reader.closed
        if reader.error != errno.EADDRNOTAVAIL:
            assert reader.error == 0
            assert reader.received.digest in sent
            sent.remove(reader.received.digest)


@quick
@given(CASES, st.sampled_from([SECOND, 5 * SECOND, 30 * SECOND, 700 * SECOND]))
def test_incarnations_do_not_mix(case: Case, apart: int) -> None:
    incarnations_do_not_mix(case, apart)


@pytest.mark.slow
@deep
@given(CASES, st.sampled_from([SECOND, 5 * SECOND, 30 * SECOND, 700 * SECOND]))
def test_incarnations_do_not_mix_deeper(case: Case, apart: int) -> None:
    incarnations_do_not_mix(case, apart)
