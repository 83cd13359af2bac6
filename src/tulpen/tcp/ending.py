"""What every way out of a connection has in common: into CLOSED, or into TIME-WAIT."""

from __future__ import annotations

from tulpen.tcp import fast_open
from tulpen.tcp.config import SECOND
from tulpen.tcp.flight import Flight
from tulpen.tcp.signals import Signal
from tulpen.tcp.state import Event
from tulpen.tcp.tcb import Tcb
from tulpen.tcp.trace import Reason


def end(tcb: Tcb, event: Event, now: int, *, error: int = 0, reason: Reason | None = None) -> None:
    """Enter CLOSED by ``event``; the application reads ``error`` (errno), 0 for an orderly end.

    What was received stays readable, as on Linux; what was to be sent is flushed.
    """
    fast_open.over(tcb, now)
    tcb.ended(reason, error, now)
    tcb.happened(event, now)
    _leave_network(tcb)
    tcb.signal(Signal.CLOSED)


def linger(tcb: Tcb, now: int) -> None:
    """Start, or restart, 2 MSL in TIME-WAIT and turn off the other timers (§3.10.7.4, eighth)."""
    _leave_network(tcb)
    tcb.timers.linger = now + tcb.stack.settings.tcp_timewait_len * SECOND


def flush(tcb: Tcb) -> None:
    """Empty the retransmission queue and what waits to be sent."""
    tcb.flight = Flight()
    tcb.queue.sent(tcb.queue.end)
    tcb.queue.release(tcb.queue.end)
    tcb.timers.stop()
    tcb.rtt.backoff = 0
    tcb.syn_due = tcb.loss.force_resend = tcb.override = False


def _leave_network(tcb: Tcb) -> None:
    flush(tcb)
    if tcb.orphan:
        tcb.orphan = False
        tcb.stack.orphans -= 1
