"""The receive buffer and the window that is offered of it."""

from __future__ import annotations

from typing import Any

import pytest

from tulpen.tcp.config import Settings, SocketOptions
from tulpen.tcp.connection import Connection
from tulpen.tcp.stack import Stack
from tulpen.wire.options import Options
from tulpen.wire.segment import ACK, SYN, Segment

SCALED = Options(mss=1460, wscale=7)


def established(settings: Settings, options: SocketOptions | None = None) -> tuple[Connection, int, int]:
    """A connection, the window it offers, and the shift of it."""
    connection = Connection(Stack(settings), iss=0, options=options)
    connection.open_passive(0)
    connection.segment_arrives(Segment(100, 0, SYN, 1000, options=SCALED), 0)
    (answer,) = connection.segments_to_send(0)
    connection.segment_arrives(Segment(101, 1, ACK, 1000), 0)
    assert answer.options.wscale is not None
    return connection, answer.wnd, answer.options.wscale


OCTETS: dict[str, Any] = {"tcp_rcvbuf_overhead": False}


def test_so_rcvbuf_has_the_floor_of_tcp_rmem() -> None:
    assert established(Settings(**OCTETS), SocketOptions(so_rcvbuf=1))[1] == 4096
    assert established(Settings(**OCTETS), SocketOptions(so_rcvbuf=5000))[1] == 5000


@pytest.mark.parametrize("least", [1, 2, 100, 4096])
def test_a_window_that_was_closed_opens_again(least: int) -> None:
    connection, window, shift = established(Settings(tcp_rmem=(least, least, 6_291_456), **OCTETS))
    assert window == least
    assert least >> shift
    connection.segment_arrives(Segment(101, 1, ACK, 1000, bytes(least)), 0)
    connection.receive(least)
    update = connection.segments_to_send(0)[-1]
    assert update.ack == 101 + least
    assert update.wnd << shift > least // 2
