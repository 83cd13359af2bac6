"""socket, bind, listen, accept, connect, shutdown, close, fcntl (as Linux does them)."""

from __future__ import annotations

import errno
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from tulpen.drill.descriptor import EpollFile, TcpFile
from tulpen.drill.evaluate import integer, is_any, text
from tulpen.drill.expression import Applied, Expression, Struct
from tulpen.drill.problems import Mismatch, Unsupported
from tulpen.drill.subject import Phase
from tulpen.drill.symbols import value_of
from tulpen.drill.world import CallFailed, Waiting, World
from tulpen.tcp.config import SECOND
from tulpen.tcp.errors import TcpError
from tulpen.tcp.state import CLOSED, CLOSING, FIN_PENDING, LAST_ACK, SYN_SENT, TIME_WAIT
from tulpen.wire.address import address

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tulpen.drill.descriptor import File
    from tulpen.drill.script import Call
    from tulpen.host.socket import Socket

O_NONBLOCK: Final = 0o4000
O_RDWR: Final = 2
_SOCK_FLAGS: Final = 0o4000 | 0o2000000
_SHUT_RD, _SHUT_WR, _SHUT_RDWR = 0, 1, 2


def socket(world: World, call: Call) -> Waiting:
    """socket(2): TCP alone."""
    domain, type, protocol = call.arguments
    if integer(type) & ~_SOCK_FLAGS != value_of("SOCK_STREAM"):
        raise Unsupported(f"a socket of {type}")
    if integer(protocol) not in (0, value_of("IPPROTO_TCP")):
        raise Unsupported(f"a socket of {protocol}")
    ipv6 = world.conditions.ip_version != "ipv4" if is_any(domain) else integer(domain) == value_of("AF_INET6")
    file = TcpFile(ipv6=ipv6, nonblocking=bool(integer(type) & O_NONBLOCK))
    fd = new_descriptor(world, call)
    world.files[fd] = file
    world.new_subject(Phase.NEW, file)
    return fd
    yield


def new_descriptor(world: World, call: Call, *, again: bool = False) -> int:
    """Return the number the script gives to a new descriptor; the lowest free one if it expects failure.

    ``again``: the number may stand for another by now; who had it keeps its connection.
    """
    wanted = integer(call.result) if not is_any(call.result) else -1
    if wanted in world.files and not again:
        raise Mismatch(f"file descriptor {wanted} is open already", expected=str(call), got="a descriptor of its own")
    if wanted >= 0:
        return wanted
    return next(fd for fd in range(3, 1 << 16) if fd not in world.files)


def bind(world: World, call: Call) -> Waiting:
    """bind(2): to the local address and port, if the script does not say where."""
    file = world.tcp(integer(call.arguments[0]))
    if file.bound is not None or file.socket is not None:
        raise CallFailed(errno.EINVAL)
    where = call.arguments[1]
    local, port = target(where, (world.conditions.local, world.conditions.bind_port))
    try:
        file.claim = world.host.bind(local, port, world.now, file.options)
    except TcpError as error:
        raise CallFailed(error.errno) from None
    file.bound = local, file.claim.port
    return 0
    yield


@contextmanager
def _port_of(world: World, file: TcpFile) -> Iterator[None]:
    """Let the host take the port that bind() holds; it is held again if that fails."""
    if file.claim is not None:
        world.host.unbind(file.claim)
    try:
        yield
    except TcpError as error:
        if file.claim is not None:
            world.host.rebind(file.claim)
        raise CallFailed(error.errno) from None
    file.claim = None


def target(where: Expression, otherwise: tuple[bytes, int]) -> tuple[bytes, int]:
    """Return the address and port of a sockaddr; what is usual where the script leaves it open."""
    if is_any(where):
        return otherwise
    if not isinstance(where, Struct):
        raise Unsupported(f"{where} where an address belongs")
    family = where.field("sa_family")
    if family is not None and integer(family) == value_of("AF_UNSPEC"):
        raise Unsupported("connect() to AF_UNSPEC, which disconnects")
    port, host = where.field("sin_port"), where.field("sin_addr")
    said = text(host.arguments[0]) if isinstance(host, Applied) and host.arguments else None
    if port is None or said is None:
        raise Unsupported(f"{where} where an address belongs")
    return address(said.decode()), integer(port)


def listen(world: World, call: Call) -> Waiting:
    """listen(2); a second time changes the backlog."""
    file = world.tcp(integer(call.arguments[0]))
    backlog = integer(call.arguments[1])
    if file.socket is not None:
        raise CallFailed(errno.EINVAL)
    if file.listener is not None:
        file.listener.backlog = min(backlog, world.settings.somaxconn)
        return 0
    where, port = file.bound or (None, 0)
    with _port_of(world, file):
        file.listener = world.host.listen(where, port, world.now, backlog=backlog, options=file.options)
    world.listens(file)
    return 0
    yield


def accept(world: World, call: Call) -> Waiting:
    """accept(2): the connection becomes the application's."""
    file = world.tcp(integer(call.arguments[0]))
    flags = integer(call.arguments[3]) if len(call.arguments) > 3 else 0
    if file.listener is None:
        raise CallFailed(errno.EINVAL)
    while (accepted := file.listener.accept()) is None:
        if file.nonblocking:
            raise CallFailed(errno.EAGAIN)
        yield None
    child = TcpFile(ipv6=file.ipv6, nonblocking=bool(flags & O_NONBLOCK))
    child.socket = accepted
    fd = new_descriptor(world, call, again=True)
    world.files[fd] = child
    hand_over(world, accepted.name.remote_port, child)
    return fd


