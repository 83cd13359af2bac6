"""System calls of a script, made to Linux.  Sockets never block: a call that would is tried again as time passes."""

from __future__ import annotations

import errno
import fcntl
import select
import socket
import struct
import time
from collections.abc import Callable
from threading import Thread
from typing import TYPE_CHECKING, Final

from tulpen.drill.calls_data import vector_length
from tulpen.drill.calls_error import ERRQUEUE, RECVERR, TIMESTAMPING, check_message
from tulpen.drill.calls_open import hand_over, new_descriptor, target
from tulpen.drill.calls_option import compare, linger
from tulpen.drill.calls_wait import poll_deadline, poll_item
from tulpen.drill.evaluate import integer, is_any, text
from tulpen.drill.expression import Array, Expression, Struct
from tulpen.drill.kernel_epoll import CALLS as EPOLL
from tulpen.drill.kernel_file import KernelFile, file_of, sock_of
from tulpen.drill.kernel_stage import KernelStage
from tulpen.drill.problems import Mismatch, Unsupported
from tulpen.drill.subject import Phase
from tulpen.drill.symbols import value_of
from tulpen.drill.world import CallFailed, Waiting, World
from tulpen.tcp.stamping import Kind, Stamp
from tulpen.wire.address import text as address_text

if TYPE_CHECKING:
    from tulpen.drill.script import Call

_NONBLOCK: Final = 0o4000
_DONTWAIT: Final = 0x40
_FASTOPEN: Final = 0x2000_0000
_UNDER_WAY: Final = (errno.EINPROGRESS, errno.EALREADY, errno.EISCONN)
_ANCILLARY: Final = 512  # octets of room for control messages


def begin(world: World, call: Call) -> Waiting:
    """Return the call, ready to be run up to where it waits."""
    function = _CALLS.get(call.name)
    if function is None:
        raise Unsupported(f"{call.name}() made to Linux")
    return _translated(function(world, call))


def close_all(world: World) -> None:
    """Leave nothing open."""
    for file in world.files.values():
        if isinstance(file, KernelFile):
            file.close()
    world.files.clear()


def _translated(waiting: Waiting) -> Waiting:
    """Turn Python's errors into what a system call returns."""
    try:
        return (yield from waiting)
    except OSError as error:
        raise CallFailed(error.errno or errno.EINVAL) from None


def _stage(world: World) -> KernelStage:
    assert isinstance(world.stage, KernelStage)
    return world.stage


def _again(file: KernelFile, flags: int, attempt: Callable[[], int]) -> Waiting:
    """Try until it does not have to wait."""
    while True:
        try:
            return attempt()
        except BlockingIOError:
            if file.nonblocking or flags & _DONTWAIT:
                raise CallFailed(errno.EAGAIN) from None
        yield None


def _socket(world: World, call: Call) -> Waiting:
    domain, kind, protocol = call.arguments
    family = socket.AF_INET if world.conditions.ip_version == "ipv4" else socket.AF_INET6
    if not is_any(domain):
        family = socket.AddressFamily(integer(domain))
    flags = integer(kind)
    sock = _stage(world).network.open_socket(family, flags & 0xF, integer(protocol))
    if _stage(world).congestion:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, _stage(world).congestion.encode())
    fd = new_descriptor(world, call)
    world.files[fd] = file = KernelFile(sock, nonblocking=bool(flags & _NONBLOCK))
    world.new_subject(Phase.NEW, file)
    return fd
    yield


def _address(world: World, sock: socket.socket, where: tuple[bytes, int]) -> tuple[str, int]:
    said = address_text(where[0])
    if sock.family == socket.AF_INET6 and len(where[0]) == 4:
        said = f"::ffff:{said}"
    return said, where[1]


def _bind(world: World, call: Call) -> Waiting:
    sock = sock_of(file_of(world, call))
    where = target(call.arguments[1], (world.conditions.local, world.conditions.bind_port))
    sock.bind(_address(world, sock, where))
    return 0
    yield


def _listen(world: World, call: Call) -> Waiting:
    file = file_of(world, call)
    sock_of(file).listen(integer(call.arguments[1]))
    world.listens(file)
    return 0
    yield


def _accept(world: World, call: Call) -> Waiting:
    file = file_of(world, call)
    found: list[tuple[socket.socket, tuple[str, int]]] = []

    def attempt() -> int:
        found.append(sock_of(file).accept())
        return 0

    yield from _again(file, 0, attempt)
    sock, peer = found[0]
    flags = integer(call.arguments[3]) if len(call.arguments) > 3 else 0
    child = KernelFile(sock, nonblocking=bool(flags & _NONBLOCK))
    fd = new_descriptor(world, call)
    world.files[fd] = child
    hand_over(world, peer[1], child)
    return fd


