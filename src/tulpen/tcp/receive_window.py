"""The receive window that is offered, and the buffer behind it, as Linux sizes them.

With tcp_rcvbuf_overhead received text counts with the memory that keeping it takes.  The
window starts small, follows what comes, and the buffer grows as fast as the application
takes text (tcp_moderate_rcvbuf).  Without it the window is what the buffer has left, and
``judge`` says when to open it (RFC 9293 §3.8.6.2.2).
"""

from __future__ import annotations

from typing import Final

from tulpen.tcp import judge
from tulpen.tcp.config import MS, US
from tulpen.tcp.incoming import Incoming
from tulpen.tcp.judge import MAX_WINDOW
from tulpen.tcp.negotiate import DEFAULT_MSS_4, TIMESTAMPS_ROOM, initial_window, window_clamp, window_shift
from tulpen.tcp.receive_memory import WHOLE, ReceiveMemory, keeping
from tulpen.tcp.tcb import Tcb
from tulpen.tcp.timers import NEVER
from tulpen.wire.segment import FIN, PSH, SYN, URG
from tulpen.wire.seq import wrap

HEADERS_4: Final = 40
HEADERS_6: Final = 60
LEAST_CLAMP: Final = 1152
LEAST_GROWING: Final = 128  # octets: smaller segments say nothing of what fits
FIRST_SEGMENTS: Final = 10  # of them an application is taken to read in the first round trip
LEAST_FULL: Final = 536


def begin(tcb: Tcb) -> int:
    """Choose the window that our SYN or SYN,ACK offers."""
    rcv, m, settings = tcb.rcv, tcb.rcv.memory, tcb.stack.settings
    mss = tcb.rcv_mss - (TIMESTAMPS_ROOM if tcb.terms.timestamps else 0)
    room = initial_window(tcb.options, settings, rcv.buff, mss)
    if m is None:
        room = min(room - tcb.receive_queue.octets, MAX_WINDOW)
        rcv.wnd = max(rcv.wnd, room)
        return room
    if not m.offered:
        shift = window_shift(tcb.options, settings) if settings.tcp_window_scaling else 0
        m.clamp = min(window_clamp(tcb.options, settings), MAX_WINDOW << shift)
        rcv.wnd = m.offered = m.threshold = room
    return min(rcv.wnd, MAX_WINDOW)


def open_up(tcb: Tcb, now: int) -> None:
    """The connection is established, or text comes before: a segment's worth of the buffer is set aside."""
    rcv, m = tcb.rcv, tcb.rcv.memory
    if m is None or m.space:
        return
    full = _window_of(m, rcv.buff)
    if not tcb.terms.scaling:
        m.clamp = min(m.clamp, MAX_WINDOW)
    m.clamp = min(m.clamp, full)
    if m.clamp > 2 * tcb.rcv_mss and m.clamp + tcb.rcv_mss > full:
        m.clamp = max(2 * tcb.rcv_mss, full - tcb.rcv_mss)
    rcv.edge = rcv.nxt + rcv.wnd
    m.threshold = min(m.threshold, m.clamp)
    m.space = max(1, min(m.threshold, rcv.wnd, FIRST_SEGMENTS * tcb.rcv_mss))
    m.space_at = now
    m.space_seq = rcv.nxt - tcb.receive_queue.octets


def cost(tcb: Tcb, seg: Incoming) -> tuple[int, int]:
    """Return the memory that a segment takes, and what it leaves free for the next; nothing where octets count."""
    if tcb.rcv.memory is None:
        return 0, 0
    headers = HEADERS_6 if tcb.ipv6 else HEADERS_4
    return keeping(headers + (TIMESTAMPS_ROOM if tcb.terms.timestamps else 0) + len(seg.segment.data))


