"""Connections in TIME-WAIT: what becomes of their records (RFC 9293 §3.10.7.4, RFC 6191)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tulpen.host.departures import send, send_reset
from tulpen.host.listening import syn_arrives
from tulpen.host.settling import tell_held
from tulpen.tcp.compact import TimeWait
from tulpen.tcp.config import SocketOptions
from tulpen.tcp.ending import end
from tulpen.tcp.state import TIME_WAIT, Event
from tulpen.tcp.trace import FourTuple, Reason
from tulpen.wire.segment import SYN, Segment

if TYPE_CHECKING:
    from tulpen.host.core import Core


def for_time_wait(core: Core, record: TimeWait, seg: Segment, now: int) -> None:
    """A segment for a lingering connection: it becomes a connection, and we see what comes of it."""
    connection = record.connection(core.stack, now)
    connection.segment_arrives(seg, now)
    segments = connection.segments_to_send(now)
    if segments:
        send(core, record.name, segments, SocketOptions())
    if connection.state is TIME_WAIT:
        core.time_wait.replace(TimeWait.of(connection))
    elif seg.flags & SYN:
        _reopen(core, record.name, seg, now)
    else:
        core.ports.release(core.time_wait.take(record.name).claim)
        tell_held(core, record.name)


def _reopen(core: Core, name: FourTuple, syn: Segment, now: int) -> None:
    """The SYN of a new connection (§3.6.1 MAY-2): the record steps aside, if a listener takes the SYN."""
    listener = core.listener(name.local, name.local_port)
    if listener is None:
        core.drop(name, syn, Reason.NO_CONNECTION, now, TIME_WAIT)
        send_reset(core, name, syn, now, TIME_WAIT)
    elif syn_arrives(core, listener, name, syn, now, core.time_wait.entry(name)):
        core.time_wait.take(name)
        tell_held(core, name)


def expire(core: Core, now: int) -> None:
    """Let go of the records whose 2 MSL are over."""
    while (entry := core.time_wait.expired(now)) is not None:
        record = entry.record
        core.ports.release(entry.claim)
        if core.stack.records is not None:
            connection = record.connection(core.stack, now)
            connection.timeout(now)
            if connection.state is TIME_WAIT:  # tcp_tw_recycle: before its time
                end(connection.tcb, Event.LINGERED, now)
        tell_held(core, record.name)
