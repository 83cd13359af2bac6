"""Whole hosts in virtual time."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from tests.sim.pair import MS, SECOND, Pair, Recorder, both, short
from tulpen.sim.application import Client, Server
from tulpen.sim.capture import Capture
from tulpen.sim.conversations import Echo, Requester, Responder, Sink, Source
from tulpen.sim.filters import Chain, Corruption, Cut, Delay, Duplication, Jitter, Loss, Reordering
from tulpen.sim.mtu import Mtu
from tulpen.sim.nat import Nat, Unknown
from tulpen.sim.network import Interface
from tulpen.sim.rate import Rate
from tulpen.sim.world import World
from tulpen.tcp.state import CLOSED
from tulpen.wire.address import address

HOSTILE = both(
    lambda c: Rate(20_000_000, packets=50),
    lambda c: Delay(5 * MS),
    lambda c: Loss(c, 0.02),
    lambda c: Duplication(c, 0.02, gap=20 * MS),
    lambda c: Reordering(c, 0.05, 10 * MS),
    lambda c: Jitter(c, 3 * MS, overtaking=True),
)


def test_an_hour_of_one_connection_takes_no_more_than_its_events() -> None:
    requester = Requester(3600, pause=SECOND)
    pair = Pair(requester, Responder).run()
    assert requester.responses == 3600
    assert pair.world.now > 3600 * SECOND


def test_a_thousand_idle_hours_cost_nothing() -> None:
    requester = Requester(2, pause=1000 * 3600 * SECOND)
    pair = Pair(requester, Responder, so_keepalive=False).run()
    assert (requester.responses, requester.error) == (2, 0)
    assert pair.world.now > 1000 * 3600 * SECOND


@pytest.mark.parametrize("ipv6", [False, True], ids=["IPv4", "IPv6"])
@pytest.mark.parametrize("octets", [0, 1, 1460, 100_000, 2_000_000])
def test_a_transfer_arrives_whole(octets: int, ipv6: bool) -> None:
    source = Source(octets)
    pair = Pair(source, Sink, ipv6=ipv6).run()
    assert pair.served.received.octets == octets
    assert pair.served.received.digest == source.sent.digest
    assert (source.closed, source.error, pair.served.error) == (True, 0, 0)
    assert not list(pair.client_station.host.sockets())
    assert not list(pair.server_station.host.sockets())


@pytest.mark.parametrize("seed", range(5))
def test_a_hostile_network_delays_and_loses_nothing(seed: int) -> None:
    source = Source(300_000)
    pair = Pair(source, Echo, there=HOSTILE, back=HOSTILE, seed=seed).run()
    assert source.received.octets == 300_000
    assert source.received.digest == source.sent.digest
    assert (source.error, pair.served.error) == (0, 0)
    assert pair.counter("RetransSegs") > 0


def test_damaged_packets_are_not_taken_whether_as_values_or_as_octets() -> None:
    def corrupted(encoded: bool) -> tuple[int, int]:
        path = both(lambda c: Delay(10 * MS), lambda c: Corruption(c, 0.1))
        source = Source(200_000)
        pair = Pair(source, Sink, there=path, back=path, encoded=encoded).run()
        assert pair.served.received.digest == source.sent.digest
        return pair.world.now, pair.counter("InCsumErrors")

    assert corrupted(encoded=False) == corrupted(encoded=True)
    assert corrupted(encoded=True)[1] > 5


def test_a_seed_replays_a_run_byte_for_byte() -> None:
    def run(seed: int) -> list[tuple[int, str, bool, bytes]]:
        pair = Pair(Source(50_000), Echo, there=HOSTILE, back=HOSTILE, seed=seed)
        recorder = Recorder()
        pair.world.taps.append(recorder)
        pair.run()
        return recorder.seen

    assert run(1) == run(1)
    assert run(1) != run(2)


def test_a_link_that_is_cut_for_a_while_is_survived() -> None:
    source = Source(1_000_000)
    cut = both(lambda c: Delay(10 * MS), lambda c: Cut(100 * MS, 60 * SECOND))
    pair = Pair(source, Sink, there=cut, back=cut).run()
    assert pair.served.received.octets == 1_000_000
    assert pair.world.now > 60 * SECOND


def test_a_link_that_is_cut_for_good_is_given_up() -> None:
    source = Source(1_000_000)
    cut = both(lambda c: Delay(10 * MS), lambda c: Cut(100 * MS))
    Pair(source, Sink, there=cut).run()
    assert source.error == errno.ETIMEDOUT
    assert source.socket.state is CLOSED


def test_nobody_listens() -> None:
    world = World()
    source = Source(1)
    world.station("client", "10.0.0.1", runs=Client("10.0.0.2", 81, source))
    world.station("server", "10.0.0.2", runs=Server(80, Sink))
    world.run()
    assert (source.closed, source.error) == (True, errno.ECONNREFUSED)


def test_path_mtu_discovery() -> None:
    narrow = both(lambda c: Delay(10 * MS), lambda c: Mtu(1000))
    source = Source(200_000)
    pair = Pair(source, Sink, there=narrow)
    recorder = Recorder()
    pair.world.taps.append(recorder)
    pair.run()
    assert pair.served.received.digest == source.sent.digest
    arrived = [octets for _, name, outgoing, octets in recorder.seen if name == "server" and not outgoing]
    assert max(map(len, arrived)) == 1000
    assert pair.world.now < 70 * SECOND  # it did not wait for timeouts; 60 s are TIME-WAIT


def test_a_black_hole_swallows_what_is_too_large() -> None:
    hole = both(lambda c: Delay(10 * MS), lambda c: Mtu(1000, icmp=False))
    source = Source(200_000)
    pair = Pair(source, Sink, there=hole).run()
    assert source.error == errno.ETIMEDOUT
    assert pair.served.received.octets == 0


def test_an_idle_connection_that_the_nat_forgot() -> None:
    world = World()
    public = address("192.0.2.1")
    nat = Nat(public, timeout=300 * SECOND, unknown=Unknown.RESET)
    requester = Requester(3, pause=200 * SECOND)
    world.station("client", "192.168.0.2", runs=Client("10.0.0.2", 80, requester), out=Chain(Delay(MS), nat.outward))
    world.network.plug(Interface("nat", [public], into=nat.inward))
    world.station("server", "10.0.0.2", runs=Server(80, Responder))
    world.at(300 * SECOND, lambda now: nat.forget())
    world.run(1000 * SECOND)
    assert requester.responses == 2
    assert requester.error == errno.ECONNRESET


def test_two_hosts_behind_one_nat_talk_to_one_server() -> None:
    world = World()
    public = address("192.0.2.1")
    nat = Nat(public)
    server = Server(80, Sink)
    for i in (1, 2):
        client = Client("10.0.0.2", 80, Source(1000 * i))
        world.station(f"client {i}", f"192.168.0.{i}", runs=client, out=nat.outward)
    world.network.plug(Interface("nat", [public], into=nat.inward))
    world.station("server", "10.0.0.2", runs=server, out=Delay(MS))
    world.run()
    sinks = [c for c in server.conversations if isinstance(c, Sink)]
    assert sorted(sink.received.octets for sink in sinks) == [1000, 2000]
    assert {sink.socket.name.remote for sink in sinks} == {public}


def test_a_capture_is_what_tcpdump_would_write(tmp_path: Path) -> None:
    pair = Pair(Source(5000), Sink)
    (interface,) = [i for i in pair.world.interfaces if i.name == "client"]
    file = tmp_path / "run.pcapng"
    capture = Capture(interface, file)
    recorder = Recorder()
    pair.world.taps += [capture, recorder]
    pair.run()
    capture.close()
    octets = file.read_bytes()
    assert octets[:4] == b"\x0a\x0d\x0d\x0a"
    seen = [packet for _, name, _, packet in recorder.seen if name == "client"]
    assert len(seen) >= 8  # three to open, four of text, their ACK, and the end
    assert all(packet in octets for packet in seen)


def test_the_round_trip_is_what_the_path_makes_it() -> None:
    requester = Requester(1)
    Pair(requester, Responder, there=short, back=short).run(until=SECOND)
    assert requester.socket.status().rtt == 20 * MS