def makes_room(tcb: Tcb, seg: Incoming) -> bool:
    """Whether the buffer has room, if need be after what is kept was packed closer and thinned out.

    What comes then may take more than there is: a window that was offered can be used.
    """
    rcv, m, queue = tcb.rcv, tcb.rcv.memory, tcb.receive_queue
    if m is None or queue.memory <= rcv.buff:
        return True
    settings, count = tcb.stack.settings, tcb.stack.count
    count("PruneCalled")
    tcb.acks.quick = 0
    if tcb.options.so_rcvbuf is None:
        rcv.buff = max(rcv.buff, min(queue.memory, settings.tcp_rmem[2]))
    if queue.memory > rcv.buff:
        m.threshold = min(m.clamp, 2 * tcb.rcv_mss)
        queue.collapse(m.ratio)
    while queue.memory > rcv.buff and queue.drop_last(seg.seq):
        count("OfoPruned")
    if queue.memory <= rcv.buff:
        return True
    count("RcvPruned")
    return False


def text_arrived(tcb: Tcb, seg: Incoming, memory: int, now: int) -> None:
    """Text in order came and is kept in so much memory: learn from it how much may be offered."""
    m, ack, segment = tcb.rcv.memory, tcb.acks, seg.segment
    octets = len(segment.data)
    if (segment.gso_size or octets) == ack.seen_mss:
        ack.last_size = 0
    else:
        measure(tcb, seg, memory)
    if m is None:
        return
    _measure_round_trip(tcb, m, seg, now)
    if m.threshold < m.clamp and octets >= LEAST_GROWING:
        _grow(tcb, m, octets, memory)


def text_held(tcb: Tcb, seg: Incoming, memory: int) -> None:
    """Text beyond a hole is kept; without SACK the window must stay as it is for duplicate ACKs to count."""
    m = tcb.rcv.memory
    if m is None:
        return
    m.offered_at = -1
    if tcb.terms.sack and m.threshold < m.clamp:
        _grow(tcb, m, len(seg.segment.data), memory)
    if m.adopted and not tcb.orphan and m.space:
        _grow_buffer(tcb, m, m.space)


