"""What an end owes to a single segment, whatever else there is: asked with every run of the engine."""

from __future__ import annotations

from collections.abc import Sequence

from tulpen.tcp.connection import Connection
from tulpen.tcp.state import CLOSED, MAY_RECEIVE, SYNCHRONIZED, TIME_WAIT
from tulpen.tcp.timers import NEVER
from tulpen.wire.segment import ACK, FIN, RST, SYN, Segment
from tulpen.wire.seq import wrap


def neglected(before: Connection, segment: Segment, after: Connection, sent: Sequence[Segment]) -> str:
    """Return which duty an end has neglected that was ``before``, is ``after`` and has ``sent`` this, or ""."""
    if not SYNCHRONIZED[before.state]:
        return ""
    ended = MAY_RECEIVE[before.state] and not MAY_RECEIVE[after.state] and after.state is not CLOSED
    if ended and after.tcb.timers.delayed_ack == NEVER and not any(answer.flags & ACK for answer in sent):
        return f"the FIN that ends {before.state.title} is not acknowledged (§3.10.7.4, eighth)"
    lingers = before.state is after.state is TIME_WAIT
    if segment.flags & RST:
        ignores = lingers and before.tcb.stack.settings.tcp_rfc1337
        if segment.seq == wrap(before.tcb.rcv.nxt) and after.state is not CLOSED and not ignores:
            return f"a RST at RCV.NXT does not end {before.state.title} (§3.10.7.4, second)"
    elif segment.flags & SYN and before.state is not TIME_WAIT:
        if not any(answer.flags & ACK for answer in sent):
            return f"a SYN in {before.state.title} is not answered (§3.10.7.4, fourth)"
    elif lingers and _is_their_fin(before, segment) and after.tcb.timers.linger <= before.tcb.timers.linger:
        return "their FIN, heard again in TIME-WAIT, does not restart 2 MSL (§3.10.7.4, eighth)"
    return ""


def _is_their_fin(connection: Connection, segment: Segment) -> bool:
    last = wrap(segment.seq + len(segment.data) + 1)
    return segment.flags & (SYN | ACK | FIN) == ACK | FIN and last == wrap(connection.tcb.rcv.nxt)
