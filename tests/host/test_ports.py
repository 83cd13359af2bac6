"""Who may hold a local port, and which one connect() gets (RFC 6056)."""

from __future__ import annotations

from errno import EADDRINUSE, EADDRNOTAVAIL

import pytest

from tulpen.host.ports import ANY, ANY_V4, ANY_V6, Claim, Ports, overlap
from tulpen.tcp.config import Settings
from tulpen.tcp.errors import TcpError

V4, OTHER_V4, V6 = b"\x0a\0\0\1", b"\x0a\0\0\2", b"\xfd" + bytes(14) + b"\1"
PEER = b"\x0a\0\0\x09"


def _ports(least: int = 32768, most: int = 60999) -> Ports:
    return Ports(Settings(ip_local_port_range=(least, most)), b"secret")


def _anything(port: int) -> bool:
    return True


@pytest.mark.parametrize(
    ("held", "asked", "fits"),
    [
        (Claim(V4, 80), Claim(V4, 81), True),
        (Claim(V4, 80), Claim(V4, 80), False),
        (Claim(V4, 80), Claim(OTHER_V4, 80), True),
        (Claim(V4, 80), Claim(ANY_V4, 80), False),
        (Claim(V4, 80), Claim(ANY, 80), False),
        (Claim(V6, 80), Claim(ANY_V4, 80), True),
        (Claim(V6, 80), Claim(ANY_V6, 80), False),
        (Claim(V6, 80), Claim(ANY, 80), False),
        (Claim(ANY_V4, 80), Claim(ANY_V6, 80), True),
        (Claim(ANY, 80), Claim(V4, 80), False),
        # SO_REUSEADDR: both must have it, and the holder must not listen
        (Claim(V4, 80, reuse=True), Claim(V4, 80), False),
        (Claim(V4, 80), Claim(V4, 80, reuse=True), False),
        (Claim(V4, 80, reuse=True), Claim(V4, 80, reuse=True), True),
        (Claim(V4, 80, reuse=True, listening=True), Claim(V4, 80, reuse=True), False),
        (Claim(V4, 80, reuse=True), Claim(V4, 80, reuse=True, listening=True), True),
        # SO_REUSEPORT: both must have it, be they listeners or not
        (Claim(V4, 80, shared=True, listening=True), Claim(V4, 80, shared=True, listening=True), True),
        (Claim(ANY, 80, shared=True, listening=True), Claim(V4, 80, shared=True), True),
        (Claim(V4, 80, shared=True), Claim(V4, 80), False),
        (Claim(V4, 80), Claim(V4, 80, shared=True), False),
        (Claim(V4, 80, shared=True, listening=True), Claim(V4, 80, reuse=True), False),
    ],
)
def test_bind(held: Claim, asked: Claim, fits: bool) -> None:
    ports = _ports()
    ports.bind(held)
    if fits:
        ports.bind(asked)
        return
    with pytest.raises(TcpError) as refusal:
        ports.bind(asked)
    assert refusal.value.errno == EADDRINUSE


def test_a_port_is_free_when_its_last_holder_lets_go() -> None:
    ports = _ports()
    listener, accepted = Claim(V4, 80, listening=True), Claim(V4, 80)
    ports.bind(listener)
    for _ in range(3):
        ports.take(accepted)
    assert ports.holders(80) == 4
    ports.release(listener)
    with pytest.raises(TcpError):  # its connections still hold the port
        ports.bind(listener)
    for _ in range(3):
        ports.release(accepted)
    assert ports.holders(80) == 0
    ports.bind(listener)


@pytest.mark.parametrize(
    ("one", "other", "common"),
    [
        (V4, V4, True),
        (V4, OTHER_V4, False),
        (V4, V6, False),
        (ANY_V4, V4, True),
        (ANY_V4, V6, False),
        (ANY_V6, V6, True),
        (ANY_V6, V4, False),
        (ANY_V6, ANY_V4, False),
        (V6, ANY, True),
        (V4, ANY, True),
    ],
)
def test_overlap(one: bytes, other: bytes, common: bool) -> None:
    assert overlap(one, other) is common
    assert overlap(other, one) is common


def test_connections_to_one_peer_get_rising_ports() -> None:
    ports = _ports()
    first = ports.choose(V4, PEER, 80, _anything)
    assert [ports.choose(V4, PEER, 80, _anything) for _ in range(3)] == [first + 1, first + 2, first + 3]


def test_where_they_begin_depends_on_the_peer_and_the_secret() -> None:
    beginnings = {_ports().choose(V4, PEER, port, _anything) for port in range(80, 100)}
    assert len(beginnings) > 15
    other = Ports(Settings(), b"another secret")
    assert other.choose(V4, PEER, 80, _anything) != _ports().choose(V4, PEER, 80, _anything)


def test_the_whole_range_is_used_and_then_no_more() -> None:
    ports = _ports(40_000, 40_099)
    used: set[int] = set()
    for _ in range(100):
        used.add(ports.choose(V4, PEER, 80, lambda port: port not in used))
    assert used == set(range(40_000, 40_100))
    with pytest.raises(TcpError) as refusal:
        ports.choose(V4, PEER, 80, lambda port: port not in used)
    assert refusal.value.errno == EADDRNOTAVAIL


def test_a_bound_port_is_passed_over_and_a_chosen_one_is_shared() -> None:
    ports = _ports(40_000, 40_001)
    ports.bind(Claim(V4, 40_000))
    ports.take(Claim(V4, 40_001, chosen=True))
    assert ports.choose(V4, PEER, 80, _anything) == 40_001


def test_bind_to_port_0_finds_one_that_nobody_holds() -> None:
    ports = _ports(40_000, 40_004)
    for port in (40_000, 40_001, 40_003, 40_004):
        ports.bind(Claim(V4, port))
    assert ports.choose_unbound(V4, now=5) == 40_002
    ports.bind(Claim(V4, 40_002))
    with pytest.raises(TcpError) as refusal:
        ports.choose_unbound(V4, now=6)
    assert refusal.value.errno == EADDRINUSE
