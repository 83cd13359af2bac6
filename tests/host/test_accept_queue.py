"""The accept queue: its limit, what overflows it, what happens to it when the listener closes."""

from __future__ import annotations

import pytest

from tests.host.exchange import (
    SERVER,
    Peer,
    client,
    events,
    exchange,
    reasons,
    run,
    seconds,
    server,
    signals,
)
from tulpen.host.host import Host
from tulpen.host.listener import Listener
from tulpen.tcp.signals import Signal
from tulpen.tcp.state import CLOSED, ESTABLISHED, SYN_RECEIVED, Event
from tulpen.tcp.trace import Moved, Reason
from tulpen.wire.segment import RST, letters


def _filled(backlog: int = 2, **settings: object) -> tuple[Host, Listener]:
    """Return a listener whose accept queue is full."""
    host = server(**settings)
    listener = host.listen(None, 80, 0, backlog=backlog)
    for number in range(backlog + 1):
        assert not listener.full
        Peer(host, sport=2000 + number).open(0)
    return host, listener


def test_one_more_than_the_backlog_may_wait() -> None:
    _, listener = _filled(backlog=2)
    assert listener.full
    assert (listener.recv_q, listener.send_q, listener.syn_queue) == (3, 2, 0)


@pytest.mark.parametrize(
    ("asked", "somaxconn", "granted"), [(128, 4096, 128), (5000, 4096, 4096), (0, 4096, 0), (-1, 256, 256)]
)
def test_the_backlog_is_capped(asked: int, somaxconn: int, granted: int) -> None:
    assert server(somaxconn=somaxconn).listen(None, 80, 0, backlog=asked).send_q == granted


def test_a_backlog_of_0_lets_one_wait() -> None:
    host, listener = _filled(backlog=0)
    assert listener.recv_q == 1
    assert Peer(host).syn(0) is None


def test_first_come_first_served() -> None:
    _, listener = _filled(backlog=2)
    ports = []
    while (socket := listener.accept()) is not None:
        ports.append(socket.name.remote_port)
    assert ports == [2000, 2001, 2002]


def test_a_full_queue_drops_a_syn() -> None:
    host, listener = _filled()
    assert Peer(host).syn(0) is None
    assert reasons(host) == [Reason.ACCEPT_QUEUE_FULL]
    assert (host.stack.counters["ListenOverflows"], host.stack.counters["ListenDrops"]) == (1, 1)
    listener.accept()
    assert Peer(host).syn(0) is not None


def test_the_last_ack_is_dropped_and_a_syn_ack_sent_again_gets_another() -> None:
    here, there = client(), server()
    listener = there.listen(None, 80, 0, backlog=0)
    second = Peer(there)
    second.syn(0)  # half open while there was room
    first = here.connect(SERVER, 80, 0)
    exchange(0, here, there)
    assert (first.state, listener.recv_q, listener.syn_queue) == (ESTABLISHED, 1, 1)
    assert second.say(".", 1) == []
    assert reasons(there) == [Reason.ACCEPT_QUEUE_FULL]
    assert (there.stack.counters["ListenOverflows"], there.stack.counters["ListenDrops"]) == (1, 1)
    assert (listener.recv_q, listener.syn_queue) == (1, 1)
    there.timeout(seconds(1))
    (again,) = second.hear(seconds(1))
    assert letters(again.flags) == "S."
    listener.accept()
    second.say(".", seconds(1))
    assert (listener.recv_q, listener.syn_queue) == (1, 0)


def test_data_before_there_is_room_is_not_lost() -> None:
    here, there = client(), server()
    listener = there.listen(None, 80, 0, backlog=0)
    half_open = here.connect(SERVER, 80, 0)
    for packet in here.packets_to_send(0):
        there.packet_arrives(packet, 0)
    syn_ack = there.packets_to_send(0)
    Peer(there, sport=999).open(0)
    for packet in syn_ack:
        here.packet_arrives(packet, 0)
    exchange(0, here, there)
    assert (listener.recv_q, half_open.state) == (1, ESTABLISHED)
    half_open.send(b"hello", 1)
    exchange(1, here, there)
    listener.accept()
    run(seconds(5), 1, here, there)
    socket = listener.accept()
    assert socket is not None
    assert socket.receive(10, seconds(5)) == b"hello"