def measure(tcb: Tcb, seg: Incoming, memory: int) -> None:
    """Estimate the peer's full segments: the largest seen; a smaller size where it comes twice in a row."""
    ack, segment = tcb.acks, seg.segment
    unit, last = segment.gso_size or len(segment.data), ack.last_size
    ack.last_size = 0
    if not ack.seen_mss:
        offered = tcb.rcv.wnd if tcb.rcv.memory is None else tcb.rcv.memory.offered
        ack.seen_mss = min(DEFAULT_MSS_4, tcb.rcv_mss, tcb.smss, max(offered // 2, 1))
    if unit >= ack.seen_mss:
        if unit > ack.seen_mss and tcb.rcv.memory is not None:
            _fit_ratio(tcb, tcb.rcv.memory, len(segment.data), memory)
        ack.seen_mss = min(unit, tcb.rcv_mss)
        return
    if tcb.rcv.memory is None:
        return
    if unit >= LEAST_FULL or not segment.flags & (PSH | FIN | URG | SYN):
        ack.last_size = unit
        if unit == last:
            ack.seen_mss = unit
            return
    ack.small = True


def _fit_ratio(tcb: Tcb, m: ReceiveMemory, octets: int, memory: int) -> None:
    ratio = max(1, (octets << WHOLE) // memory) if memory else m.ratio
    if ratio != m.ratio:
        m.ratio = ratio
        set_clamp(tcb, _window_of(m, tcb.rcv.buff))
        m.space = min(m.space, m.clamp)


def set_clamp(tcb: Tcb, most: int) -> None:
    """Offer ``most`` octets at most; no window that was offered is taken back."""
    m = tcb.rcv.memory
    if m is None:
        return
    most = max(LEAST_CLAMP, most)
    m.offered_at = -1
    if most < m.clamp:
        m.threshold = min(m.threshold, most)
    elif most > m.clamp:
        m.threshold = max(min(m.offered, most), m.threshold)
    m.clamp = most


def _grow(tcb: Tcb, m: ReceiveMemory, octets: int, memory: int) -> None:
    """Offer more, up to the clamp, if text like this will fit the buffer with the memory it takes."""
    room = min(m.clamp, _window_of(m, tcb.rcv.buff - tcb.receive_queue.memory)) - m.threshold
    if room <= 0:
        return
    weight = _window_of(m, memory)
    more = 2 * tcb.rcv_mss if weight <= octets else _slowly(tcb, m, weight, octets)
    if more:
        m.threshold += min(room, max(more, 2 * octets))
        tcb.acks.quick |= 1


def _slowly(tcb: Tcb, m: ReceiveMemory, weight: int, octets: int) -> int:
    """The heavier text is for its octets, the further the window must be from its end to grow."""
    most = _window_of(m, tcb.stack.settings.tcp_rmem[2]) // 2
    weight //= 2
    while m.threshold <= most:
        if weight <= octets:
            return 2 * tcb.acks.seen_mss
        weight //= 2
        most //= 2
    return 0


def _measure_round_trip(tcb: Tcb, m: ReceiveMemory, seg: Incoming, now: int) -> None:
    """By the echo of our timestamp, and by how long a window's worth of text takes."""
    rcv, echo = tcb.rcv, seg.options.tsecr
    if tcb.terms.timestamps and seg.options.tsval is not None and echo != m.echoed:
        m.echoed = echo
        passed = wrap(now // MS + tcb.ts_offset - echo)
        if len(seg.segment.data) >= tcb.acks.seen_mss and 0 < passed < 1 << 31:
            _note_round_trip(tcb, m, passed * MS, dependent=False)
    if m.rtt_at < 0:
        m.rtt_edge = rcv.nxt + m.offered
        m.rtt_at = now
    elif rcv.nxt >= m.rtt_edge:
        _note_round_trip(tcb, m, max(now - m.rtt_at, US), dependent=True)
        m.rtt_edge = rcv.nxt + m.offered
        m.rtt_at = now


def _note_round_trip(tcb: Tcb, m: ReceiveMemory, sample: int, *, dependent: bool) -> None:
    if not m.rtt or 8 * sample < m.rtt:
        m.rtt = 8 * sample
    elif not dependent and not tcb.receive_queue.octets:
        m.rtt += sample - m.rtt // 8


def text_read(tcb: Tcb, first: int, octets: int, now: int) -> None:
    """The application takes text, ``first`` and then the rest: once a round trip, see whether it keeps up.

    Linux looks when it has copied the first piece, and text that is still queued counts against the
    application.  A driver that hands over a whole flight before anybody can read would
    never seem to be kept up with, so the whole of what is read is looked at too.
    """
    m = tcb.rcv.memory
    if m is None:
        return
    m.offered_at = -1
    if not m.rtt or now - m.space_at < m.rtt // 8:
        return
    queued = tcb.receive_queue.octets
    read = tcb.rcv.nxt - queued + first
    taken = read - m.space_seq - (queued - first)
    if taken <= m.space:
        taken = tcb.rcv.nxt - m.space_seq - 2 * (queued - octets)
    if taken > m.space:
        _grow_buffer(tcb, m, taken)
    m.space_seq = read
    m.space_at = now


def _grow_buffer(tcb: Tcb, m: ReceiveMemory, taken: int) -> None:
    """Twice what was taken in a round trip, and more while that grows: the sender may be in slow start."""
    before, m.space = m.space, taken
    settings, rcv = tcb.stack.settings, tcb.rcv
    if not settings.tcp_moderate_rcvbuf or tcb.options.so_rcvbuf is not None:
        return
    wanted = 2 * taken
    wanted += 2 * (wanted * (taken - before) // before)
    wanted += tcb.receive_queue.held_end(rcv.nxt) - rcv.nxt
    buff = min((wanted << WHOLE) // m.ratio, settings.tcp_rmem[2])
    if buff > rcv.buff:
        rcv.buff = buff
        m.clamp = _window_of(m, buff)


def offer(tcb: Tcb) -> int:
    """Return the window field of the next segment, and remember what it offers."""
    rcv, m, shift = tcb.rcv, tcb.rcv.memory, tcb.terms.rcv_shift
    if m is None:
        return _offer_octets(tcb)
    if m.offered_at == rcv.nxt and not m.short:
        return m.field
    before = m.offered
    if m.short:
        m.short = False
        new = 0
    else:
        new = _fresh(tcb, m)
        if new < rcv.wnd and not (shift and tcb.stack.settings.tcp_shrink_window):
            if not new:
                tcb.stack.count("TCPWantZeroWindowAdv")
            new = _up(rcv.wnd, shift)
    rcv.wnd = m.offered = new
    rcv.edge = max(rcv.edge, rcv.nxt + new)
    m.field = field = min(new, MAX_WINDOW << shift) >> shift
    m.offered_at = rcv.nxt
    if not field and before:
        tcb.stack.count("TCPToZeroWindowAdv")
    elif field and not before:
        tcb.stack.count("TCPFromZeroWindowAdv")
    return field


def _offer_octets(tcb: Tcb) -> int:
    """Without tcp_rcvbuf_overhead: what the buffer has left; RCV.WND itself never shrinks (SHLD-14).

    Where it is no multiple of the scale the field is rounded up while there is room for
    that, and down otherwise: the peer sees up to a unit less, and all that it was ever
    offered is still taken (RFC 7323 §2.4).
    """
    rcv, shift = tcb.rcv, tcb.terms.rcv_shift
    gain = judge.window_to_open(tcb)
    if gain:
        rcv.wnd = max(rcv.wnd, (rcv.wnd + gain) >> shift << shift)
    up = -(-rcv.wnd >> shift)
    field = min(up if judge.may_round_up(tcb, up << shift) else rcv.wnd >> shift, MAX_WINDOW)
    rcv.wnd = max(rcv.wnd, field << shift)
    return field


def advances(tcb: Tcb) -> bool:
    """Whether an ACK now would move the right edge of the window by all that it acknowledges."""
    m = tcb.rcv.memory
    return m is None or _fresh(tcb, m) >= m.offered


def tells_of_room(tcb: Tcb) -> bool:
    """Whether the octets just read make an ACK worth sending: text it would acknowledge, or twice the window."""
    rcv, ack, m = tcb.rcv, tcb.acks, tcb.rcv.memory
    if m is None:
        return judge.tells_of_room(tcb)
    if ack.pending and tcb.timers.delayed_ack != NEVER:
        if ack.pending > ack.seen_mss:
            return True
        if ack.small and not ack.answering and not tcb.receive_queue.memory:
            return True
    if 2 * rcv.wnd > m.clamp:
        return False
    new = _fresh(tcb, m)
    return bool(new) and new >= 2 * rcv.wnd


def _fresh(tcb: Tcb, m: ReceiveMemory) -> int:
    """Return the window that the buffer allows now."""
    rcv, shift, settings = tcb.rcv, tcb.terms.rcv_shift, tcb.stack.settings
    allowed, free = _window_of(m, rcv.buff), _window_of(m, rcv.buff - tcb.receive_queue.memory)
    full = min(allowed, m.clamp)
    if full <= 0:
        return 0
    may_shrink = shift > 0 and settings.tcp_shrink_window
    if may_shrink:
        free = free >> shift << shift
    if free < full // 2:
        tcb.acks.quick = 0
        free = free >> shift << shift
        if free < allowed // 16 or free < max(_segment(tcb, full), 1 << shift if may_shrink else 0):
            return 0
    if free > m.threshold:
        free = m.threshold
    if shift:
        return -(-free >> shift) << shift
    window, mss = m.offered, _segment(tcb, full)
    if window <= free - mss or window > free:
        return free - free % mss
    if mss == full and free > window + full // 2:
        return free
    return window


def _segment(tcb: Tcb, most: int) -> int:
    """Octets of a segment as the peer sends them, ``most`` of them."""
    return min(tcb.acks.seen_mss or min(DEFAULT_MSS_4, tcb.rcv_mss), most)


def _up(window: int, shift: int) -> int:
    return -(-window >> shift) << shift


def _window_of(m: ReceiveMemory, memory: int) -> int:
    """Return the octets of text that fit into so much memory."""
    return memory * m.ratio >> WHOLE
