"""recvmsg with MSG_ERRQUEUE: what became of what was sent (SO_TIMESTAMPING)."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Final

from tulpen.drill.evaluate import integer
from tulpen.drill.expression import Array, Expression, Struct
from tulpen.drill.problems import Mismatch, Unsupported
from tulpen.drill.symbols import value_of
from tulpen.drill.world import CallFailed, World

if TYPE_CHECKING:
    from tulpen.drill.descriptor import TcpFile
    from tulpen.tcp.stamping import Stamp

ERRQUEUE: Final = 0x2000
TRUNC: Final = 0x20
SOFTWARE: Final = 1 << 4
OPT_TSONLY: Final = 1 << 11
MASK: Final = (1 << 19) - 1
SOL_SOCKET: Final = 1
TIMESTAMPING: Final = 37
ORIGIN_TIMESTAMPING: Final = 4
RECVERR: Final = {False: (0, 11), True: (41, 25)}
SECOND: Final = 1_000_000_000


def set_timestamping(world: World, file: TcpFile, flags: int) -> None:
    """SO_TIMESTAMPING: of what is sent, as software sees it."""
    from tulpen.tcp.stamping import OPT_ID

    if flags & ~MASK:
        raise CallFailed(errno.EINVAL)
    if file.socket is None:
        if flags & OPT_ID:
            raise CallFailed(errno.EINVAL)
    else:
        file.socket.set_timestamping(flags)
    file.extra["SO_TIMESTAMPING"] = flags


def from_error_queue(world: World, file: TcpFile, header: Struct, room: int) -> int:
    """Take one entry, and compare it with what the script expects of the message."""
    stamp, flags, told = next_entry(file, room)
    check_message(world, header, stamp, flags, RECVERR[file.ipv6], told=told)
    return 0


def next_entry(file: TcpFile, room: int) -> tuple[Stamp, int, bool]:
    """Take one entry: it, the flags of its message, and whether its moment is told."""
    stamp = None if file.socket is None else file.socket.next_stamp()
    if stamp is None:
        raise CallFailed(errno.EAGAIN)
    asked = file.extra.get("SO_TIMESTAMPING", 0)
    alone = bool(asked & OPT_TSONLY)
    if room and not alone:
        raise Unsupported("the packet that a timestamp is of")
    return stamp, ERRQUEUE | (0 if alone else TRUNC), bool(asked & SOFTWARE)


def check_message(world: World, header: Struct, stamp: Stamp, got: int, error: tuple[int, int], *, told: bool) -> None:
    """Compare an entry and its flags with the struct msghdr of a script.

    ``error``: level and type of the control message; ``told``: the entry's moment is in another.
    """
    flags = header.field("msg_flags")
    if flags is not None and integer(flags) != got:
        raise Mismatch("msg_flags differ", expected=f"{integer(flags):#x}", got=f"{got:#x}")
    control = header.field("msg_control")
    if isinstance(control, Array):
        _check_control(world, control, stamp, error, told=told)


def _check_control(world: World, control: Array, stamp: Stamp, error: tuple[int, int], *, told: bool) -> None:
    wanted = [_message(item) for item in control.items]
    kinds = [(SOL_SOCKET, TIMESTAMPING)] if told else []
    kinds.append(error)
    if [kind for kind, _ in wanted] != kinds:
        expected = ", ".join(f"{level}:{type}" for (level, type), _ in wanted)
        raise Mismatch("the control messages differ", expected=expected, got=", ".join(f"{a}:{b}" for a, b in kinds))
    if told:
        _check_moment(world, wanted[0][1], stamp)
    _check_error(wanted[-1][1], stamp)


def _message(item: Expression) -> tuple[tuple[int, int], Struct]:
    """Return level and type of a control message, and its data."""
    if isinstance(item, Struct):
        level, type, data = item.field("cmsg_level"), item.field("cmsg_type"), item.field("cmsg_data")
        if level is not None and type is not None and isinstance(data, Struct):
            return (integer(level), integer(type)), data
    raise Unsupported(f"the control message {item}")


def _check_moment(world: World, data: Struct, stamp: Stamp) -> None:
    seconds, nanoseconds = data.field("scm_sec"), data.field("scm_nsec")
    expected = (integer(seconds) if seconds is not None else 0) * SECOND
    expected += integer(nanoseconds) if nanoseconds is not None else 0
    got = stamp.at - world.begin
    if expected and abs(expected - got) > world.conditions.tolerance:
        raise Mismatch("the timestamp differs", expected=f"{expected / SECOND:.6f} s", got=f"{got / SECOND:.6f} s")


def _check_error(data: Struct, stamp: Stamp) -> None:
    """Compare a struct sock_extended_err."""
    entry = {
        "ee_errno": errno.ENOMSG,
        "ee_origin": ORIGIN_TIMESTAMPING,
        "ee_type": 0,
        "ee_code": 0,
        "ee_info": int(stamp.kind),
        "ee_data": stamp.octet,
    }
    for name, got in entry.items():
        field = data.field(name)
        if field is not None and integer(field) != got:
            raise Mismatch(f"{name} differs", expected=str(field), got=_named(name, got))


def _named(field: str, value: int) -> str:
    if field == "ee_info":
        for name in ("SCM_TSTAMP_SND", "SCM_TSTAMP_SCHED", "SCM_TSTAMP_ACK"):
            if value_of(name) == value:
                return name
    return str(value)
