"""Many connections: what one packet costs does not depend on how many others there are."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType

import pytest

from tests.host.exchange import Peer, events, seconds
from tulpen.host.host import Host
from tulpen.host.socket import Socket
from tulpen.tcp.config import Settings

SERVER = "10.0.0.1"


def _host(connections: int) -> tuple[Host, Socket, Peer]:
    """Return a host with so many connections, one of them and its peer."""
    host = Host([SERVER], settings=Settings(tcp_syncookies=0))
    listener = host.listen(None, 80, 0, backlog=4096)
    for number in range(connections):
        peer = Peer(host, sport=2000 + number)
        peer.open(0)
        socket = listener.accept()
    events(host)
    assert socket is not None
    return host, socket, peer


def _calls(turn: Callable[[], object]) -> int:
    """Return how many functions a turn calls."""
    count = 0

    def called(frame: FrameType, event: str, arg: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(called)
    try:
        turn()
    finally:
        sys.setprofile(before)
    return count


def _turn(host: Host, now: int) -> None:
    host.timeout(now)
    host.packets_to_send(now)
    events(host)
    host.next_deadline()


@pytest.mark.parametrize("what", ["nothing", "a segment", "a call", "a deadline", "a closed port"])
def test_one_turn(what: str) -> None:
    cost = []
    for connections in (20, 2000):
        host, socket, peer = _host(connections)
        _turn(host, 1)

        def turn(host: Host = host, socket: Socket = socket, peer: Peer = peer) -> None:
            if what == "a segment":
                peer.say("P.", 2, data=b"x")
            elif what == "a call":
                socket.send(b"x", 2)
            elif what == "a closed port":
                Peer(host, dport=81).say("S", 2)
            _turn(host, 2)

        if what == "a deadline":
            socket.send(b"x", 1)
            _turn(host, 1)
            cost.append(_calls(lambda host=host: _turn(host, seconds(1))))  # type: ignore[misc]
        else:
            cost.append(_calls(turn))
    assert abs(cost[0] - cost[1]) <= 12  # the heap is a little deeper
    assert cost[1] < 400


def test_nothing_is_left_of_them() -> None:
    host, _, _ = _host(500)
    for socket in list(host.sockets()):
        socket.abort(1)
    assert len(host.packets_to_send(1)) == 500
    assert [row.state.title for row in host.status()] == ["LISTEN"]
    assert host.next_deadline() is None
    assert host.core.ports.holders(80) == 1
    assert host.core.deadlines.entries <= 64
    assert not host.core.ready
