"""setsockopt and getsockopt by the numbers of the socket module."""

from __future__ import annotations

import errno
import socket
import struct

import pytest

from tulpen.aio.sockopt import TCP_CONGESTION, TCP_USER_TIMEOUT, get_option, set_option
from tulpen.tcp.config import SocketOptions

TCP = socket.IPPROTO_TCP
SOL = socket.SOL_SOCKET


@pytest.mark.parametrize(
    ("level", "name", "value", "field", "stored"),
    [
        (SOL, socket.SO_KEEPALIVE, 1, "so_keepalive", True),
        (SOL, socket.SO_KEEPALIVE, struct.pack("i", 0), "so_keepalive", False),
        (TCP, socket.TCP_NODELAY, 7, "tcp_nodelay", True),
        (TCP, TCP_USER_TIMEOUT, 1500, "tcp_user_timeout", 1500),
        (SOL, socket.SO_LINGER, struct.pack("ii", 1, 0), "so_linger", 0),
        (SOL, socket.SO_LINGER, struct.pack("ii", 0, 9), "so_linger", None),
        (TCP, TCP_CONGESTION, b"reno\0", "tcp_congestion", "reno"),
        (socket.IPPROTO_IP, socket.IP_TOS, 0x10, "ip_tos", 0x10),
        (socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, 3, "ip_ttl", 3),
    ],
)
def test_setting(level: int, name: int, value: int | bytes, field: str, stored: object) -> None:
    options = SocketOptions()
    set_option(options, level, name, value)
    assert getattr(options, field) == stored


def test_getting() -> None:
    options = SocketOptions(tcp_nodelay=True, so_linger=5, tcp_congestion="reno")
    assert get_option(options, TCP, socket.TCP_NODELAY) == 1
    assert get_option(options, TCP, socket.TCP_NODELAY, 4) == struct.pack("i", 1)
    assert get_option(options, SOL, socket.SO_LINGER, 8) == struct.pack("ii", 1, 5)
    assert get_option(options, TCP, TCP_CONGESTION, 16) == b"reno".ljust(16, b"\0")
    assert get_option(options, TCP, socket.TCP_KEEPIDLE) == 0


@pytest.mark.parametrize(
    ("level", "name", "value", "error"),
    [
        (SOL, socket.SO_BROADCAST, 1, errno.ENOPROTOOPT),
        (SOL, socket.SO_LINGER, 1, errno.EINVAL),
        (TCP, TCP_CONGESTION, 1, errno.EINVAL),
        (TCP, TCP_CONGESTION, b"no such", errno.ENOENT),
        (TCP, socket.TCP_NODELAY, b"1", errno.EINVAL),
    ],
)
def test_what_is_refused(level: int, name: int, value: int | bytes, error: int) -> None:
    with pytest.raises(OSError, match="Errno") as caught:
        set_option(SocketOptions(), level, name, value)
    assert caught.value.errno == error
