"""What follows every call and every segment of a connection: who is to be heard, and whether it is over."""

from __future__ import annotations

from errno import ECONNRESET
from typing import TYPE_CHECKING, Final

from tulpen.host.departures import send_from
from tulpen.host.tw_slot import Lingering
from tulpen.tcp.compact import TimeWait
from tulpen.tcp.config import SECOND
from tulpen.tcp.ending import end
from tulpen.tcp.signals import Signal
from tulpen.tcp.state import CLOSED, SYN_RECEIVED, TIME_WAIT, Event
from tulpen.tcp.trace import Moved

if TYPE_CHECKING:
    from tulpen.host.core import Core
    from tulpen.host.listener import Listener
    from tulpen.host.socket import Socket
    from tulpen.host.syn_queue import Pending
    from tulpen.tcp.connection import Connection
    from tulpen.tcp.trace import FourTuple

ASKED: Final = 2048  # connections that are asked at a time whether they rest
RESTED: Final = 64  # that come to rest at a time: a millisecond or two
RECYCLE_RTOS: Final = 3.5  # tcp_tw_recycle kept a TIME-WAIT for this many retransmission timeouts
MOST_STAMPS: Final = 65_536  # hosts whose last timestamp tcp_tw_recycle remembers


def stir(core: Core, handle: Socket | Listener) -> None:
    """Note that ``handle`` may have something to tell."""
    if not handle.stirred:
        handle.stirred = True
        core.stirred.append(handle)


def settle(core: Core, socket: Socket, now: int) -> None:
    """Note that ``socket`` may have segments to send and signals to tell; take it out if it is over."""
    if not (socket.stirred or socket.released):
        socket.stirred = True
        core.stirred.append(socket)
    connection = socket.connection
    if connection.tcb.fast_open is not None:
        _settle_fast_open(core, socket, now)
    state = connection.tcb.state
    if state is CLOSED:
        if core.connections.get(socket.name) is socket:
            _take_out(core, socket, connection, now)
            core.ports.release(socket.claim)
    elif state is TIME_WAIT:
        _take_out(core, socket, connection, now)
        _linger(core, socket, connection, now)
    else:
        core.ready[socket] = None


def _settle_fast_open(core: Core, socket: Socket, now: int) -> None:
    """Keep what a SYN,ACK taught; let the listener know that the handshake of a fast open has ended."""
    tcb, name, listener = socket.connection.tcb, socket.name, socket.counted_by
    fast = tcb.fast_open
    if fast is not None and fast.lesson is not None:
        core.metrics.learn(name.local, name.remote, fast.lesson)
        fast.lesson = None
    if listener is not None and (tcb.state is CLOSED or tcb.snd.una > tcb.snd.iss):
        socket.counted_by = None
        listener.fast_opens.ended(now, reset=socket.accepted and tcb.state is CLOSED and tcb.error == ECONNRESET)


def _take_out(core: Core, socket: Socket, connection: Connection, now: int) -> None:
    """Send the last that is owed, and forget the connection."""
    send_from(core, socket, connection, now)
    del core.connections[socket.name]
    core.deadlines.forget(socket)
    core.ready.pop(socket, None)


def _linger(core: Core, socket: Socket, connection: Connection, now: int) -> None:
    """Put a small record in the connection's place, unless there are too many."""
    if core.time_wait.full():
        end(connection.tcb, Event.LINGERED, now)
        core.ports.release(socket.claim)
        return
    record = TimeWait.of(connection)
    core.time_wait.put(Lingering(record, socket.claim, socket.signing))
    socket.lingering = True
    if not socket.released:
        core.held[socket.name] = socket
    if core.stack.settings.tcp_tw_recycle and record.terms.timestamps:
        _recycle(core, socket, record, now)


def _recycle(core: Core, socket: Socket, record: TimeWait, now: int) -> None:
    """What tcp_tw_recycle did: shorten TIME-WAIT, and trust one timestamp clock to a host (RFC 6191 §4)."""
    rto = socket.connection.status().rto
    core.time_wait.hurry(record.name, min(record.deadline, now + int(RECYCLE_RTOS * rto)))
    stamps, remote = core.last_stamps, record.name.remote
    stamps.pop(remote, None)
    if len(stamps) >= MOST_STAMPS:
        del stamps[next(iter(stamps))]
    stamps[remote] = (record.ts_recent, now)


def rest(core: Core, now: int) -> int:
    """Put to rest some of the connections that have been quiet for long; return how many."""
    if not core.wakeful:
        core.wakeful = [socket for socket in core.connections.values() if not socket.resting]
    wakeful, rested = core.wakeful, 0
    for _ in range(min(ASKED, len(wakeful))):
        socket = wakeful.pop()
        if socket not in core.ready and core.connections.get(socket.name) is socket:
            rested += socket.rest(now)
        if rested == RESTED:
            break
    return rested


def tell_held(core: Core, name: FourTuple) -> None:
    """Tell an application that has not closed that its connection is over."""
    socket = core.held.pop(name, None)
    if socket is not None:
        socket.over = True
        socket.connection.tcb.signal(Signal.CLOSED)
        stir(core, socket)


def abort_lingering(core: Core, socket: Socket) -> None:
    """ABORT in TIME-WAIT: the record goes at once (§3.10.5)."""
    if core.held.get(socket.name) is socket:
        core.ports.release(core.time_wait.take(socket.name).claim)
        tell_held(core, socket.name)


def forget_request(core: Core, pending: Pending, now: int, *, came_to_nothing: bool) -> None:
    """Take a request out of the SYN queue.

    A TIME-WAIT that its SYN had displaced comes back if the SYN led nowhere: it was an old
    duplicate (§3.6.1 MAY-2).
    """
    request, listener, displaced = pending.request, pending.listener, pending.displaced
    name = request.name
    core.requests.forget(name)
    listener.syn_queue -= 1
    if not request.retransmits:
        listener.young -= 1
    if displaced is None:
        return
    if came_to_nothing:
        displaced.record.deadline = now + core.stack.settings.tcp_timewait_len * SECOND
        core.time_wait.put(displaced)
    else:
        core.ports.release(displaced.claim)


def stop_listening(core: Core, listener: Listener, now: int) -> None:
    """Take a listener and its half-open connections out of the tables."""
    core.listeners.remove(listener)
    core.ports.release(listener.claim)
    for pending in core.requests.of(listener):
        core.write(pending.request.name, Moved(now, SYN_RECEIVED, Event.ABORT, CLOSED))
        forget_request(core, pending, now, came_to_nothing=True)
    core.requests.dismiss(listener)
