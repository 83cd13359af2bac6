"""Pacing: what leaves a connection is spread over the round trip, and does not come in bursts.

As Linux does it, where the link's queueing discipline is fq or the socket has a SO_MAX_PACING_RATE.
"""

from __future__ import annotations

from typing import Final

from tulpen.tcp.config import SECOND
from tulpen.tcp.tcb import Tcb
from tulpen.tcp.timers import NEVER

UNPACED: Final = 10  # segments at the beginning, which leave at once


def rate(tcb: Tcb) -> int:
    """Return octets a second: a multiple of the congestion window in a round trip; 0: there is no limit yet."""
    settings, cc, most = tcb.stack.settings, tcb.cc, tcb.options.so_max_pacing_rate or 0
    srtt = tcb.rtt.srtt
    if not srtt:
        return most
    ratio = settings.tcp_pacing_ss_ratio if cc.cwnd < cc.ssthresh // 2 else settings.tcp_pacing_ca_ratio
    found = max(max(cc.cwnd, tcb.flight.octets) * ratio // 100 * SECOND // srtt, 1)
    return min(found, most) if most else found


def paces(tcb: Tcb) -> bool:
    """Whether the connection is paced at all."""
    return tcb.options.so_max_pacing_rate is not None or tcb.stack.settings.default_qdisc == "fq"


def holds(tcb: Tcb, now: int) -> bool:
    """Say whether text has to wait; the timer then tells when it need not any more."""
    if tcb.usage.next_at <= now or not paces(tcb):
        return False
    tcb.timers.pace = tcb.usage.next_at
    return True


def left(tcb: Tcb, octets: int, now: int) -> None:
    """Note that text leaves, and how long the next has to wait; less after a pause, by half at most."""
    usage = tcb.usage
    late = max(now - usage.next_at, 0)
    usage.next_at = max(usage.next_at, now)
    tcb.timers.pace = NEVER
    if usage.unpaced < UNPACED:
        usage.unpaced += -(-octets // tcb.smss)
    speed = rate(tcb)
    if speed and usage.unpaced >= UNPACED:
        wait = octets * SECOND // speed
        usage.next_at += wait - min(wait // 2, late)
