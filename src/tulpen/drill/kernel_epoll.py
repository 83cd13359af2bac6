"""epoll made to Linux."""

from __future__ import annotations

import errno
import select
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from tulpen.drill.calls_wait import epoll_event, poll_deadline
from tulpen.drill.evaluate import integer, is_any
from tulpen.drill.kernel_file import KernelFile, file_of, sock_of
from tulpen.drill.problems import Mismatch
from tulpen.drill.world import CallFailed, Waiting, World

if TYPE_CHECKING:
    from tulpen.drill.script import Call

_ADD, _DELETE = 1, 2


def _create(world: World, call: Call) -> Waiting:
    fd = integer(call.result)
    world.files[fd] = KernelFile(None)
    return fd
    yield


def _control(world: World, call: Call) -> Waiting:
    file = file_of(world, call)
    how = integer(call.arguments[1])
    number = sock_of(file_of(world, call, 2)).fileno()
    if how == _DELETE:
        _epoll(file).unregister(number)
        return 0
    events, data = epoll_event(call.arguments[3])
    file.marks[number] = data
    (_epoll(file).register if how == _ADD else _epoll(file).modify)(number, events)
    return 0
    yield


def _wait(world: World, call: Call) -> Waiting:
    file = file_of(world, call)
    deadline = poll_deadline(world, integer(call.arguments[3]))
    while not (found := _epoll(file).poll(0, max(1, integer(call.arguments[2])))):
        if deadline is not None and world.now >= deadline:
            return 0
        yield deadline
    expected = call.arguments[1]
    number, events = found[0]
    if not is_any(expected) and epoll_event(expected) != (events, file.marks[number]):
        wanted = epoll_event(expected)
        raise Mismatch(
            "the event of epoll differs",
            expected=f"events {wanted[0]:#x}, data {wanted[1]}",
            got=f"events {events:#x}, data {file.marks[number]}",
        )
    return len(found)


def _epoll(file: KernelFile) -> select.epoll:
    if file.epoll is None:
        raise CallFailed(errno.EINVAL)
    return file.epoll


CALLS: Final[dict[str, Callable[[World, Call], Waiting]]] = {
    "epoll_create": _create,
    "epoll_create1": _create,
    "epoll_ctl": _control,
    "epoll_wait": _wait,
}
