"""The application's handle: calls, signals, and what it goes on telling."""

from __future__ import annotations

from errno import ECONNRESET, EPIPE

import pytest

from tests.host.exchange import (
    SERVER,
    Peer,
    client,
    connected,
    events,
    exchange,
    run,
    seconds,
    server,
    signals,
)
from tulpen.tcp.config import MS, SocketOptions
from tulpen.tcp.errors import TcpError
from tulpen.tcp.signals import Signal
from tulpen.tcp.state import CLOSE_WAIT, CLOSED, ESTABLISHED, FIN_WAIT_2
from tulpen.wire.segment import letters


def test_octets_both_ways() -> None:
    here, there, opened, accepted = connected()
    assert opened.send(b"ping", 0) == 4
    assert opened.unacknowledged == 4
    exchange(0, here, there)
    assert accepted.readable == 4
    assert signals(there, accepted) == [Signal.READABLE]
    assert accepted.receive(2, 0) == b"pi"
    assert accepted.receive(9, 0) == b"ng"
    assert accepted.receive(9, 0) == b""
    assert not accepted.eof
    accepted.send(b"pong", 0)
    exchange(0, here, there)
    assert opened.receive(9, 0) == b"pong"
    assert opened.unacknowledged == 0
    assert opened.writable > 100_000


def test_half_close() -> None:
    here, there, opened, accepted = connected()
    opened.send(b"that was all", 0)
    opened.shutdown(0)
    now = 100 * MS
    run(now, 0, here, there)  # the ACK of the FIN waits for another
    assert (opened.state, accepted.state) == (FIN_WAIT_2, CLOSE_WAIT)
    assert accepted.receive(100, now) == b"that was all"
    assert accepted.eof
    accepted.send(b"thank you", now)
    exchange(now, here, there)
    assert opened.receive(100, now) == b"thank you"


@pytest.mark.requirement("MUST-12")
def test_a_reset_is_told_apart_from_an_end() -> None:
    here, there, opened, accepted = connected()
    accepted.abort(0)
    exchange(0, here, there)
    assert (opened.state, opened.error, opened.eof) == (CLOSED, ECONNRESET, False)
    assert signals(here, opened) == [Signal.CLOSED]
    with pytest.raises(TcpError, match="ECONNRESET"):
        opened.receive(1, 0)
    assert (list(here.sockets()), list(there.sockets())) == ([], [])


def test_the_application_is_told_once() -> None:
    here, there, opened, accepted = connected()
    for _ in range(5):
        opened.send(b"x", 0)
        exchange(0, here, there)
    assert signals(there, accepted) == [Signal.READABLE]
    assert signals(there, accepted) == []


def test_events_come_in_the_order_of_their_sockets() -> None:
    here, there = client(), server()
    listener = there.listen(None, 80, 0)
    sockets = [here.connect(SERVER, 80, 0) for _ in range(5)]
    exchange(0, here, there)
    told = [handle for handle, signal in events(here) if signal is Signal.CONNECTED]
    assert told == sockets
    assert [handle for handle, _ in events(there)] == [listener] * 5


def test_after_close_nothing_is_told() -> None:
    here, there, opened, accepted = connected()
    opened.close(0)
    exchange(0, here, there)
    accepted.send(b"too late", 1)
    exchange(1, here, there)
    assert events(here) == []
    assert opened.state is CLOSED
    assert accepted.error == EPIPE  # as Linux in CLOSE-WAIT
    opened.close(2)


def test_close_with_octets_unread_resets() -> None:
    here, there, opened, accepted = connected()
    opened.send(b"never read", 0)
    exchange(0, here, there)
    accepted.close(0)
    assert letters(exchange(0, here, there)[0].payload.flags) == "R."  # type: ignore[union-attr]
    assert there.stack.counters["TCPAbortOnClose"] == 1
    assert there.stack.counters["OutRsts"] == 1


def test_an_orphan_in_fin_wait_2_is_let_go() -> None:
    here, there, opened, accepted = connected()
    opened.close(0)
    exchange(0, here, there)
    assert here.stack.orphans == 1
    assert len(list(here.sockets())) == 1
    run(seconds(61), 0, here, there)
    assert (list(here.sockets()), here.stack.orphans) == ([], 0)
    assert accepted.state is CLOSE_WAIT


@pytest.mark.requirement("MUST-24")
def test_keep_alive_can_be_switched_on_and_off() -> None:
    here, _, opened, _ = connected()
    here.packets_to_send(0)
    opened.set_keepalive(True, 0)
    here.packets_to_send(0)
    assert here.next_deadline() == seconds(7200)
    opened.set_keepalive(False, 0)
    here.packets_to_send(0)
    assert here.next_deadline() is None


def test_an_option_of_the_listener_is_its_connections_() -> None:
    host = server()
    listener = host.listen(None, 80, 0, options=SocketOptions(so_keepalive=True, tcp_keepidle=10))
    peer = Peer(host)
    peer.open(0)
    socket = listener.accept()
    assert socket is not None
    assert socket.state is ESTABLISHED
    assert host.next_deadline() == seconds(10)


def test_calls_on_what_is_over() -> None:
    here, there, opened, accepted = connected()
    opened.abort(0)
    exchange(0, here, there)
    with pytest.raises(TcpError):
        opened.send(b"x", 1)
    with pytest.raises(TcpError):
        opened.shutdown(1)
    with pytest.raises(TcpError):
        opened.abort(1)
    opened.close(1)
    accepted.close(1)
    assert events(here) == []
    assert here.packets_to_send(1) == []


def test_a_name_used_again_is_another_socket_s() -> None:
    here, there = client(), server()
    there.listen(None, 80, 0)
    first = here.connect(SERVER, 80, 0, local_port=5000)
    exchange(0, here, there)
    first.abort(1)
    exchange(1, here, there)
    second = here.connect(SERVER, 80, 2, local_port=5000)
    exchange(2, here, there)
    assert first.name == second.name
    assert (first.state, second.state) == (CLOSED, ESTABLISHED)
    first.close(3)
    with pytest.raises(TcpError):
        first.send(b"x", 3)
    assert second.state is ESTABLISHED
    assert list(here.sockets()) == [second]


def test_currestab_counts_what_is_there() -> None:
    here, there, opened, _ = connected()
    assert here.counters()["CurrEstab"] == there.counters()["CurrEstab"] == 1
    opened.close(0)
    exchange(0, here, there)
    assert (here.counters()["CurrEstab"], there.counters()["CurrEstab"]) == (0, 1)


def test_rows_as_ss_shows_them() -> None:
    here, there, opened, accepted = connected()
    opened.send(b"abc", 0)
    for packet in here.packets_to_send(0):
        there.packet_arrives(packet, 0)
    (row,) = here.status()
    assert (row.state, row.recv_q, row.send_q, row.remote_port) == (ESTABLISHED, 0, 3, 80)
    listening, established = there.status()
    assert (listening.local, listening.local_port, listening.send_q) == (b"", 80, 128)
    assert (established.recv_q, established.remote) == (3, opened.name.local)
    assert repr(accepted).startswith("<Socket 10.0.0.1.80 > 10.0.0.2.")