def test_abort_on_overflow() -> None:
    host = server(tcp_abort_on_overflow=True)
    listener = host.listen(None, 80, 0, backlog=0)
    late = Peer(host)
    late.syn(0)
    Peer(host, sport=2000).open(0)
    (reset,) = late.say(".", 1)
    assert reset.flags == RST
    assert reset.seq == late.ack
    assert listener.syn_queue == 0
    assert reasons(host) == [Reason.ACCEPT_QUEUE_ABORT]
    counters = host.stack.counters
    assert (counters["ListenOverflows"], counters["EmbryonicRsts"], counters["OutRsts"]) == (1, 1, 1)


@pytest.mark.parametrize("says", ["R", "S", "F.", "P."])
def test_a_full_queue_judges_other_segments_as_ever(says: str) -> None:
    host = server()
    listener = host.listen(None, 80, 0, backlog=0)
    late = Peer(host)
    late.syn(0)
    Peer(host, sport=2000).open(0)
    late.say(says, 1, data=b"x" if says == "P." else b"")
    assert listener.recv_q == 1
    if says == "R":
        assert listener.syn_queue == 0
    else:
        assert listener.syn_queue == (0 if says == "S" else 1)
    assert (Reason.ACCEPT_QUEUE_FULL in reasons(host)) is (says in ("F.", "P."))


def test_a_connection_reset_while_it_waits_is_accepted_and_tells() -> None:
    host = server()
    listener = host.listen(None, 80, 0)
    peer = Peer(host)
    peer.open(0)
    peer.say("P.", 0, data=b"last words")
    peer.seq += 10
    peer.say("R.", 0)
    assert host.status()[1:] == []
    assert events(host) == [(listener, Signal.READABLE)]
    socket = listener.accept()
    assert socket is not None
    assert Signal.CLOSED in signals(host, socket)
    assert socket.receive(100, 0) == b"last words"
    with pytest.raises(Exception, match="ECONNRESET"):
        socket.receive(100, 0)


def test_nothing_is_told_of_a_connection_before_it_is_accepted() -> None:
    host = server()
    listener = host.listen(None, 80, 0)
    peer = Peer(host)
    peer.open(0)
    peer.say("P.", 0, data=b"early")
    assert events(host) == [(listener, Signal.READABLE)]
    socket = listener.accept()
    assert socket is not None
    assert signals(host, socket) == [Signal.CONNECTED, Signal.WRITABLE, Signal.READABLE]


def test_readable_once_for_every_connection_that_still_waits() -> None:
    host, listener = _filled(backlog=4)
    assert host.next_event() == (listener, Signal.READABLE)
    listener.accept()
    listener.accept()
    listener.accept()
    listener.accept()
    told = [handle for handle, _ in events(host)]
    assert told.count(listener) == 1


def test_closing_the_listener_resets_what_waits() -> None:
    here, there = client(), server()
    listener = there.listen(None, 80, 0)
    waiting = [here.connect(SERVER, 80, 0) for _ in range(3)]
    exchange(0, here, there)
    half_open = Peer(there)
    half_open.syn(0)
    listener.close(1)
    exchange(1, here, there)
    assert [socket.state for socket in waiting] == [CLOSED] * 3
    assert {socket.error for socket in waiting} == {104}
    assert there.status() == []
    assert there.next_deadline() is None
    assert letters(half_open.say(".", 2)[0].flags) == "R"
    assert listener.state is CLOSED
    assert listener.accept() is None
    listener.close(3)


def test_accepted_connections_outlive_their_listener() -> None:
    here, there = client(), server()
    listener = there.listen(None, 80, 0)
    socket = here.connect(SERVER, 80, 0)
    exchange(0, here, there)
    accepted = listener.accept()
    listener.close(1)
    assert accepted is not None
    accepted.send(b"x", 2)
    exchange(2, here, there)
    assert socket.receive(9, 2) == b"x"


def test_the_trace_shows_the_way_from_listen() -> None:
    host, _ = _filled(backlog=0)
    assert host.stack.records is not None
    moves = [(record.before.title, record.after.title) for _, record in host.stack.records if isinstance(record, Moved)]
    assert moves == [("LISTEN", "SYN-RECEIVED"), ("SYN-RECEIVED", "ESTABLISHED")]
    names = {name for name, _ in host.stack.records}
    assert len(names) == 1


def test_the_trace_shows_how_a_half_open_one_ended() -> None:
    host = server()
    listener = host.listen(None, 80, 0)
    Peer(host).syn(0)
    listener.close(1)
    assert host.stack.records is not None
    last = host.stack.records[-1][1]
    assert isinstance(last, Moved)
    assert (last.before, last.event, last.after) == (SYN_RECEIVED, Event.ABORT, CLOSED)
