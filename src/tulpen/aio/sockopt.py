"""setsockopt and getsockopt: the numbers of the socket module for the fields of ``SocketOptions``."""

from __future__ import annotations

import errno
import socket
import struct
from typing import TYPE_CHECKING, Any, Final

from tulpen.aio.failures import os_error
from tulpen.aio.sockopt_keys import TCP_AO_ADD_KEY, TCP_MD5SIG, TCP_MD5SIG_EXT, set_key
from tulpen.host.option_values import taken
from tulpen.tcp.congestion import ALGORITHMS
from tulpen.tcp.errors import TcpError

if TYPE_CHECKING:
    from tulpen.tcp.config import SocketOptions

TCP_DEFER_ACCEPT: Final = 9
TCP_LINGER2: Final = 8  # linux/tcp.h; the socket module gives them on Linux alone
TCP_WINDOW_CLAMP: Final = 10
TCP_QUICKACK: Final = 12
TCP_CONGESTION: Final = 13
TCP_USER_TIMEOUT: Final = 18
KEEPIDLE: Final = getattr(socket, "TCP_KEEPIDLE", 4)
CORK: Final = getattr(socket, "TCP_CORK", 3)
#: Options that let go what they held back, once they change.
RELEASING: Final = frozenset({(socket.IPPROTO_TCP, socket.TCP_NODELAY), (socket.IPPROTO_TCP, CORK)})

_NUMBERS: Final[dict[tuple[int, int], str]] = {
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE): "so_keepalive",
    (socket.SOL_SOCKET, socket.SO_RCVBUF): "so_rcvbuf",
    (socket.SOL_SOCKET, socket.SO_SNDBUF): "so_sndbuf",
    (socket.SOL_SOCKET, socket.SO_REUSEADDR): "so_reuseaddr",
    (socket.SOL_SOCKET, getattr(socket, "SO_REUSEPORT", 15)): "so_reuseport",
    (socket.SOL_SOCKET, socket.SO_OOBINLINE): "so_oobinline",
    (socket.IPPROTO_TCP, socket.TCP_NODELAY): "tcp_nodelay",
    (socket.IPPROTO_TCP, socket.TCP_MAXSEG): "tcp_maxseg",
    (socket.IPPROTO_TCP, CORK): "tcp_cork",
    (socket.IPPROTO_TCP, KEEPIDLE): "tcp_keepidle",
    (socket.IPPROTO_TCP, getattr(socket, "TCP_KEEPINTVL", 5)): "tcp_keepintvl",
    (socket.IPPROTO_TCP, getattr(socket, "TCP_KEEPCNT", 6)): "tcp_keepcnt",
    (socket.IPPROTO_TCP, getattr(socket, "TCP_SYNCNT", 7)): "tcp_syncnt",
    (socket.IPPROTO_TCP, TCP_LINGER2): "tcp_linger2",
    (socket.IPPROTO_TCP, TCP_DEFER_ACCEPT): "tcp_defer_accept",
    (socket.IPPROTO_TCP, TCP_WINDOW_CLAMP): "tcp_window_clamp",
    (socket.IPPROTO_TCP, TCP_QUICKACK): "tcp_quickack",
    (socket.IPPROTO_TCP, TCP_USER_TIMEOUT): "tcp_user_timeout",
    (socket.IPPROTO_TCP, getattr(socket, "TCP_NOTSENT_LOWAT", 25)): "tcp_notsent_lowat",
    (socket.IPPROTO_TCP, getattr(socket, "TCP_DEFER_ACCEPT", 9)): "tcp_defer_accept",
    (socket.IPPROTO_IP, socket.IP_TOS): "ip_tos",
    (socket.IPPROTO_IP, socket.IP_TTL): "ip_ttl",
    (socket.IPPROTO_IPV6, getattr(socket, "IPV6_TCLASS", 67)): "ip_tos",
    (socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS): "ip_ttl",
}

_KEYS: Final = (TCP_MD5SIG, TCP_MD5SIG_EXT, TCP_AO_ADD_KEY)
_SWITCHES: Final = frozenset(
    {"so_keepalive", "so_reuseaddr", "so_reuseport", "so_oobinline", "tcp_nodelay", "tcp_cork", "tcp_quickack"}
)


def _number(value: int | bytes) -> int:
    if isinstance(value, int):
        return value
    if len(value) < 4:
        raise os_error(errno.EINVAL)
    return int(struct.unpack_from("=i", value)[0])


def set_option(options: SocketOptions, level: int, name: int, value: int | bytes) -> None:
    """Set what ``setsockopt(level, name, value)`` names; OSError ENOPROTOOPT where tulpen has no such option."""
    if (level, name) == (socket.SOL_SOCKET, socket.SO_LINGER):
        _set_linger(options, value)
        return
    if (level, name) == (socket.IPPROTO_TCP, TCP_CONGESTION):
        if isinstance(value, int):
            raise os_error(errno.EINVAL)
        algorithm = bytes(value).rstrip(b"\0").decode("ascii", "replace")
        if algorithm not in ALGORITHMS:
            raise os_error(errno.ENOENT)
        options.tcp_congestion = algorithm
        return
    if level == socket.IPPROTO_TCP and name in _KEYS:
        set_key(options, name, value)
        return
    field = _NUMBERS.get((level, name))
    if field is None:
        raise os_error(errno.ENOPROTOOPT)
    number = _number(value)
    try:
        setattr(options, field, bool(number) if field in _SWITCHES else taken(field, number))
    except TcpError as error:
        raise os_error(error.errno) from None


def _set_linger(options: SocketOptions, value: int | bytes) -> None:
    if isinstance(value, int) or len(value) < 8:
        raise os_error(errno.EINVAL)
    on, seconds = struct.unpack_from("=ii", value)
    options.so_linger = seconds if on else None


def get_option(options: SocketOptions, level: int, name: int, size: int = 0) -> int | bytes:
    """Return what ``getsockopt(level, name, size)`` would: an int, or ``size`` octets where one is given."""
    number = _read(options, level, name)
    if isinstance(number, bytes):
        return number[:size]
    return struct.pack("=i", number)[:size] if size else number


def _read(options: SocketOptions, level: int, name: int) -> int | bytes:
    if (level, name) == (socket.SOL_SOCKET, socket.SO_TYPE):
        return int(socket.SOCK_STREAM)
    if (level, name) == (socket.SOL_SOCKET, socket.SO_LINGER):
        return struct.pack("=ii", options.so_linger is not None, options.so_linger or 0)
    if (level, name) == (socket.IPPROTO_TCP, TCP_CONGESTION):
        return (options.tcp_congestion or "").encode().ljust(16, b"\0")
    field = _NUMBERS.get((level, name))
    if field is None:
        raise os_error(errno.ENOPROTOOPT)
    value: Any = getattr(options, field)
    return int(value) if value is not None else 0
