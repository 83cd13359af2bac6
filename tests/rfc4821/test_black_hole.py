"""A path that swallows large packets and says nothing (RFC 2923): probing gets through, and nothing else does."""

from __future__ import annotations

import errno
from typing import Any

import pytest

from tests.sim.pair import MS, SECOND, Pair, both
from tulpen.sim.conversations import Sink, Source
from tulpen.sim.filters import Delay
from tulpen.sim.mtu import Mtu


def transfer(octets: int, mtu: int, *, ipv6: bool = False, **settings: Any) -> tuple[Source, Pair]:
    hole = both(lambda c: Delay(10 * MS), lambda c: Mtu(mtu, icmp=False))
    source = Source(octets)
    return source, Pair(source, Sink, there=hole, ipv6=ipv6, **settings).run()


@pytest.mark.parametrize("ipv6", [False, True], ids=["IPv4", "IPv6"])
@pytest.mark.parametrize("mtu", [1450, 1300])
@pytest.mark.parametrize("probing", [1, 2])
def test_probing_finds_what_fits(probing: int, mtu: int, ipv6: bool) -> None:
    source, pair = transfer(2_000_000, mtu, ipv6=ipv6, tcp_mtu_probing=probing)
    assert pair.served.received.digest == source.sent.digest
    assert (source.error, pair.served.error) == (0, 0)
    assert pair.counter("TCPMTUPSuccess")
    assert pair.counter("TCPMTUPFail")
    assert pair.counter("TCPTimeouts") <= (5 if probing == 1 else 0)


@pytest.mark.parametrize("probing", [1, 2])
def test_below_the_base_size_too(probing: int) -> None:
    source, pair = transfer(200_000, 400, tcp_mtu_probing=probing)
    assert pair.served.received.digest == source.sent.digest
    assert pair.world.now < 400 * SECOND


def test_nothing_gets_through_without() -> None:
    source, pair = transfer(200_000, 1300)
    assert source.error == errno.ETIMEDOUT
    assert pair.served.received.octets == 0


@pytest.mark.parametrize("probing", [1, 2])
def test_where_nothing_is_swallowed_nothing_is_lost(probing: int) -> None:
    source, pair = transfer(2_000_000, 1500, tcp_mtu_probing=probing)
    assert pair.served.received.digest == source.sent.digest
    assert pair.counter("RetransSegs") == 0