def _connect(world: World, call: Call) -> Waiting:
    file = file_of(world, call)
    sock = sock_of(file)
    where = target(call.arguments[1], (world.conditions.remote, world.conditions.connect_port))
    outcome = sock.connect_ex(_address(world, sock, where))
    if outcome in (0, errno.EINPROGRESS) and not file.connects:
        file.connects = True
        world.connects(file, where)
    elif outcome not in (0, *_UNDER_WAY):
        file.connects = False
    if outcome == errno.EINPROGRESS and not file.nonblocking:
        while not select.select([], [sock], [], 0)[1]:
            yield None
        outcome = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if outcome:
        raise CallFailed(outcome)
    return 0


def _receive(world: World, call: Call) -> Waiting:
    """read, recv, recvfrom."""
    file = file_of(world, call)
    flags = integer(call.arguments[3]) if len(call.arguments) > 3 else 0
    length = integer(call.arguments[2])
    return (yield from _again(file, flags, lambda: len(sock_of(file).recv(length, flags))))


def _receive_message(world: World, call: Call) -> Waiting:
    file = file_of(world, call)
    header = call.arguments[1]
    vector = header.field("msg_iov") if isinstance(header, Struct) else None
    if vector is None or not isinstance(header, Struct):
        raise Unsupported(f"{header} where a struct msghdr belongs")
    length, flags = vector_length(vector), integer(call.arguments[2])
    if flags & ERRQUEUE:
        return _from_error_queue(world, file, header, length)
    if header.field("msg_control") is not None:
        raise Unsupported("recvmsg() with control messages made to Linux")
    return (yield from _again(file, flags, lambda: len(sock_of(file).recv(length, flags))))


def _from_error_queue(world: World, file: KernelFile, header: Struct, length: int) -> int:
    """Take one entry, and compare it with what the script expects of the message."""
    data, control, flags, _ = sock_of(file).recvmsg(length, _ANCILLARY, ERRQUEUE)
    at, stamp, error = -1, Stamp(Kind.SENT, 0, 0), (0, 0)
    for level, type, body in control:
        if (level, type) == (socket.SOL_SOCKET, TIMESTAMPING):
            seconds, nanoseconds = struct.unpack_from("=qq", body)
            at = seconds * 1_000_000_000 + nanoseconds - time.time_ns() + time.monotonic_ns()
        elif (level, type) in RECVERR.values():
            _errno, _origin, _type, _code, _, info, number = struct.unpack_from("=IBBBBII", body)
            stamp, error = Stamp(Kind(info), number, at), (level, type)
    check_message(world, header, stamp, flags, error, told=at >= 0)
    return len(data)


def _transmit(world: World, call: Call) -> Waiting:
    """write, send, sendto without an address."""
    flags = integer(call.arguments[3]) if len(call.arguments) > 3 else 0
    if str(call.arguments[1]) == "NULL":
        raise Unsupported("a bad pointer given to Linux")
    if len(call.arguments) > 4 and flags & _FASTOPEN:
        return (yield from _fast_open(world, call, flags))
    return (yield from _send_all(file_of(world, call), integer(call.arguments[2]), flags))


def _fast_open(world: World, call: Call, flags: int) -> Waiting:
    """sendto(2) that opens a connection and sends with its SYN."""
    file = file_of(world, call)
    sock = sock_of(file)
    where = target(call.arguments[4], (world.conditions.remote, world.conditions.connect_port))
    world.connects(file, where)
    data = bytes(integer(call.arguments[2]))
    try:
        return sock.sendto(data, flags, _address(world, sock, where))
    except BlockingIOError as error:
        if file.nonblocking or error.errno != errno.EINPROGRESS:
            raise CallFailed(error.errno or errno.EAGAIN) from None
    while not select.select([], [sock], [], 0)[1]:
        yield None
    error_number = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if error_number:
        raise CallFailed(error_number)
    return (yield from _send_all(file, len(data), flags & ~_FASTOPEN))


def _transmit_vector(world: World, call: Call) -> Waiting:
    header = call.arguments[1]
    vector: Expression | None = header.field("msg_iov") if isinstance(header, Struct) else header
    if vector is None:
        raise Unsupported(f"{header} where an iovec belongs")
    flags = integer(call.arguments[2]) if call.name == "sendmsg" else 0
    return (yield from _send_all(file_of(world, call), vector_length(vector), flags))


