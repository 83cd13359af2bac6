"""TCP_DEFER_ACCEPT: a listener that waits for the first text, as Linux counts the time (tcp(7))."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tulpen.wire.segment import ACK, FIN, RST, SYN, Segment

if TYPE_CHECKING:
    from tulpen.host.core import Core
    from tulpen.host.syn_queue import Pending
    from tulpen.tcp.config import Settings


def timeouts_within(seconds: int, settings: Settings) -> int:
    """Return how many timeouts of a SYN,ACK fill ``seconds``, each twice as long as the one before."""
    count, period, timeout, most = 0, 0, 1, settings.tcp_rto_max_ms // 1000
    while period < seconds and count < 255:
        period += timeout
        timeout = min(2 * timeout, most)
        count += 1
    return count


def seconds_of(timeouts: int, settings: Settings) -> int:
    """Return how long so many take together: what Linux tells of the option."""
    period, timeout = 0, 1
    for _ in range(timeouts):
        period += timeout
        timeout = min(2 * timeout, settings.tcp_rto_max_ms // 1000)
    return period


def waits_for_text(core: Core, pending: Pending, seg: Segment) -> bool:
    """Whether a segment is a mere ACK, and the listener of the request still waits for more than that."""
    seconds = pending.listener.options.tcp_defer_accept
    if not seconds or seg.data or seg.flags & (SYN | ACK | RST | FIN) != ACK:
        return False
    return pending.request.retransmits < timeouts_within(seconds, core.stack.settings)
