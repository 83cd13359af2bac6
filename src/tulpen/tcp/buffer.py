"""How much an application may send: the send buffer, counted as Linux counts it.

What is queued costs its octets, and each stretch of it ``tcp_wmem_overhead`` beside, as the
memory of a segment does in Linux.  A new stretch is begun while that is less than the
buffer, so a write may end beyond it; where the overhead is 0, text alone counts and a write
is cut to the octet.
"""

from __future__ import annotations

from typing import Final

from tulpen.tcp.signals import Signal
from tulpen.tcp.tcb import Tcb

#: Octets of text in the largest stretch, where the device says nothing else.
LARGEST: Final = 65_215
SMALL_WINDOW: Final = 536  # of a peer that never offered more, all is used
LEAST_SEGMENTS: Final = 10
#: Linux allows for headers and the administration of a segment before it rounds up to a power of two, and for more.
HEADERS: Final = 640
DESCRIPTOR: Final = 256


def limit(tcb: Tcb) -> int:
    """Return the size of the send buffer: what the socket says (SO_SNDBUF), or what it has grown to."""
    return tcb.snd.buff if tcb.options.so_sndbuf is None else tcb.options.so_sndbuf


def queued(tcb: Tcb) -> int:
    """Return what the text not yet acknowledged takes of it."""
    overhead = tcb.stack.settings.tcp_wmem_overhead
    if not overhead:
        return len(tcb.queue)
    return len(tcb.queue) + overhead * (len(tcb.flight.sent) + len(tcb.queue.stretches))


def unsent_text(tcb: Tcb) -> int:
    """Return the octets queued and not yet sent."""
    return max(0, tcb.queue.end - max(tcb.snd.nxt, tcb.queue.start))


def stretch_goal(tcb: Tcb) -> int:
    """Return the octets that a stretch is filled up to: whole segments, within half of the peer's largest window."""
    if not tcb.stack.settings.tcp_wmem_overhead:
        return 1 << 62
    most, window = tcb.gso_max or LARGEST, tcb.snd.max_wnd
    half = window // 2 if window > SMALL_WINDOW else window
    if half:
        most = min(most, half)
    return max(most - most % tcb.smss, tcb.smss)


def room_in_last(tcb: Tcb, goal: int) -> int:
    """Return the octets that the last stretch still takes; 0 where nothing joins it."""
    stretches = tcb.queue.stretches
    if not stretches or stretches[-1].record:
        return 0
    begin = stretches[-2].end if len(stretches) > 1 else max(tcb.snd.nxt, tcb.queue.start)
    return max(0, goal - (tcb.queue.end - begin))


def may_begin(tcb: Tcb) -> bool:
    """Whether there is room for a stretch more, and little enough waits to be sent (TCP_NOTSENT_LOWAT)."""
    return queued(tcb) < limit(tcb) and unsent_text(tcb) < _notsent_lowat(tcb)


def room(tcb: Tcb) -> int:
    """Return the octets that SEND would take now."""
    goal, overhead = stretch_goal(tcb), tcb.stack.settings.tcp_wmem_overhead
    if not overhead:
        return max(0, limit(tcb) - len(tcb.queue)) if unsent_text(tcb) < _notsent_lowat(tcb) else 0
    last = room_in_last(tcb, goal)
    left = limit(tcb) - queued(tcb) - last
    waits = _notsent_lowat(tcb) - unsent_text(tcb) - last
    return last + goal * max(0, min(-(-left // (goal + overhead)), -(-waits // goal)))


def writable(tcb: Tcb) -> bool:
    """Whether the application is to hear of room: a third of the buffer, and half of TCP_NOTSENT_LOWAT."""
    used = queued(tcb)
    return limit(tcb) - used >= used >> 1 and used < limit(tcb) and 2 * unsent_text(tcb) < _notsent_lowat(tcb)


def tell_of_room(tcb: Tcb) -> None:
    """Let the buffer grow while the network would take more, and signal WRITABLE when there is room again."""
    if not tcb.wants_room:
        return
    if tcb.flight.pipe < tcb.cc.cwnd:
        expand(tcb)
    if writable(tcb):
        tcb.wants_room = tcb.outgo.starved = False
        tcb.signal(Signal.WRITABLE)


def expand(tcb: Tcb) -> None:
    """Let the buffer hold twice the congestion window, up to the last of tcp_wmem."""
    settings = tcb.stack.settings
    if not settings.tcp_wmem_overhead:
        return
    segment = (1 << (max(tcb.terms.mss, tcb.smss) + HEADERS - 1).bit_length()) + DESCRIPTOR
    wanted = 2 * max(LEAST_SEGMENTS, tcb.cc.cwnd // tcb.smss) * segment
    if tcb.snd.buff < wanted:
        tcb.snd.buff = max(tcb.snd.buff, min(wanted, settings.tcp_wmem[2]))


def forces_push(tcb: Tcb) -> bool:
    """Whether more than half of the peer's largest window has been queued since the last octet pushed."""
    return tcb.queue.end > tcb.snd.forced + tcb.snd.max_wnd // 2


def mark_push(tcb: Tcb) -> None:
    """The last octet queued goes out with PSH."""
    if tcb.queue.stretches:
        tcb.queue.stretches[-1].push = True
    tcb.snd.forced = tcb.queue.end


def _notsent_lowat(tcb: Tcb) -> int:
    return tcb.options.tcp_notsent_lowat or tcb.stack.settings.tcp_notsent_lowat