def _send_all(file: KernelFile, length: int, flags: int) -> Waiting:
    taken = 0
    while True:
        try:
            taken += sock_of(file).send(bytes(length - taken), flags | socket.MSG_NOSIGNAL)
            if taken >= length:
                return taken
        except BlockingIOError:
            pass
        if file.nonblocking or flags & _DONTWAIT:
            if taken:
                return taken
            raise CallFailed(errno.EAGAIN)
        yield None


def _close(world: World, call: Call) -> Waiting:
    file = world.files.pop(integer(call.arguments[0]), None)
    if not isinstance(file, KernelFile):
        raise CallFailed(errno.EBADF)
    if file.lingers:
        closing = Thread(target=file.close)
        closing.start()
        while closing.is_alive():
            yield None
    else:
        file.close()
    return 0


def _shutdown(world: World, call: Call) -> Waiting:
    sock_of(file_of(world, call)).shutdown(integer(call.arguments[1]))
    return 0
    yield


def _fcntl(world: World, call: Call) -> Waiting:
    file = file_of(world, call)
    if integer(call.arguments[1]) == value_of("F_GETFL"):
        return 2 | (_NONBLOCK if file.nonblocking else 0)
    file.nonblocking = bool(integer(call.arguments[2]) & _NONBLOCK)
    return 0
    yield


def _ioctl(world: World, call: Call) -> Waiting:
    answer = fcntl.ioctl(sock_of(file_of(world, call)), integer(call.arguments[1]), bytes(4))
    found = struct.unpack("=i", answer)[0]
    if not is_any(call.arguments[2]):
        compare(f"ioctl {call.arguments[1]}", integer(call.arguments[2]), found)
    return 0
    yield


def _setsockopt(world: World, call: Call) -> Waiting:
    sock = sock_of(file_of(world, call))
    level, name, value = integer(call.arguments[1]), integer(call.arguments[2]), call.arguments[3]
    said = text(value)
    if str(call.arguments[2]) == "SO_LINGER":
        sock.setsockopt(level, name, struct.pack("=ii", *linger(value)))
    elif said is not None:
        sock.setsockopt(level, name, said)
    else:
        sock.setsockopt(level, name, struct.pack("=I", integer(value) & 0xFFFF_FFFF))
    return 0
    yield


def _getsockopt(world: World, call: Call) -> Waiting:
    sock = sock_of(file_of(world, call))
    level, name, expected = integer(call.arguments[1]), integer(call.arguments[2]), call.arguments[3]
    words = str(call.arguments[2])
    if words == "SO_LINGER":
        compare(words, linger(expected), struct.unpack("=ii", sock.getsockopt(level, name, 8)))
    elif (said := text(expected)) is not None:
        compare(words, said.rstrip(b"\0"), sock.getsockopt(level, name, 64).rstrip(b"\0"))
    elif isinstance(expected, Array):
        compare(words, integer(expected) & 0xFFFF_FFFF, sock.getsockopt(level, name) & 0xFFFF_FFFF)
    return 0
    yield


def _poll(world: World, call: Call) -> Waiting:
    items = call.arguments[0]
    if not isinstance(items, Array):
        raise Unsupported(f"{items} where an array of struct pollfd belongs")
    wanted = [poll_item(item) for item in items.items]
    deadline = poll_deadline(world, integer(call.arguments[2]))
    poller = select.poll()
    numbers = {}
    for fd, events, _ in wanted:
        file = world.files.get(fd)
        if not isinstance(file, KernelFile):
            raise CallFailed(errno.EBADF)
        numbers[fd] = sock_of(file).fileno()
        poller.register(numbers[fd], events)
    while not (found := dict(poller.poll(0))) and (deadline is None or world.now < deadline):
        yield deadline
    for fd, _, expected in wanted:
        got = found.get(numbers[fd], 0)
        if expected != got:
            raise Mismatch(f"revents of {fd} differ", expected=f"{expected:#x}", got=f"{got:#x}")
    return len(found)


_CALLS: Final[dict[str, Callable[[World, Call], Waiting]]] = {
    "socket": _socket, "bind": _bind, "listen": _listen, "accept": _accept, "accept4": _accept, "connect": _connect,
    "read": _receive, "recv": _receive, "recvfrom": _receive, "recvmsg": _receive_message, "write": _transmit,
    "send": _transmit, "sendto": _transmit, "writev": _transmit_vector, "sendmsg": _transmit_vector, "close": _close,
    "shutdown": _shutdown, "fcntl": _fcntl, "ioctl": _ioctl, "setsockopt": _setsockopt, "getsockopt": _getsockopt,
    "poll": _poll, **EPOLL,
}  # fmt: skip
