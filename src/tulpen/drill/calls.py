"""System calls by name, and the comparison of what they return with what the script expects."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from tulpen.drill import calls_data, calls_open, calls_option, calls_wait
from tulpen.drill.evaluate import integer, is_any
from tulpen.drill.problems import Mismatch, Unsupported
from tulpen.drill.symbols import errno_name, value_of
from tulpen.drill.world import CallFailed, Waiting, World
from tulpen.tcp.errors import TcpError

if TYPE_CHECKING:
    from tulpen.drill.script import Call

_CALLS: Final[dict[str, tuple[Callable[[World, Call], Waiting], int]]] = {
    "socket": (calls_open.socket, 3),
    "bind": (calls_open.bind, 3),
    "listen": (calls_open.listen, 2),
    "accept": (calls_open.accept, 3),
    "accept4": (calls_open.accept, 4),
    "connect": (calls_open.connect, 3),
    "shutdown": (calls_open.shutdown, 2),
    "close": (calls_open.close, 1),
    "fcntl": (calls_open.fcntl, 2),
    "read": (calls_data.read, 3),
    "readv": (calls_data.readv, 3),
    "recv": (calls_data.recv, 4),
    "recvfrom": (calls_data.recv, 6),
    "recvmsg": (calls_data.recvmsg, 3),
    "write": (calls_data.write, 3),
    "writev": (calls_data.writev, 3),
    "send": (calls_data.send, 4),
    "sendto": (calls_data.sendto, 6),
    "sendmsg": (calls_data.sendmsg, 3),
    "ioctl": (calls_data.ioctl, 3),
    "getsockopt": (calls_option.getsockopt, 5),
    "setsockopt": (calls_option.setsockopt, 5),
    "poll": (calls_wait.poll, 3),
    "epoll_create": (calls_wait.epoll_create, 1),
    "epoll_create1": (calls_wait.epoll_create, 1),
    "epoll_ctl": (calls_wait.epoll_ctl, 4),
    "epoll_wait": (calls_wait.epoll_wait, 4),
}
#: Calls that only a kernel can answer.
_KERNEL: Final = frozenset(("cap_set", "open", "pipe", "psp_rx_assoc", "psp_tx_assoc", "sendfile", "splice"))


def begin(world: World, call: Call) -> Waiting:
    """Return the call, ready to be run up to where it waits."""
    if world.system is not None:
        return world.system(world, call)
    if call.name in _KERNEL:
        raise Unsupported(f"{call.name}(), which only a kernel has")
    if call.name not in _CALLS:
        raise Unsupported(f"the system call {call.name}()")
    function, least = _CALLS[call.name]
    if len(call.arguments) < least:
        raise Mismatch(f"{call.name}() takes {least} arguments, not {len(call.arguments)}")
    return _translated(function(world, call))


def _translated(waiting: Waiting) -> Waiting:
    """Turn the host's errors into what a system call returns."""
    try:
        return (yield from waiting)
    except TcpError as error:
        raise CallFailed(error.errno) from None


def check(call: Call, outcome: int | CallFailed) -> None:
    """Raise Mismatch where the outcome is not the one expected."""
    if is_any(call.result):
        return
    expected = integer(call.result)
    got = -1 if isinstance(outcome, CallFailed) else outcome
    failed = outcome.errno if isinstance(outcome, CallFailed) else 0
    if expected != got:
        raise Mismatch(f"{call.name}() returned another value", expected=_words(expected, call.errno), got=_words(
            got, errno_name(failed) if failed else None), warning=True)  # fmt: skip
    if call.errno is None or expected != -1:
        return
    number = value_of(call.errno)
    if number is None:
        raise Unsupported(f"the error {call.errno}")
    if number != failed:
        raise Mismatch(f"{call.name}() failed otherwise", expected=call.errno, got=errno_name(failed), warning=True)


def _words(value: int, error: str | None) -> str:
    return str(value) if error is None else f"{value} {error}"
