"""Connections in TIME-WAIT: what becomes of their records (RFC 9293 §3.10.7.4, RFC 6191)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tulpen.host.departures import send
from tulpen.host.listening import refuse, syn_arrives
from tulpen.host.settling import tell_held
from tulpen.host.signing import course_of_record
from tulpen.tcp.answers import challenge_syn
from tulpen.tcp.compact import TimeWait
from tulpen.tcp.config import SocketOptions
from tulpen.tcp.ending import end
from tulpen.tcp.stack import Stack
from tulpen.tcp.state import TIME_WAIT, Event
from tulpen.tcp.trace import Arrived, Reason
from tulpen.wire.segment import RST, SYN, Segment

if TYPE_CHECKING:
    from tulpen.host.core import Core
    from tulpen.host.listener import Listener


def for_time_wait(core: Core, record: TimeWait, seg: Segment, now: int) -> None:
    """A segment for a lingering connection: it becomes a connection, and we see what comes of it."""
    name = record.name
    listener = core.listeners.find(name)
    new = seg.flags & (SYN | RST) == SYN
    if new and (listener is None or listener.full) and _would_reopen(core, record, seg, now):
        _no_reopening(core, listener, record, seg, now)
        return
    connection = record.connection(core.stack, now)
    connection.segment_arrives(seg, now)
    _send(core, record, connection.segments_to_send(now), now)
    if connection.state is TIME_WAIT:
        core.time_wait.replace(TimeWait.of(connection))
        return
    entry = core.time_wait.take(name)
    tell_held(core, name)
    if new and listener is not None:
        syn_arrives(core, listener, name, seg, now, entry)
    else:
        core.ports.release(entry.claim)


def _send(core: Core, record: TimeWait, segments: list[Segment], now: int) -> None:
    if not segments:
        return
    signing = core.time_wait.signing(record.name)
    if signing is not None:
        segments = signing.signed(segments, course_of_record(record))
    send(core, record.name, segments, SocketOptions(), now)


def _would_reopen(core: Core, record: TimeWait, seg: Segment, now: int) -> bool:
    """Say whether a segment ends TIME-WAIT, without trace or count of it."""
    unseen = record.connection(Stack(core.stack.settings), now)
    unseen.segment_arrives(seg, now)
    return unseen.state is not TIME_WAIT


def _no_reopening(core: Core, listener: Listener | None, record: TimeWait, syn: Segment, now: int) -> None:
    """Nobody takes the SYN of a new connection: the old one lingers on, and if nobody listens, says so."""
    core.write(record.name, Arrived(now, syn, TIME_WAIT))
    if listener is not None:
        refuse(core, record.name, syn, Reason.ACCEPT_QUEUE_FULL, now, TIME_WAIT)
        return
    connection = record.connection(core.stack, now)
    challenge_syn(connection.tcb, syn, now)
    _send(core, record, connection.segments_to_send(now), now)
    core.time_wait.replace(TimeWait.of(connection))


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
