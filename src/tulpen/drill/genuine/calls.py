"""System calls that come as numbers, made as if a script had written them."""

from __future__ import annotations

import errno
from collections.abc import Callable
from struct import pack, unpack
from typing import TYPE_CHECKING, Final, TypeAlias

from tulpen.drill import calls, calls_data, calls_option, calls_wait
from tulpen.drill.calls_error import ERRQUEUE, RECVERR, SOL_SOCKET, TIMESTAMPING, next_entry
from tulpen.drill.descriptor import EpollFile, TcpFile
from tulpen.drill.expression import Any, Array, Expression, Field, Number, Struct, Text, Word
from tulpen.drill.genuine.protocol import NULL_BUFFER, Op, Question
from tulpen.drill.genuine.structures import (
    address_of,
    build_address,
    build_control,
    build_epoll_events,
    build_error,
    build_info,
    build_moment,
    build_poll_items,
    poll_items,
)
from tulpen.drill.problems import Unsupported
from tulpen.drill.script import Call
from tulpen.drill.symbols import option_name
from tulpen.drill.world import CallFailed, Waiting, World

if TYPE_CHECKING:
    from tulpen.drill.evaluate import Expression as Value

#: What goes back beside the result: a number, and octets.
Extra: TypeAlias = tuple[int, bytes]
#: A call under way, and what finds the rest of its answer once it has succeeded.
Begun: TypeAlias = tuple[Waiting, Callable[[], Extra]]

FIRST_FD: Final = 1 << 20  # as in shim.c
_CONGESTION_NAME: Final = 16  # octets
_MEMINFO: Final = 9 * 4
_TCP: Final = 6
_TEXTS: Final = ("TCP_CONGESTION", "TCP_FASTOPEN_KEY", "TCP_MD5SIG", "TCP_MD5SIG_EXT")
_TCP_CM_INQ: Final = 36


def begin(world: World, question: Question) -> Begun:
    """Return the call, ready to be run up to where it waits."""
    if question.op in _OWN:
        return _OWN[question.op](world, question)
    call = Call(_NAMES[question.op], _ARGUMENTS[question.op](question), _new_descriptor(world, question.op))
    return calls.begin(world, call), _nothing


def _nothing() -> Extra:
    return 0, b""


def _new_descriptor(world: World, op: Op) -> Expression:
    """A call that gives a descriptor gives the next one."""
    if op not in (Op.SOCKET, Op.ACCEPT, Op.EPOLL_CREATE):
        return Any()
    return Number(max((FIRST_FD - 1, *world.files)) + 1)


def _numbers(*places: int) -> Callable[[Question], tuple[Expression, ...]]:
    """The arguments that are numbers, as they are."""
    return lambda question: tuple(Number(question.arguments[place]) for place in places)


def _with_address(question: Question) -> tuple[Expression, ...]:
    return Number(question.arguments[0]), address_of(question.data), Any()


def _buffer(question: Question) -> Expression:
    return Word("NULL") if question.arguments[2] == NULL_BUFFER else Any()


def _text(question: Question) -> tuple[Expression, ...]:
    fd, length, _, flags = question.arguments[:4]
    return Number(fd), _buffer(question), Number(length), Number(flags)


def _text_to(question: Question) -> tuple[Expression, ...]:
    to = address_of(question.data) if question.data else Any()
    return (*_text(question), to, Any())


def _message(question: Question) -> tuple[Expression, ...]:
    fd, length, flags, control = question.arguments[:4]
    if question.op is Op.SENDMSG and control:
        raise Unsupported("control messages for sendmsg()")
    parts = Array((Struct((Any(), Number(length))),))
    members = [Field("msg_iov", parts)]
    if question.data:
        members.append(Field("msg_name", address_of(question.data)))
    return Number(fd), Struct(tuple(members)), Number(flags)


def _option(question: Question) -> tuple[Expression, ...]:
    fd, level, number = question.arguments[:3]
    name = option_name(level, number) or f"option {number} of level {level}"
    return Number(fd), Number(level), Word(name), _value(name, question.data), Number(len(question.data))


def _value(name: str, data: bytes) -> Value:
    """Return the value of an option, as a script writes it."""
    if name == "SO_LINGER" and len(data) >= 8:
        on, seconds = unpack("=ii", data[:8])
        return Struct((Field("onoff", Number(on)), Field("linger", Number(seconds))))
    if name in _TEXTS:
        return Text(data)
    return Number(unpack("=i", data[:4].ljust(4, b"\0"))[0])


