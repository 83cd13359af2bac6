"""The user's calls: RFC 9293 §3.10.1 to §3.10.6, each with the errors it names.

``close`` is the RFC's CLOSE: no more text from us, while receiving goes on
(shutdown(2) with SHUT_WR).  ``let_go`` adds what close(2) means beside it.
"""

from __future__ import annotations

import errno
from typing import Final

from tulpen.tcp import buffer, judge, receive_window, stamping, window
from tulpen.tcp.ending import end
from tulpen.tcp.errors import TcpError
from tulpen.tcp.negotiate import receive_buffer
from tulpen.tcp.output import reset, send_new
from tulpen.tcp.state import (
    CLOSED,
    CLOSING,
    FIN_RECEIVED,
    FIN_WAIT_2,
    LAST_ACK,
    LISTEN,
    MAY_QUEUE,
    MAY_SEND,
    SYN_RECEIVED,
    SYN_SENT,
    TIME_WAIT,
    Event,
)
from tulpen.tcp.tcb import Tcb
from tulpen.tcp.timeouts import start_keepalive, wait_for_their_fin
from tulpen.tcp.trace import Reason

#: §3.10.5: an ABORT in these states sends no reset.
_SILENT_ABORT: Final = (LISTEN, SYN_SENT, CLOSING, LAST_ACK, TIME_WAIT)


def open_passive(tcb: Tcb, now: int) -> None:
    """§3.10.1, passive: CLOSED to LISTEN."""
    if tcb.state is not CLOSED or _was_open(tcb):
        raise TcpError(errno.EISCONN, "connection already exists")
    tcb.happened(Event.OPEN_PASSIVE, now)


def open_active(tcb: Tcb, now: int) -> None:
    """§3.10.1, active: a SYN is owed; from LISTEN too."""
    if (tcb.state is not CLOSED and tcb.state is not LISTEN) or _was_open(tcb):
        raise TcpError(errno.EISCONN, "connection already exists")
    tcb.stack.count("ActiveOpens")
    tcb.syn_due = True
    tcb.passive = False
    adopt(tcb)
    tcb.happened(Event.OPEN_ACTIVE, now)


def _was_open(tcb: Tcb) -> bool:
    """Its SYN has been sent: the next connection needs a TCB, and an initial sequence number, of its own."""
    return tcb.snd.nxt != tcb.snd.iss


def send(tcb: Tcb, data: bytes | bytearray | memoryview, now: int, *, push: bool, urgent: bool, eor: bool) -> int:
    """§3.10.2: queue octets; return how many there was room for, 0 for none.

    SEND on a connection in LISTEN makes it active.
    """
    state = tcb.state
    if state is LISTEN:
        open_active(tcb, now)
    elif not (MAY_SEND[state] or MAY_QUEUE[state]) or tcb.closing:
        if state is CLOSED:
            raise TcpError(tcb.error or errno.EPIPE, "connection does not exist")
        raise TcpError(errno.EPIPE, "connection closing")
    window.note_app_limited(tcb)
    taken = _take(tcb, data, now, urgent=urgent)
    if urgent and taken:
        tcb.snd.up = tcb.queue.end
    if taken:
        tcb.snd.freed = tcb.snd.iss
    if taken and tcb.stamps is not None:
        stamping.written(tcb)
    if taken < len(data):
        tcb.wants_room = True
        if taken:
            _push(tcb, now)
    elif push or buffer.forces_push(tcb):
        buffer.mark_push(tcb)
    if eor and 0 < taken == len(data):
        tcb.queue.end_record()
    if push:
        tcb.snd.due = tcb.queue.end
    return taken


def _take(tcb: Tcb, data: bytes | bytearray | memoryview, now: int, *, urgent: bool) -> int:
    """Queue octets, stretch by stretch, for as long as there is room; what is full goes out meanwhile."""
    queue, length, taken = tcb.queue, len(data), 0
    view: memoryview | None = None
    whole = not tcb.stack.settings.tcp_wmem_overhead
    while taken < length:
        goal = tcb.smss if urgent and not whole else buffer.stretch_goal(tcb)
        fits = buffer.room_in_last(tcb, goal)
        begin = fits == 0
        if (begin or whole) and not buffer.may_begin(tcb):
            break
        fits = buffer.room(tcb) if whole else fits or goal
        if not begin and not taken:
            queue.stretches[-1].push = False
        if not taken and fits >= length and isinstance(data, bytes):
            queue.append(data, begin=begin)
            return length
        view = memoryview(data) if view is None else view
        part = view[taken : taken + fits]
        queue.append(part if isinstance(view.obj, bytes) else bytes(part), begin=begin)
        taken += len(part)
        if taken < length and not (whole or urgent):
            _push(tcb, now, one=not buffer.forces_push(tcb))
    return taken


