"""A passive open that comes to nothing (RFC 9293 §3.10.7.4, second), with calls that waited for it."""

from __future__ import annotations

import errno

from tulpen.tcp.config import SECOND, Settings
from tulpen.tcp.connection import Connection
from tulpen.tcp.stack import Stack
from tulpen.tcp.state import CLOSED, ESTABLISHED, LISTEN, SYN_RECEIVED
from tulpen.wire.segment import ACK, RST, SYN, Segment


def listener(settings: Settings | None = None) -> Connection:
    connection = Connection(Stack(settings), iss=5000)
    connection.open_passive(0)
    return connection


def syn(connection: Connection, iss: int) -> Segment:
    connection.segment_arrives(Segment(iss, 0, SYN, 1000), 0)
    (answer,) = connection.segments_to_send(0)
    assert connection.state is SYN_RECEIVED
    return answer


def test_what_was_sent_meanwhile_goes_to_whoever_connects_next() -> None:
    connection = listener()
    syn(connection, 100)
    connection.send(b"hello", 0)
    connection.segment_arrives(Segment(101, 0, RST), 0)
    assert connection.state is LISTEN
    answer = syn(connection, 900)
    assert (answer.seq, answer.ack) == (5000, 901)
    connection.segment_arrives(Segment(901, 5001, ACK, 1000), 0)
    (text,) = connection.segments_to_send(0)
    assert (connection.state, text.seq, bytes(text.data)) == (ESTABLISHED, 5001, b"hello")


def test_a_close_that_waited_ends_it() -> None:
    connection = listener()
    syn(connection, 100)
    connection.send(b"hello", 0)
    connection.shutdown(0)
    connection.segment_arrives(Segment(101, 0, RST), 0)
    assert (connection.state, connection.error) == (CLOSED, errno.ECONNRESET)


def test_keep_alive_starts_with_a_close_in_syn_received() -> None:
    connection = listener(Settings(so_keepalive=True))
    syn(connection, 100)
    connection.shutdown(0)
    (fin,) = connection.segments_to_send(0)
    connection.segment_arrives(Segment(101, fin.seq + 1, ACK, 1000), 0)
    assert connection.next_deadline() == 7200 * SECOND


def test_keep_alive_waits_for_a_connection() -> None:
    connection = listener()
    connection.set_keepalive(True, 0)
    assert connection.next_deadline() is None
    syn(connection, 100)
    connection.segment_arrives(Segment(101, 5001, ACK, 1000), 0)
    assert connection.next_deadline() == 7200 * SECOND
