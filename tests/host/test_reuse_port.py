"""SO_REUSEPORT: listeners that share one address and port (socket(7))."""

from __future__ import annotations

from errno import EADDRINUSE

import pytest

from tests.host.exchange import SERVER, Peer, server
from tulpen.host.host import Host
from tulpen.host.listener import Listener
from tulpen.tcp.config import SocketOptions
from tulpen.tcp.errors import TcpError
from tulpen.wire.segment import RST

SHARED = SocketOptions(so_reuseport=True)


def _sharing(count: int, where: str | None = None) -> tuple[Host, list[Listener]]:
    host = server()
    return host, [host.listen(where, 80, 0, backlog=1000, options=SHARED) for _ in range(count)]


def _ports(listener: Listener) -> set[int]:
    """Return the remote ports of the connections that a listener has got."""
    ports = set()
    while (socket := listener.accept()) is not None:
        ports.add(socket.name.remote_port)
        socket.abort(0)
    return ports


def _opened(host: Host, listeners: list[Listener], count: int = 300) -> list[set[int]]:
    for number in range(count):
        Peer(host, sport=2000 + number).open(0)
    shares = [_ports(listener) for listener in listeners]
    host.packets_to_send(0)
    return shares


def test_all_get_a_share_and_a_connection_goes_to_one() -> None:
    host, listeners = _sharing(3)
    shares = _opened(host, listeners)
    assert sum(len(share) for share in shares) == 300
    assert set.union(*shares) == set(range(2000, 2300))
    assert all(len(share) > 60 for share in shares)


def test_the_hash_says_which() -> None:
    host, listeners = _sharing(2)
    assert _opened(host, listeners) == _opened(host, listeners)


def test_who_closes_gives_its_share_to_the_rest() -> None:
    host, listeners = _sharing(3)
    listeners[0].close(0)
    rest = _opened(host, listeners[1:])
    assert sum(len(share) for share in rest) == 300
    listeners[2].close(0)
    assert len(_opened(host, [listeners[1]])[0]) == 300
    listeners[1].close(0)
    assert Peer(host).say("S", 0)[0].flags & RST
    assert host.core.ports.holders(80) == 0


def test_an_address_of_ones_own_goes_before_a_share_of_all() -> None:
    host, (first, second) = _sharing(2)
    own = host.listen(SERVER, 80, 0, backlog=1000, options=SHARED)
    assert [len(share) for share in _opened(host, [first, second, own])] == [0, 0, 300]


def test_half_open_connections_go_with_their_listener() -> None:
    host, listeners = _sharing(2)
    peers = [Peer(host, sport=2000 + number) for number in range(50)]
    assert all(peer.syn(0) for peer in peers)
    theirs = listeners[1].syn_queue
    assert 0 < theirs < 50
    listeners[0].close(1)
    assert len(host.core.requests) == theirs


def test_all_must_share() -> None:
    host, _ = _sharing(1)
    for options in (None, SocketOptions(so_reuseaddr=True)):
        with pytest.raises(TcpError) as refusal:
            host.listen(None, 80, 0, options=options)
        assert refusal.value.errno == EADDRINUSE


def test_a_port_is_held_from_bind_on() -> None:
    host = server()
    claim = host.bind(SERVER, 0, 0, SocketOptions())
    with pytest.raises(TcpError) as refusal:
        host.listen(None, claim.port, 0)
    assert refusal.value.errno == EADDRINUSE
    host.unbind(claim)
    assert host.listen(None, claim.port, 0).port == claim.port
