"""Deadlines of a host: of its connections, its half-open connections, and its TIME-WAIT records."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tulpen.host.core import headers
from tulpen.host.deferring import timeouts_within
from tulpen.host.lingering import expire
from tulpen.host.listening import answer
from tulpen.host.settling import forget_request, settle
from tulpen.tcp.state import CLOSED, SYN_RECEIVED, Event
from tulpen.tcp.trace import Moved, TimedOut

if TYPE_CHECKING:
    from tulpen.host.core import Core
    from tulpen.host.socket import Socket
    from tulpen.host.syn_queue import Pending
    from tulpen.tcp.path_state import Path


def timeout(core: Core, now: int) -> None:
    """Do what is due."""
    while (socket := core.deadlines.pop(now)) is not None:
        socket.connection.timeout(now)
        path = socket.connection.tcb.path
        if path is not None and path.believed:
            _learn_path(core, socket, path, now)
        settle(core, socket, now)
    while (pending := core.requests.due(now)) is not None:
        _request_timeout(core, pending, now)
    expire(core, now)


def _learn_path(core: Core, socket: Socket, path: Path, now: int) -> None:
    """A router that was doubted was right: other connections to that place are to know."""
    core.paths.too_big(socket.name.remote, path.believed + headers(socket.name), now)
    path.believed = 0


def next_deadline(core: Core) -> int | None:
    """Return when ``timeout`` wants to be called; None for never."""
    for socket in core.ready:
        core.deadlines.set(socket, socket.connection.next_deadline())
    earliest = core.deadlines.earliest()
    for other in (core.requests.earliest(), core.time_wait.earliest()):
        if other is not None and (earliest is None or other < earliest):
            earliest = other
    return earliest


def _request_timeout(core: Core, pending: Pending, now: int) -> None:
    """A SYN,ACK was not answered: send it again, or give up (tcp_synack_retries)."""
    request, listener = pending.request, pending.listener
    core.write(request.name, TimedOut(now, SYN_RECEIVED, "retransmit"))
    was_young = not request.retransmits
    settings = core.stack.settings
    deferred = timeouts_within(listener.options.tcp_defer_accept, settings)
    waits = request.acknowledged and request.retransmits < deferred
    silent = waits and request.retransmits < deferred - 1
    impatient = request.retransmits >= listener.patience(settings.tcp_synack_retries) and not waits
    if impatient or not request.timed_out(core.stack, now, waits=waits):
        core.stack.count("AttemptFails")
        core.write(request.name, Moved(now, SYN_RECEIVED, Event.GAVE_UP, CLOSED))
        forget_request(core, pending, now, came_to_nothing=True)
        return
    if was_young:
        listener.young -= 1
    core.requests.put_back(pending)
    if silent:
        return
    core.stack.count("TCPTimeouts")
    core.stack.count("TCPSynRetrans")
    core.stack.count("RetransSegs")
    answer(core, listener, request, now, signing=pending.signing)
