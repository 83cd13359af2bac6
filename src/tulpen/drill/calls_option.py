"""getsockopt and setsockopt."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Final

from tulpen.drill.calls_error import set_timestamping
from tulpen.drill.evaluate import integer, is_any, text
from tulpen.drill.expression import Array, Expression, Struct
from tulpen.drill.problems import Mismatch, Unsupported
from tulpen.drill.symbols import errno_name, value_of
from tulpen.drill.world import CallFailed, Waiting, World
from tulpen.host import pmtu
from tulpen.host.deferring import seconds_of, timeouts_within
from tulpen.host.fast_listening import check_keys
from tulpen.host.fast_opening import CLIENT
from tulpen.host.option_values import taken
from tulpen.tcp.congestion import ALGORITHMS
from tulpen.tcp.errors import TcpError
from tulpen.tcp.negotiate import receive_buffer

if TYPE_CHECKING:
    from tulpen.drill.descriptor import TcpFile
    from tulpen.drill.script import Call

_INT, _LINGER = 4, 8  # octets

SOCKET: Final = 1
IP: Final = 0
IPV6: Final = 41
TCP: Final = 6

#: Options that the host has: level and name -> field of SocketOptions, and whether it is a switch.
_FIELDS: Final[dict[tuple[int, str], tuple[str, bool]]] = {
    (SOCKET, "SO_KEEPALIVE"): ("so_keepalive", True),
    (SOCKET, "SO_REUSEADDR"): ("so_reuseaddr", True),
    (SOCKET, "SO_REUSEPORT"): ("so_reuseport", True),
    (SOCKET, "SO_MAX_PACING_RATE"): ("so_max_pacing_rate", False),
    (SOCKET, "SO_OOBINLINE"): ("so_oobinline", True),
    (TCP, "TCP_NODELAY"): ("tcp_nodelay", True),
    (TCP, "TCP_CORK"): ("tcp_cork", True),
    (TCP, "TCP_KEEPIDLE"): ("tcp_keepidle", False),
    (TCP, "TCP_KEEPINTVL"): ("tcp_keepintvl", False),
    (TCP, "TCP_KEEPCNT"): ("tcp_keepcnt", False),
    (TCP, "TCP_KEEPINIT"): ("tcp_keepinit", False),
    (TCP, "TCP_NOOPT"): ("tcp_noopt", True),
    (TCP, "TCP_SYNCNT"): ("tcp_syncnt", False),
    (TCP, "TCP_LINGER2"): ("tcp_linger2", False),
    (TCP, "TCP_USER_TIMEOUT"): ("tcp_user_timeout", False),
    (TCP, "TCP_MAXSEG"): ("tcp_maxseg", False),
    (TCP, "TCP_WINDOW_CLAMP"): ("tcp_window_clamp", False),
    (TCP, "TCP_NOTSENT_LOWAT"): ("tcp_notsent_lowat", False),
    (TCP, "TCP_FASTOPEN"): ("tcp_fastopen", False),
    (TCP, "TCP_DEFER_ACCEPT"): ("tcp_defer_accept", False),
    (TCP, "TCP_FASTOPEN_CONNECT"): ("tcp_fastopen_connect", True),
    (TCP, "TCP_FASTOPEN_NO_COOKIE"): ("tcp_fastopen_no_cookie", True),
    (IP, "IP_TOS"): ("ip_tos", False),
    (IP, "IP_TTL"): ("ip_ttl", False),
    (IP, "IP_MTU_DISCOVER"): ("ip_mtu_discover", False),
    (IPV6, "IPV6_MTU_DISCOVER"): ("ip_mtu_discover", False),
    (IPV6, "IPV6_TCLASS"): ("ip_tos", False),
    (IPV6, "IPV6_UNICAST_HOPS"): ("ip_ttl", False),
}
#: Options that change nothing a script could see on this host.
_HARMLESS: Final = frozenset(
    ("SO_MARK", "SO_PRIORITY", "SO_BUSY_POLL", "TCP_INQ", "IP_FREEBIND", "IP_RECVERR", "IPV6_RECVERR",
     "IPV6_V6ONLY", "TCP_THIN_DUPACK", "SO_TXREHASH")
)  # fmt: skip
#: Options that tell of a whole structure, which a script looks at in its Python.
STRUCTURES: Final = ("TCP_INFO", "TCP_CC_INFO", "SO_MEMINFO")
_RECEIVING: Final = ("SO_RCVBUF", "SO_RCVBUFFORCE", "TCP_WINDOW_CLAMP")
_SHARING: Final = ("SO_REUSEADDR", "SO_REUSEPORT")
_RELEASING: Final = ("TCP_CORK", "TCP_NODELAY")
_LEAST_SNDBUF: Final = 4608
_MOST_SNDBUF: Final = 212_992


def setsockopt(world: World, call: Call) -> Waiting:
    """setsockopt(2)."""
    file = world.tcp(integer(call.arguments[0]))
    level, name = integer(call.arguments[1]), str(call.arguments[2])
    _check_length(level, name, call.arguments[4])
    if level == TCP and name.startswith("TCP_FASTOPEN"):
        _check_fast_open(world, file, name, call)
    if name == "TCP_FASTOPEN_KEY":
        return 0
    _set(world, file, level, name, call.arguments[3])
    if name == "TCP_KEEPIDLE" and file.socket is not None:
        file.socket.keepidle_changed(world.now)
    if name in _SHARING and file.claim is not None:
        world.host.unbind(file.claim)
        file.claim = file.claim._replace(reuse=file.options.so_reuseaddr, shared=file.options.so_reuseport)
        world.host.rebind(file.claim)
    if name in _RECEIVING and file.socket is not None:
        file.socket.receive_options_changed()
    if name in _RELEASING and file.socket is not None:
        file.socket.options_changed(world.now)
    world.stage.collect()
    return 0
    yield


def _check_length(level: int, name: str, length: Expression) -> None:
    """Linux wants a whole int, or a whole struct linger; for IP an octet will do."""
    least = _LINGER if name == "SO_LINGER" else _INT if (level, name) in _FIELDS and level in (SOCKET, TCP) else 0
    if not is_any(length) and integer(length) < least:
        raise CallFailed(errno.EINVAL)


def _check_fast_open(world: World, file: TcpFile, name: str, call: Call) -> None:
    """Linux takes these before a connection is opened, and from a listener."""
    if file.socket is not None:
        raise CallFailed(errno.EINVAL)
    if name == "TCP_FASTOPEN_KEY":
        keys = text(call.arguments[3]) or b""
        length = integer(call.arguments[4])
        try:
            check_keys(keys[:length].ljust(length, b"\0"))
        except TcpError as error:
            raise CallFailed(error.errno) from None
        file.live_options.tcp_fastopen_key = keys[:length]
        return
    number = integer(call.arguments[3])
    if number < 0 or (number > 1 and name != "TCP_FASTOPEN"):
        raise CallFailed(errno.EINVAL)
    if name == "TCP_FASTOPEN_CONNECT" and not world.settings.tcp_fastopen & CLIENT:
        raise CallFailed(errno.EOPNOTSUPP)
    if name == "TCP_FASTOPEN_CONNECT" and file.listener is not None:
        raise CallFailed(errno.EINVAL)


def _set(world: World, file: TcpFile, level: int, name: str, value: Expression) -> None:
    options = file.live_options
    if name == "SO_LINGER":
        on, seconds = linger(value)
        options.so_linger = seconds if on else None
    elif name in ("SO_SNDBUF", "SO_SNDBUFFORCE"):
        options.so_sndbuf = _buffer(world, integer(value), _LEAST_SNDBUF, limited=name == "SO_SNDBUF")
    elif name in ("SO_RCVBUF", "SO_RCVBUFFORCE"):
        asked = integer(value)
        options.so_rcvbuf = min(asked, world.settings.rmem_max) if name == "SO_RCVBUF" else asked
    elif name == "SO_KEEPALIVE" and file.socket is not None:
        file.socket.set_keepalive(bool(integer(value)), world.now)
    elif name == "SO_TIMESTAMPING":
        set_timestamping(world, file, integer(value))
    elif name == "TCP_QUICKACK":
        if file.socket is not None:
            file.socket.quick_ack(world.now, on=bool(integer(value)))
    elif name == "TCP_CONGESTION":
        _set_congestion(file, value)
    elif (level, name) in _FIELDS:
        field, switch = _FIELDS[level, name]
        number = integer(value)
        try:
            setattr(options, field, bool(number) if switch else taken(field, number))
        except TcpError as error:
            raise CallFailed(error.errno) from None
    elif name in _HARMLESS:
        file.extra[name] = integer(value)
    else:
        raise Unsupported(name)


def _set_congestion(file: TcpFile, value: Expression) -> None:
    name = (text(value) or b"").rstrip(b"\0").decode()
    if name not in ALGORITHMS:
        raise Unsupported(f"congestion control {name}")
    file.live_options.tcp_congestion = name


def _buffer(world: World, asked: int, least: int, *, limited: bool) -> int:
    """Return the size that is set: on Linux twice what was asked for, within limits."""
    factor = world.profile.rcvbuf_factor
    if factor == 1:
        return asked
    return max(least, factor * (min(asked, _MOST_SNDBUF) if limited else asked))


def linger(value: Expression) -> tuple[int, int]:
    """Return both members of a struct linger."""
    if isinstance(value, Array) and len(value.items) == 1:
        value = value.items[0]
    if isinstance(value, Struct):
        on, seconds = value.field("onoff"), value.field("linger")
        if on is not None and seconds is not None:
            return integer(on), integer(seconds)
    raise Unsupported(f"{value} where a struct linger belongs")


def getsockopt(world: World, call: Call) -> Waiting:
    """getsockopt(2): compare what it gives."""
    file = world.tcp(integer(call.arguments[0]))
    level, name, expected = integer(call.arguments[1]), str(call.arguments[2]), call.arguments[3]
    if name in STRUCTURES:
        return 0
    found = option_of(world, file, level, name)
    if not isinstance(found, str) and not is_any(call.arguments[4]):
        compare(f"{name}'s length", integer(call.arguments[4]), _LINGER if isinstance(found, tuple) else _INT)
    if isinstance(found, tuple):
        compare(name, linger(expected), found)
    elif isinstance(found, str):
        wanted = text(expected)
        if wanted is not None:
            compare(name, wanted.rstrip(b"\0").decode(), found)
    elif not is_any(expected):
        compare(name, integer(expected), found)
    return 0
    yield


def compare(name: str, expected: object, got: object) -> None:
    """Raise Mismatch where an option is not as expected."""
    if expected != got:
        words = [
            errno_name(each) if name == "SO_ERROR" and isinstance(each, int) and each else str(each)
            for each in (expected, got)
        ]
        raise Mismatch(f"getsockopt {name} differs", expected=words[0], got=words[1], warning=True)


def option_of(world: World, file: TcpFile, level: int, name: str) -> int | str | tuple[int, int]:
    """Return an option: a number, the name of an algorithm, or both members of a struct linger."""
    if name == "TCP_CONGESTION":
        return file.live_options.tcp_congestion or world.settings.tcp_congestion_control
    if name == "SO_LINGER":
        seconds = file.live_options.so_linger
        return int(seconds is not None), seconds or 0
    return _number(world, file, level, name)


def _number(world: World, file: TcpFile, level: int, name: str) -> int:
    options, settings = file.live_options, world.settings
    simple: dict[str, int] = {
        "SO_TYPE": 1,
        "SO_PROTOCOL": 6,
        "SO_ACCEPTCONN": int(file.listener is not None),
        "IP_MTU_DISCOVER": pmtu.mode(options, settings),
        "IPV6_MTU_DISCOVER": pmtu.mode(options, settings),
        "TCP_KEEPIDLE": settings.tcp_keepalive_time,
        "TCP_KEEPINTVL": settings.tcp_keepalive_intvl,
        "TCP_KEEPCNT": settings.tcp_keepalive_probes,
        "TCP_KEEPINIT": settings.tcp_keepinit,
        "TCP_SYNCNT": settings.tcp_syn_retries,
        "TCP_LINGER2": settings.tcp_fin_timeout,
        "IP_TTL": settings.ip_default_ttl,
        "IPV6_UNICAST_HOPS": settings.ip_default_ttl,
        "SO_SNDBUF": settings.tcp_wmem[1],
        "SO_RCVBUF": settings.tcp_rmem[1],
    }
    if name == "TCP_QUICKACK":
        return int(file.socket is None or file.socket.status().quick_ack)
    if name == "SO_ERROR":
        return file.take_error()
    if name == "SO_SNDBUF":
        return _send_buffer(file, simple[name])
    if name == "SO_RCVBUF":
        return _receive_buffer(world, file, simple[name])
    if name == "TCP_DEFER_ACCEPT":
        return seconds_of(timeouts_within(options.tcp_defer_accept, settings), settings)
    if name in ("TCP_MAXSEG", "IP_MTU", "IPV6_MTU"):
        return _max_segment(world, file) if name == "TCP_MAXSEG" else _path_mtu(world, file)
    if (level, name) in _FIELDS:
        value = getattr(options, _FIELDS[level, name][0])
        return simple.get(name, 0) if value is None else int(value)
    if name in file.extra:
        return file.extra[name]
    if name in simple:
        return simple[name]
    if name in _HARMLESS:
        return 0
    if value_of(name) is None:
        raise CallFailed(errno.ENOPROTOOPT)
    raise Unsupported(name)


def _send_buffer(file: TcpFile, default: int) -> int:
    """Return the send buffer as the connection has it."""
    if file.socket is not None:
        return file.socket.connection.send_buffer
    asked = file.live_options.so_sndbuf
    return default if asked is None else asked


def _receive_buffer(world: World, file: TcpFile, default: int) -> int:
    """Return the receive buffer as the connection has it."""
    asked = file.live_options.so_rcvbuf
    if file.socket is not None:
        return file.socket.connection.tcb.rcv.buff
    if asked is None:
        return default
    return receive_buffer(file.live_options, world.settings) if world.settings.tcp_rcvbuf_overhead else asked


def _path_mtu(world: World, file: TcpFile) -> int:
    if file.socket is None:
        raise CallFailed(errno.ENOTCONN)
    return world.host.path_mtu(file.socket.name.remote, world.now)


def _max_segment(world: World, file: TcpFile) -> int:
    if file.socket is None:
        return file.live_options.tcp_maxseg or (536 if not world.conditions.ipv6 else 1220)
    return file.socket.status().snd_mss
