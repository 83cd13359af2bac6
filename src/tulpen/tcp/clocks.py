"""The clock of what is in flight: RACK's wait, the Tail Loss Probe's, or the retransmission timer (RFC 6298 §5).

One of the three runs while anything is in flight.  The first two stand in for the third,
which goes on where they leave off: counted from when the oldest segment was sent.
"""

from __future__ import annotations

from typing import Final

from tulpen.tcp import judge, rack
from tulpen.tcp.config import MS
from tulpen.tcp.rack import LEAST_TIMEOUT
from tulpen.tcp.tcb import Tcb
from tulpen.tcp.timers import NEVER

DEVICE_WAIT: Final = 500 * MS  # as Linux


def stop(tcb: Tcb) -> None:
    """Nothing is in flight (RFC 6298 §5.2)."""
    tcb.timers.retransmit = tcb.timers.probe = tcb.timers.reorder = NEVER


def restart(tcb: Tcb, now: int) -> None:
    """Something new is acknowledged (RFC 6298 §5.3; RFC 8985 §7.2)."""
    if not tcb.flight.sent:
        stop(tcb)
    elif not _await_probe(tcb, now, since=now):
        await_timeout(tcb, now)


def text_went_out(tcb: Tcb, now: int) -> None:
    """New text was sent: a clock starts if none runs (RFC 6298 §5.1; RFC 8985 §7.2)."""
    timers = tcb.timers
    if _await_probe(tcb, now, since=tcb.flight.sent[0].at):
        return
    if timers.probe != NEVER or (timers.retransmit == NEVER and timers.reorder == NEVER):
        await_timeout(tcb, now)


def _await_probe(tcb: Tcb, now: int, *, since: int) -> bool:
    """Arm the Tail Loss Probe, if there is to be one; it comes no later than the timeout counted from ``since``."""
    if not rack.may_probe(tcb):
        return False
    limit = since + tcb.rtt.timeout()
    probe = now + rack.probe_timeout(tcb)
    stop(tcb)
    tcb.timers.probe = within_user_timeout(tcb, min(probe, limit) if limit > now else probe, now)
    return True


def await_reordering(tcb: Tcb, wait: int, now: int) -> None:
    """RACK decides in ``wait`` nanoseconds (RFC 8985 §6.2 step 5)."""
    stop(tcb)
    tcb.timers.reorder = now + min(wait + LEAST_TIMEOUT, tcb.rtt.timeout())


def await_timeout(tcb: Tcb, now: int) -> None:
    """Arm the retransmission timer: from now, or where another clock ran from when the oldest segment was sent."""
    timers = tcb.timers
    since = now
    if timers.retransmit == NEVER and (timers.probe != NEVER or timers.reorder != NEVER):
        since = tcb.flight.sent[0].at
    start_again(tcb, since, now)


def start_again(tcb: Tcb, since: int, now: int) -> None:
    """The retransmission timer runs out an RTO after ``since``, or at the user timeout (RFC 5482)."""
    stop(tcb)
    deadline = max(now + 1, since + tcb.rtt.timeout())
    tcb.timers.retransmit = within_user_timeout(tcb, deadline, now)


def within_user_timeout(tcb: Tcb, deadline: int, now: int) -> int:
    """Return ``deadline``, or the user timeout of what is in flight where that comes first."""
    return _sooner(tcb, deadline, judge.unanswered_since(tcb), now) if judge.user_timeout(tcb) else deadline


def probe_deadline(tcb: Tcb, now: int) -> int:
    """When a closed window is probed again (RFC 9293 §3.8.6.1), or the user timeout passes."""
    return _sooner(tcb, now + tcb.rtt.timeout(), judge.shut_since(tcb), now)


def device_deadline(tcb: Tcb, now: int) -> int:
    """When the device is tried again that took nothing, or the user timeout passes."""
    return _sooner(tcb, now + DEVICE_WAIT, judge.shut_since(tcb), now)


def _sooner(tcb: Tcb, deadline: int, since: int, now: int) -> int:
    limit = judge.user_timeout(tcb)
    return max(now + 1, min(deadline, since + limit * MS)) if limit and since >= 0 else deadline
