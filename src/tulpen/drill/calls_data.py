"""read, write and their relations, ioctl."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Final

from tulpen.drill import fast_open
from tulpen.drill.calls_error import ERRQUEUE, from_error_queue
from tulpen.drill.calls_open import remote_of, until_open
from tulpen.drill.descriptor import ERR, HUP, OUT, RDHUP
from tulpen.drill.evaluate import integer, is_any
from tulpen.drill.expression import Array, Expression, Field, Struct
from tulpen.drill.problems import Mismatch, Unsupported
from tulpen.drill.symbols import value_of
from tulpen.drill.world import CallFailed, Waiting, World
from tulpen.tcp.errors import TcpError
from tulpen.tcp.state import CLOSED

if TYPE_CHECKING:
    from tulpen.drill.descriptor import TcpFile
    from tulpen.drill.script import Call

OOB: Final = 0x1
PEEK: Final = 0x2
TRUNC: Final = 0x20
EOR: Final = 0x80
DONTWAIT: Final = 0x40
WAITALL: Final = 0x100
NOSIGNAL: Final = 0x4000
MORE: Final = 0x8000
FASTOPEN: Final = 0x20000000

_WITHOUT: Final = {
    "MSG_ZEROCOPY": "zero copy",
}


def read(world: World, call: Call) -> Waiting:
    """read(2)."""
    _buffer(call)
    return (yield from receive(world, _file(world, call), integer(call.arguments[2]), 0))


def recv(world: World, call: Call) -> Waiting:
    """recv(2) and recvfrom(2)."""
    _buffer(call)
    flags = integer(call.arguments[3])
    return (yield from receive(world, _file(world, call), integer(call.arguments[2]), flags))


def readv(world: World, call: Call) -> Waiting:
    """readv(2)."""
    return (yield from receive(world, _file(world, call), vector_length(call.arguments[1]), 0))


def recvmsg(world: World, call: Call) -> Waiting:
    """recvmsg(2): text, and what TCP_INQ tells of the rest."""
    file = _file(world, call)
    header = _header(call.arguments[1])
    flags = integer(call.arguments[2])
    vector = header.field("msg_iov")
    if flags & ERRQUEUE:
        return from_error_queue(world, _file(world, call), header, 0 if vector is None else vector_length(vector))
    result = yield from receive(world, file, 0 if vector is None else vector_length(vector), flags)
    expected = header.field("msg_control")
    if isinstance(expected, Array):
        _check_control(file, expected)
    return result


def _check_control(file: TcpFile, expected: Array) -> None:
    for item in expected.items:
        if not isinstance(item, Struct):
            raise Unsupported(f"the control message {item}")
        type, data = item.field("cmsg_type"), item.field("cmsg_data")
        if type is None or data is None or integer(type) != value_of("TCP_CM_INQ"):
            raise Unsupported(f"control messages of {type}")
        left = left_to_read(file)
        if integer(data) != left:
            raise Mismatch("the control message TCP_CM_INQ differs", expected=str(integer(data)), got=str(left))


def left_to_read(file: TcpFile) -> int:
    """Return what TCP_INQ tells: octets in the queue, or 1 for the end, which a read would tell."""
    left = 0 if file.socket is None else file.socket.readable
    return left if left or not file.ready() & RDHUP else 1


def receive(world: World, file: TcpFile, limit: int, flags: int) -> Waiting:
    """Take up to ``limit`` octets, as tcp_recvmsg() does; they are zeros, and so are not given back."""
    _refuse(flags & ~(PEEK | TRUNC | DONTWAIT | WAITALL | NOSIGNAL | OOB))
    if flags & OOB:
        raise Unsupported("MSG_OOB on receipt")
    taken = 0
    while True:
        socket = file.socket
        if socket is None:
            raise CallFailed(errno.ENOTCONN if file.deferred is None else errno.EAGAIN)
        if socket.readable and not (flags & PEEK):
            octets = socket.receive(limit - taken, world.now)
            taken += len(octets)
            world.stage.collect()
            if taken >= limit or not flags & WAITALL:
                return taken
            continue
        if socket.readable:
            return min(limit, socket.readable)
        if taken or socket.eof:
            return taken
        error = file.take_error()
        if error:
            raise CallFailed(error)
        if file.at_end:
            return 0
        if limit == 0:
            return 0
        if file.nonblocking or flags & DONTWAIT:
            raise CallFailed(errno.EAGAIN)
        yield None


def write(world: World, call: Call) -> Waiting:
    """write(2)."""
    _buffer(call)
    return (yield from transmit(world, _file(world, call), integer(call.arguments[2]), 0))


def send(world: World, call: Call) -> Waiting:
    """send(2)."""
    _buffer(call)
    flags = integer(call.arguments[3])
    return (yield from transmit(world, _file(world, call), integer(call.arguments[2]), flags))


def sendto(world: World, call: Call) -> Waiting:
    """sendto(2)."""
    _buffer(call)
    flags = integer(call.arguments[3])
    file, length = _file(world, call), integer(call.arguments[2])
    if world.profile.sendto_connects and file.socket is None:
        remote = remote_of(world, call.arguments[4])
        if remote is not None:
            fast_open.open_by_sendto(world, file, remote, length)
            return length
    to = remote_of(world, call.arguments[4]) if flags & FASTOPEN else None
    return (yield from transmit(world, file, length, flags, to))


def writev(world: World, call: Call) -> Waiting:
    """writev(2)."""
    return (yield from transmit(world, _file(world, call), vector_length(call.arguments[1]), 0))


def sendmsg(world: World, call: Call) -> Waiting:
    """sendmsg(2)."""
    header = _header(call.arguments[1])
    control = header.field("msg_control")
    if isinstance(control, Array) and control.items:
        raise Unsupported("control messages for sendmsg()")
    vector = header.field("msg_iov")
    length = 0 if vector is None else vector_length(vector)
    name, flags = header.field("msg_name"), integer(call.arguments[2])
    to = remote_of(world, name) if flags & FASTOPEN and name is not None else None
    return (yield from transmit(world, _file(world, call), length, flags, to))


def transmit(world: World, file: TcpFile, length: int, flags: int, to: tuple[bytes, int] | None = None) -> Waiting:
    """Send ``length`` zeros, as tcp_sendmsg() does; with MSG_FASTOPEN they open the connection ``to`` somebody."""
    _refuse(flags & ~(OOB | DONTWAIT | NOSIGNAL | FASTOPEN | MORE | EOR))
    waits = not (file.nonblocking or flags & DONTWAIT)
    taken = 0
    if fast_open.is_asked_for(file, flags):
        taken = yield from fast_open.open_with_text(world, file, to, length, waits=waits)
        if taken >= length or (taken and not waits):
            return taken
    return (yield from _send_all(world, file, length, taken, flags))


def _send_all(world: World, file: TcpFile, length: int, taken: int, flags: int) -> Waiting:
    waits = not (file.nonblocking or flags & DONTWAIT)
    while True:
        error = file.take_error()
        if error and not taken:
            raise CallFailed(error)
        socket = file.socket
        if error or socket is None or socket.state is CLOSED or file.no_writing:
            if taken:
                return taken
            raise CallFailed(errno.EPIPE)
        if file.opening:
            if not waits:
                raise CallFailed(errno.EAGAIN)
            yield from until_open(file)
            continue
        try:
            now_taken = socket.send(
                bytes(length - taken), world.now, push=not flags & MORE, urgent=bool(flags & OOB),
                eor=bool(flags & EOR),
            )  # fmt: skip
        except TcpError as failed:
            if taken:
                return taken
            raise CallFailed(failed.errno) from None
        world.stage.collect()
        taken += now_taken
        if taken >= length:
            return taken
        if now_taken and not waits:
            return taken
        if not now_taken:
            yield from _until_room(file, waits=waits)


def _until_room(file: TcpFile, *, waits: bool) -> Waiting:
    """Wait until there is a third of the send buffer, as tcp_sendmsg() does, or an end."""
    if not waits:
        raise CallFailed(errno.EAGAIN)
    yield None
    while not file.ready() & (OUT | ERR | HUP):
        yield None
    return 0


def ioctl(world: World, call: Call) -> Waiting:
    """ioctl(2): how much waits in the queues."""
    file = _file(world, call)
    found = queued(file, integer(call.arguments[1]))
    expected = call.arguments[2]
    if not is_any(expected) and integer(expected) != found:
        raise Mismatch(f"ioctl {call.arguments[1]} differs", expected=str(integer(expected)), got=str(found))
    return 0
    yield


def queued(file: TcpFile, request: int) -> int:
    """Return what an ioctl asks for: how much is to be read, not acknowledged, or not sent."""
    socket = file.socket
    if file.listener is not None:
        raise CallFailed(errno.EINVAL)
    if socket is None:
        return 0
    if request == value_of("SIOCINQ"):
        return socket.readable
    if request == value_of("SIOCOUTQ"):
        return socket.unacknowledged
    if request == value_of("SIOCOUTQNSD"):
        status = socket.status()
        return max(0, status.send_queue - (status.snd_nxt - status.snd_una))
    raise Unsupported(f"ioctl() with {request:#x}")


def _buffer(call: Call) -> None:
    """A null pointer is no buffer."""
    if str(call.arguments[1]) == "NULL" and integer(call.arguments[2]):
        raise CallFailed(errno.EFAULT)


def _file(world: World, call: Call) -> TcpFile:
    return world.tcp(integer(call.arguments[0]))


def _refuse(flags: int) -> None:
    """Skip what the host cannot do."""
    for name, what in _WITHOUT.items():
        if flags & (value_of(name) or 0):
            raise Unsupported(what)
    if flags:
        raise Unsupported(f"message flags {flags:#x}")


def _header(header: Expression) -> Struct:
    if not isinstance(header, Struct):
        raise Unsupported(f"{header} where a struct msghdr belongs")
    return header


def vector_length(vector: Expression) -> int:
    """Return the octets of all parts of an iovec."""
    if not isinstance(vector, Array):
        raise Unsupported(f"{vector} where an iovec belongs")
    total = 0
    for item in vector.items:
        if not isinstance(item, Struct) or len(item.items) != 2:
            raise Unsupported(f"{item} where a part of an iovec belongs")
        length = item.items[1]
        total += integer(length.value if isinstance(length, Field) else length)
    return total