_NAMES: Final = {
    Op.SOCKET: "socket", Op.BIND: "bind", Op.LISTEN: "listen", Op.CONNECT: "connect", Op.READ: "read",
    Op.RECV: "recv", Op.WRITE: "write", Op.SEND: "send", Op.SENDTO: "sendto", Op.SENDMSG: "sendmsg",
    Op.FCNTL: "fcntl", Op.CLOSE: "close", Op.SHUTDOWN: "shutdown", Op.SETSOCKOPT: "setsockopt",
    Op.EPOLL_CREATE: "epoll_create",
}  # fmt: skip
_ARGUMENTS: Final[dict[Op, Callable[[Question], tuple[Expression, ...]]]] = {
    Op.SOCKET: _numbers(0, 1, 2), Op.BIND: _with_address, Op.LISTEN: _numbers(0, 1), Op.CONNECT: _with_address,
    Op.READ: _text, Op.RECV: _text, Op.WRITE: _text, Op.SEND: _text, Op.SENDTO: _text_to, Op.SENDMSG: _message,
    Op.FCNTL: _numbers(0, 1, 2), Op.CLOSE: _numbers(0), Op.SHUTDOWN: _numbers(0, 1), Op.SETSOCKOPT: _option,
    Op.EPOLL_CREATE: _numbers(0),
}  # fmt: skip


def _accept(world: World, question: Question) -> Begun:
    fd = _new_descriptor(world, Op.ACCEPT)
    assert isinstance(fd, Number)

    def peer() -> Extra:
        file = world.tcp(fd.value)
        assert file.socket is not None
        name = file.socket.name
        return 0, build_address(name.remote, name.remote_port, ipv6=file.ipv6)

    call = Call("accept", (Number(question.arguments[0]), Any(), Any()), fd)
    return calls.begin(world, call), peer


def _receive_message(world: World, question: Question) -> Begun:
    fd, room, flags = question.arguments[:3]
    if flags & ERRQUEUE:
        return _at_once(lambda: _error_entry(world.tcp(fd), room))

    def control() -> Extra:
        file = world.tcp(fd)
        if not file.extra.get("TCP_INQ"):
            return 0, b""
        return 0, build_control(_TCP, _TCP_CM_INQ, pack("=i", calls_data.left_to_read(file)))

    return calls.begin(world, Call("recvmsg", _message(question), Any())), control


def _error_entry(file: TcpFile, room: int) -> Extra:
    """Return the flags of a message from the error queue, and its control messages."""
    stamp, flags, told = next_entry(file, room)
    moment = build_control(SOL_SOCKET, TIMESTAMPING, build_moment(stamp)) if told else b""
    return flags, moment + build_control(*RECVERR[file.ipv6], build_error(stamp, ipv6=file.ipv6))


def _ioctl(world: World, question: Question) -> Begun:
    fd, request = question.arguments[:2]
    return _at_once(lambda: (calls_data.queued(world.tcp(fd), request & 0xFFFF_FFFF), b""))


def _get_option(world: World, question: Question) -> Begun:
    fd, level, number, room = question.arguments[:4]
    return _at_once(lambda: (0, _option_octets(world, world.tcp(fd), level, number, room)))


def _option_octets(world: World, file: TcpFile, level: int, number: int, room: int) -> bytes:
    name = option_name(level, number)
    if name is None:
        raise CallFailed(errno.ENOPROTOOPT)
    if name == "TCP_INFO":
        return build_info(file.fields(world.now), room)
    if name == "SO_MEMINFO":
        return bytes(min(room, _MEMINFO))
    if name in calls_option.STRUCTURES:
        return b""
    found = calls_option.option_of(world, file, level, name)
    if isinstance(found, tuple):
        return pack("=ii", *found)[:room]
    if isinstance(found, str):
        return found.encode().ljust(_CONGESTION_NAME, b"\0")[:room]
    return pack("=I", found & 0xFFFF_FFFF)[:room]


def _poll(world: World, question: Question) -> Begun:
    items = poll_items(question.data)
    found: list[int] = []
    waiting = calls_wait.until_ready(world, items, question.arguments[0], found)
    return waiting, lambda: (0, build_poll_items(items, found))


def _epoll_control(world: World, question: Question) -> Begun:
    epoll, how, fd, events, data = question.arguments[:5]
    event = Struct((Field("events", Number(events)), Field("u64", Number(data))))
    call = Call("epoll_ctl", (Number(epoll), Number(how), Number(fd), event), Any())
    return calls.begin(world, call), _nothing


def _epoll_wait(world: World, question: Question) -> Begun:
    fd, most, timeout = question.arguments[:3]
    reports: list[tuple[int, int]] = []

    def run() -> Waiting:
        epoll: EpollFile = world.epoll(fd)
        count = yield from calls_wait.until_reported(world, epoll, timeout, reports)
        return min(count, most)

    return run(), lambda: (0, build_epoll_events(reports[:most]))


def _other(world: World, question: Question) -> Begun:
    raise Unsupported(f"{question.data.decode('latin-1')}(), which only a kernel has")


def _at_once(find: Callable[[], Extra]) -> Begun:
    """A call that does not wait, returns 0, and is all in what it finds."""
    extra: list[Extra] = []

    def run() -> Waiting:
        extra.append(find())
        return 0
        yield

    return run(), lambda: extra[0]


_OWN: Final[dict[Op, Callable[[World, Question], Begun]]] = {
    Op.ACCEPT: _accept, Op.RECVMSG: _receive_message, Op.IOCTL: _ioctl, Op.GETSOCKOPT: _get_option, Op.POLL: _poll,
    Op.EPOLL_CTL: _epoll_control, Op.EPOLL_WAIT: _epoll_wait, Op.OTHER: _other,
}  # fmt: skip