def hand_over(world: World, remote_port: int, child: File) -> None:
    """Let the connection that the script talks about be the accepted one."""
    for subject in world.subjects:
        if subject.remote_port == remote_port and subject.file is None:
            subject.file = child


def connect(world: World, call: Call) -> Waiting:
    """connect(2): at once, or when it is known how it went."""
    file = world.tcp(integer(call.arguments[0]))
    remote = remote_of(world, call.arguments[1])
    if remote is None:
        _disconnect(world, file)
        return 0
    if file.deferred is not None:
        raise CallFailed(errno.EISCONN)
    if file.socket is None:
        if file.options.tcp_fastopen_connect and file.listener is None:
            local = None if file.bound is None else file.bound[0]
            if world.host.takes_text(remote[0], world.now, local=local, options=file.options):
                file.deferred = remote
                return 0
        begin_connect(world, file, remote, b"" if file.options.tcp_fastopen_connect else None)
        if file.nonblocking:
            raise CallFailed(errno.EINPROGRESS)
    elif not file.connecting:
        raise CallFailed(errno.EISCONN)
    elif file.opening and file.nonblocking:
        raise CallFailed(errno.EALREADY)
    yield from until_open(file)
    file.connecting = False
    error = file.take_error()
    if error:
        _disconnect(world, file)
        raise CallFailed(error)
    return 0


def remote_of(world: World, to: Expression) -> tuple[bytes, int] | None:
    """Return the address and port that a call names; None for AF_UNSPEC, which is nobody's."""
    family = to.field("sa_family") if isinstance(to, Struct) else to
    if str(family) == "AF_UNSPEC":
        return None
    return target(to, (world.conditions.remote, world.conditions.connect_port))


def _disconnect(world: World, file: TcpFile) -> None:
    """connect() to AF_UNSPEC: the connection is reset, and the socket as good as new."""
    if file.listener is not None:
        file.listener.close(world.now)
    elif file.socket is not None and file.socket.state is not CLOSED:
        file.socket.abort(world.now)
    file.options = file.live_options.clone()
    file.socket, file.listener, file.deferred = None, None, None
    file.connecting = file.no_reading = file.no_writing = False
    world.stage.collect()


def begin_connect(world: World, file: TcpFile, remote: tuple[bytes, int], data: bytes | None = None) -> None:
    """Send the SYN; with ``data``, by fast open."""
    if file.listener is not None:
        raise CallFailed(errno.EISCONN)
    local, port = file.bound or (None, 0)
    world.connects(file, remote)
    with _port_of(world, file):
        file.socket = world.host.connect(
            remote[0], remote[1], world.now, local=local, local_port=port, options=file.options, data=data
        )
    file.connecting = True
    world.stage.collect()


def until_open(file: TcpFile) -> Waiting:
    """Wait until connect() has an outcome."""
    while file.opening:
        yield None
    return 0


def shutdown(world: World, call: Call) -> Waiting:
    """shutdown(2)."""
    file = world.tcp(integer(call.arguments[0]))
    how = integer(call.arguments[1])
    if how not in (_SHUT_RD, _SHUT_WR, _SHUT_RDWR):
        raise CallFailed(errno.EINVAL)
    if file.listener is not None:
        if how != _SHUT_WR:
            file.listener.close(world.now)
        return 0
    socket = file.socket
    if socket is None or socket.state in (CLOSED, TIME_WAIT):
        raise CallFailed(errno.ENOTCONN)
    if how != _SHUT_WR:
        file.no_reading = True
    if how != _SHUT_RD and not file.no_writing:  # a second time changes nothing
        file.no_writing = True
        if socket.state is SYN_SENT:
            socket.close(world.now)
        elif socket.state not in (CLOSING, LAST_ACK):
            socket.shutdown(world.now)
    return 0
    yield


def close(world: World, call: Call) -> Waiting:
    """close(2)."""
    fd = integer(call.arguments[0])
    file = world.files.get(fd)
    if file is None:
        raise CallFailed(errno.EBADF)
    del world.files[fd]
    if isinstance(file, EpollFile):
        return 0
    for each in world.files.values():
        if isinstance(each, EpollFile):
            each.watches.pop(fd, None)
    if isinstance(file, TcpFile) and file.listener is not None:
        file.listener.close(world.now)
    elif isinstance(file, TcpFile) and file.socket is not None:
        file.socket.close(world.now)
        world.stage.collect()
        yield from _linger(world, file, file.socket)
    elif isinstance(file, TcpFile) and file.claim is not None:
        world.host.unbind(file.claim)
    return 0


def _linger(world: World, file: TcpFile, socket: Socket) -> Waiting:
    """Wait until all is acknowledged and the FIN, as SO_LINGER says how long, whether the socket blocks or not."""
    until = world.now + (file.live_options.so_linger or 0) * SECOND
    while FIN_PENDING[socket.state] and world.now < until:
        yield until
    return 0


def fcntl(world: World, call: Call) -> Waiting:
    """fcntl(2): F_GETFL and F_SETFL."""
    file = world.tcp(integer(call.arguments[0]))
    what = integer(call.arguments[1])
    if what == value_of("F_GETFL"):
        return O_RDWR | (O_NONBLOCK if file.nonblocking else 0)
    if what != value_of("F_SETFL"):
        raise Unsupported(f"fcntl() with {call.arguments[1]}")
    file.nonblocking = bool(integer(call.arguments[2]) & O_NONBLOCK)
    return 0
    yield