def _push(tcb: Tcb, now: int, *, one: bool = False) -> None:
    """Send while more is being written: the stretch that is full and first, or all there is, pushed."""
    if one and len(tcb.queue.stretches) > 1:
        return
    if not one:
        buffer.mark_push(tcb)
    if MAY_SEND[tcb.state] or judge.talks_early(tcb):
        if not tcb.replies:
            tcb.replies = []
        send_new(tcb, now, tcb.replies, one=one, free=not one)


def adopt(tcb: Tcb) -> None:
    """The application has the connection: from now on its buffer may grow for what comes out of order."""
    if tcb.rcv.memory is not None:
        tcb.rcv.memory.adopted = True


def receive_options_changed(tcb: Tcb) -> None:
    """SO_RCVBUF or TCP_WINDOW_CLAMP were set on an open connection; where octets count, the buffer stays."""
    options = tcb.options
    if tcb.rcv.memory is None:
        return
    tcb.rcv.memory.offered_at = -1
    if options.so_rcvbuf is not None:
        tcb.rcv.buff = receive_buffer(options, tcb.stack.settings)
    if options.tcp_window_clamp:
        receive_window.set_clamp(tcb, options.tcp_window_clamp)


def options_changed(tcb: Tcb) -> None:
    """TCP_NODELAY or TCP_CORK were set: what is queued waits for no push, and with the former for nothing."""
    tcb.snd.due = tcb.queue.end
    if tcb.options.tcp_nodelay:
        tcb.snd.freed = tcb.queue.end


def receive(tcb: Tcb, limit: int, now: int) -> list[bytes | memoryview]:
    """§3.10.3: return up to ``limit`` octets in the pieces they came in; none while nothing has come, or at the end.

    Raises TcpError when the connection ended in an error and everything received is read.
    """
    received = tcb.receive_queue
    if not received.octets:
        if tcb.state is CLOSED and tcb.error:
            raise TcpError(tcb.error, "connection reset" if tcb.error != errno.ETIMEDOUT else "timed out")
        if tcb.state is CLOSED and tcb.rcv.fin < 0:
            raise TcpError(errno.ENOTCONN, "connection does not exist")
        return []
    whole = min(limit, received.octets)
    receive_window.text_read(tcb, min(limit, received.first_piece), whole, max(now, tcb.intake.heard_at))
    octets = received.take(limit)
    over = FIN_RECEIVED[tcb.state] or tcb.state is CLOSED
    if not (over or judge.talks_early(tcb)) and receive_window.tells_of_room(tcb):
        tcb.ack_now = True
    return octets


def close(tcb: Tcb, now: int) -> None:
    """§3.10.4: no more text will be sent; what is queued still is."""
    state = tcb.state
    if state is CLOSED:
        raise TcpError(errno.ENOTCONN, "connection does not exist")
    if state is LISTEN or state is SYN_SENT:
        end(tcb, Event.CLOSE, now)
        return
    if state is CLOSING or state is LAST_ACK or state is TIME_WAIT:
        raise TcpError(errno.ENOTCONN, "connection closing")
    if tcb.snd.fin >= 0:
        return  # "ok" is acceptable, as long as a second FIN is not emitted
    tcb.snd.fin = tcb.queue.end
    buffer.mark_push(tcb)
    if state is SYN_RECEIVED and len(tcb.queue) and not judge.talks_early(tcb):
        tcb.closing = True  # queued until ESTABLISHED
        return
    if state is SYN_RECEIVED:
        start_keepalive(tcb, now)  # it will not pass through ESTABLISHED
    tcb.happened(Event.CLOSE, now)


def let_go(tcb: Tcb, now: int) -> None:
    """close(2): CLOSE, and the application will neither read nor hear again (§3.6.1 MAY-1, SHLD-3).

    Unread text, or SO_LINGER 0, makes it a reset, so that the peer knows of the loss.
    """
    if tcb.state is CLOSED:
        return
    if tcb.options.so_linger == 0:
        abort(tcb, now, Reason.LINGER_0)
        return
    if tcb.receive_queue.octets and tcb.state is not TIME_WAIT:
        abort(tcb, now, Reason.UNREAD_AT_CLOSE)
        return
    if tcb.snd.fin < 0:
        close(tcb, now)
    if tcb.orphan or _is_over(tcb):
        return
    if tcb.stack.orphans >= tcb.stack.settings.tcp_max_orphans:
        abort(tcb, now, Reason.ORPHAN_LIMIT)
        return
    tcb.orphan = True
    tcb.stack.orphans += 1
    if tcb.state is FIN_WAIT_2:
        wait_for_their_fin(tcb, now)


def _is_over(tcb: Tcb) -> bool:
    return tcb.state is CLOSED or tcb.state is TIME_WAIT


def abort(tcb: Tcb, now: int, reason: Reason = Reason.ABORTED) -> None:
    """§3.10.5: reset, and forget everything."""
    if tcb.state is CLOSED:
        raise TcpError(errno.ENOTCONN, "connection does not exist")
    if tcb.state not in _SILENT_ABORT:
        tcb.reply(reset(tcb, now))
    end(tcb, Event.ABORT, now, error=errno.ECONNABORTED, reason=reason)
    tcb.receive_queue.clear()
