"""poll and epoll."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Final

from tulpen.drill.descriptor import ERR, HUP, IN, OUT, EpollFile, Watch
from tulpen.drill.evaluate import integer, is_any
from tulpen.drill.expression import Array, Expression, Struct
from tulpen.drill.problems import Mismatch, Unsupported
from tulpen.drill.world import CallFailed, Waiting, World

if TYPE_CHECKING:
    from tulpen.drill.script import Call

MS: Final = 1_000_000
ONESHOT: Final = 1 << 30
EDGE: Final = 1 << 31
_FLAGS: Final = 0xF << 28
_ADD, _DELETE, _MODIFY = 1, 2, 3
_ALWAYS: Final = ERR | HUP


def poll(world: World, call: Call) -> Waiting:
    """poll(2)."""
    items = call.arguments[0]
    if not isinstance(items, Array):
        raise Unsupported(f"{items} where an array of struct pollfd belongs")
    wanted = [poll_item(item) for item in items.items]
    found: list[int] = []
    yield from until_ready(world, [(fd, events) for fd, events, _ in wanted], integer(call.arguments[2]), found)
    for (fd, _, expected), got in zip(wanted, found, strict=True):
        if expected != got:
            raise Mismatch(f"revents of {fd} differ", expected=f"{expected:#x}", got=f"{got:#x}")
    return sum(1 for got in found if got)


def until_ready(world: World, wanted: list[tuple[int, int]], milliseconds: int, found: list[int]) -> Waiting:
    """Wait until one of (descriptor, events) is ready; ``found`` gets what holds of each."""
    deadline = poll_deadline(world, milliseconds)
    while True:
        found[:] = [world.tcp(fd).ready() & (events | _ALWAYS) for fd, events in wanted]
        if any(found) or (deadline is not None and world.now >= deadline):
            return sum(1 for got in found if got)
        yield deadline


def poll_item(item: Expression) -> tuple[int, int, int]:
    """Return descriptor, events and expected revents of a struct pollfd."""
    if not isinstance(item, Struct):
        raise Unsupported(f"{item} where a struct pollfd belongs")
    fd, events, revents = item.field("fd"), item.field("events"), item.field("revents")
    if fd is None or events is None:
        raise Unsupported(f"{item} where a struct pollfd belongs")
    return integer(fd), integer(events), 0 if revents is None else integer(revents)


def poll_deadline(world: World, milliseconds: int) -> int | None:
    """Return until when a call waits: None for ever."""
    return None if milliseconds < 0 else world.now + milliseconds * MS


def epoll_create(world: World, call: Call) -> Waiting:
    """epoll_create(2)."""
    fd = integer(call.result)
    world.files[fd] = EpollFile()
    return fd
    yield


def epoll_ctl(world: World, call: Call) -> Waiting:
    """epoll_ctl(2)."""
    epoll = world.epoll(integer(call.arguments[0]))
    how, fd = integer(call.arguments[1]), integer(call.arguments[2])
    if how == _DELETE:
        if epoll.watches.pop(fd, None) is None:
            raise CallFailed(errno.ENOENT)
        return 0
    if (fd in epoll.watches) != (how == _MODIFY):
        raise CallFailed(errno.EEXIST if how == _ADD else errno.ENOENT)
    events, data = epoll_event(call.arguments[3])
    epoll.watches[fd] = Watch(world.tcp(fd), events, data)
    return 0
    yield


def epoll_event(event: Expression) -> tuple[int, int]:
    """Return events and data of a struct epoll_event."""
    if isinstance(event, Struct):
        events = event.field("events")
        for name in ("fd", "ptr", "u32", "u64"):
            data = event.field(name)
            if events is not None and data is not None:
                return integer(events), integer(data)
    raise Unsupported(f"{event} where a struct epoll_event belongs")


def epoll_wait(world: World, call: Call) -> Waiting:
    """epoll_wait(2); one event is compared, as scripts write them."""
    reports: list[tuple[int, int]] = []
    epoll = world.epoll(integer(call.arguments[0]))
    count = yield from until_reported(world, epoll, integer(call.arguments[3]), reports)
    expected = call.arguments[1]
    if reports and not is_any(expected):
        (events, data), wanted = reports[0], epoll_event(expected)
        if wanted != (events, data):
            raise Mismatch(
                "the event of epoll differs",
                expected=f"events {wanted[0]:#x}, data {wanted[1]}",
                got=f"events {events:#x}, data {data}",
            )
    return min(count, integer(call.arguments[2]))


def until_reported(world: World, epoll: EpollFile, milliseconds: int, reports: list[tuple[int, int]]) -> Waiting:
    """Wait until there is something to report; ``reports`` gets events and data of each."""
    deadline = poll_deadline(world, milliseconds)
    while not (found := _reports(epoll)):
        if deadline is not None and world.now >= deadline:
            return 0
        yield deadline
    reports[:] = found
    return len(found)


def _reports(epoll: EpollFile) -> list[tuple[int, int]]:
    """Return events and data of what is ready; what is edge-triggered tells of news alone."""
    found = []
    for watch in epoll.watches.values():
        held = watch.file.ready() & (watch.events & ~_FLAGS | _ALWAYS)
        news = _news(watch, held)
        if not held or watch.disarmed or (watch.events & EDGE and not news):
            continue
        if watch.events & ONESHOT:
            watch.disarmed = True
        found.append((held, watch.data))
    return found


def _news(watch: Watch, held: int) -> bool:
    """Say whether anything became true, more text came or room was made, since it was last looked at."""
    socket = watch.file.socket
    arrived = -1 if socket is None else socket.status().rcv_nxt
    rooms = watch.file.rooms()
    news = bool(held & ~watch.seen) or (bool(held & IN) and arrived != watch.arrived)
    news = news or (bool(held & OUT) and rooms != watch.rooms)
    watch.seen = held
    watch.rooms = rooms
    watch.arrived = arrived
    return news
