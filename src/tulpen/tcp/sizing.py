"""How much goes out at a time: windows, what a device gets to cut, what had better wait (RFC 9293 §3.8.6.2.1)."""

from __future__ import annotations

from tulpen.tcp import judge, pacing
from tulpen.tcp.config import MS, US
from tulpen.tcp.loss import RECOVERY
from tulpen.tcp.outgo import Limit
from tulpen.tcp.state import SYNCHRONIZED
from tulpen.tcp.tcb import Tcb
from tulpen.tcp.window import pipe

DEFERRED_SEGMENTS = 3  # more than these never wait, where tcp_tso_win_divisor is 0


def next_size(tcb: Tcb, full: int, room: int, now: int, *, one: bool, free: bool) -> tuple[int, bool]:
    """Return how many octets the next new segment carries, and whether the FIN goes with them.

    ``full``: octets of a full segment; ``room``: those that the congestion window leaves; ``one``: a
    full stretch goes without waiting for more; ``free``: neither Nagle nor a cork hold any.
    """
    snd = tcb.snd
    burst, quota = full, min(full, room)
    if tcb.gso_max > full and (burst := device_burst(tcb, full)) > full:
        quota = min(burst, room, max(tcb.cc.cwnd // 2, full))
        if quota > full:
            quota -= quota % full
    waiting = first_stretch(tcb, quota)
    tail = snd.nxt + waiting >= tcb.queue.end
    usable = judge.usable_window(tcb)
    size = max(0, min(waiting, usable, quota))
    if burst > full and waiting > full and not one and _had_better_wait(tcb, waiting, usable, room, burst, now):
        return 0, False
    last = size == waiting and tail
    small = size % full
    goes = size == waiting and (free or not tail)  # nothing is to fill it
    if small and not (goes or judge.worth_sending(tcb, small, last=last)):
        size -= small
        last = False
    return size, last and snd.fin >= 0 and usable > size


def what_limits(tcb: Tcb) -> Limit:
    """Return what keeps text, if there is any, from being sent or acknowledged."""
    unsent = judge.unsent(tcb)
    if not (unsent or tcb.flight.sent) or not (SYNCHRONIZED[tcb.state] or judge.talks_early(tcb)):
        return Limit.IDLE
    if tcb.outgo.starved:
        return Limit.BUFFER
    if unsent and tcb.cc.cwnd > pipe(tcb):
        full = judge.full_segment(tcb)
        if judge.usable_window(tcb) < min(unsent, first_stretch(tcb, full), full):
            return Limit.WINDOW
    return Limit.BUSY


def first_stretch(tcb: Tcb, quota: int) -> int:
    """Return the octets of the stretch that is next, with as much of the second as makes up ``quota``."""
    queue, nxt = tcb.queue, tcb.snd.nxt
    stretches = queue.stretches
    if not stretches:
        return max(0, queue.end - nxt)
    octets = stretches[0].end - nxt
    if octets < quota and len(stretches) > 1 and not stretches[0].record:
        queue.widen(quota - octets)
        return stretches[0].end - nxt
    return octets


def device_burst(tcb: Tcb, full: int) -> int:
    """Octets that a device gets to cut at a time, one segment without tcp_min_tso_segs.

    All that may leave, where it leaves at once anyway: a piece costs what a larger one does.  A paced connection
    sends so much in a millisecond, and more on a short path.
    """
    settings = tcb.stack.settings
    least = settings.tcp_min_tso_segs
    if not least:
        return full
    most = tcb.gso_max
    if settings.tcp_tso_autosize or pacing.paces(tcb):
        near = min(tcb.rtt.least // US >> 9, 30)  # 0: so short a path that the rate does not count
        if near and (speed := pacing.rate(tcb)):
            most = min(most, max((speed >> 10) + (most >> near), least * full))
    return max(most - most % full, full)


def _had_better_wait(tcb: Tcb, waiting: int, usable: int, room: int, burst: int, now: int) -> bool:
    """Whether an acknowledgment that is about to come will let more go at once (tcp_tso_win_divisor)."""
    snd, sent = tcb.snd, tcb.flight.sent
    if tcb.loss.phase >= RECOVERY or not sent or now - tcb.sent_at >= MS:
        return False
    allowed = min(usable, room)
    tail = snd.nxt + waiting >= tcb.queue.end
    if allowed >= burst or (not tail and allowed >= waiting):
        return False
    divisor = tcb.stack.settings.tcp_tso_win_divisor
    enough = min(snd.wnd, tcb.cc.cwnd) // divisor if divisor else DEFERRED_SEGMENTS * tcb.smss + 1
    if allowed >= enough:
        return False
    srtt = tcb.rtt.srtt
    if sent[0].at + srtt - now > min(srtt // 2, MS):
        return False  # it will not come soon
    return allowed <= waiting or not (tail and snd.fin >= 0)
