"""The text of a segment: cut to the window, kept in its order (RFC 9293 §3.10.7.4, first and seventh)."""

from __future__ import annotations

from typing import Final

from tulpen.tcp import acking, ecn, judge, receive_window
from tulpen.tcp.answers import refuse
from tulpen.tcp.ending import end
from tulpen.tcp.incoming import Incoming
from tulpen.tcp.intake import joined
from tulpen.tcp.output import bare_ack
from tulpen.tcp.signals import Signal
from tulpen.tcp.state import TIME_WAIT, Event
from tulpen.tcp.tcb import Tcb
from tulpen.tcp.trace import Reason
from tulpen.wire.segment import FIN

HELD_FACTOR: Final = 2  # where octets count, held pieces may cost this many receive buffers


def trim(tcb: Tcb, seg: Incoming, now: int) -> bool:
    """Make it the idealized segment that lies within the window; False: it is dropped for what lies beyond."""
    rcv = tcb.rcv
    edge = rcv.nxt + judge.receive_window(tcb)
    beyond = seg.seq + len(seg.data) > edge
    if seg.seq >= rcv.nxt and not beyond:
        return True
    acking.report_duplicate(tcb, seg)
    if not beyond:
        seg.trim(rcv.nxt, edge)
        return True
    whole = tcb.stack.settings.tcp_take_whole
    if whole and not tcb.receive_queue.octets:
        seg.trim(rcv.nxt, seg.seq + len(seg.data))
        return True
    tcb.note(seg.segment, Reason.BEYOND_WINDOW, now)
    tcb.ack_now = True
    if whole:
        acking.hurry(tcb)
        return False
    seg.trim(rcv.nxt, edge)
    return True


def seventh_process_text(tcb: Tcb, seg: Incoming, now: int) -> bool:
    """Take the text, if the state permits it; say whether the eighth step follows."""
    if not seg.data:
        return True
    rcv = tcb.rcv
    if not judge.takes_text(tcb):
        tcb.note(seg.segment, Reason.NOT_RECEIVING, now)
        tcb.ack_now |= tcb.state is TIME_WAIT  # the peer has forgotten that it closed (as Linux and FreeBSD do)
        return True
    if tcb.orphan:
        refuse(tcb, seg.segment, Reason.DATA_AFTER_CLOSE, now)
        end(tcb, Event.ABORT, now)
        return False
    if tcb.ecn is not None:
        ecn.text_arrived(tcb, tcb.ecn, seg)
    if rcv.fin >= 0:
        seg.trim(seg.seq, rcv.fin)  # nothing follows a FIN
        if not seg.data:
            tcb.ack_now = True
            return True
    if rcv.memory is not None and (rcv.wnd == 0 or seg.seq >= rcv.nxt + rcv.wnd):
        return _text_where_the_window_was(tcb, seg, now)
    if seg.seq == rcv.nxt:
        return in_order(tcb, seg, now)
    _text_beyond_a_hole(tcb, seg, now)
    return True


def _text_where_the_window_was(tcb: Tcb, seg: Incoming, now: int) -> bool:
    """Its right edge has gone back: the number is good, but there is no place for the text."""
    tcb.note(seg.segment, Reason.BEYOND_WINDOW if seg.seq > tcb.rcv.nxt else Reason.ZERO_WINDOW, now)
    acking.hurry(tcb)
    tcb.ack_now = True
    return False


def in_order(tcb: Tcb, seg: Incoming, now: int) -> bool:
    """Take text that begins at RCV.NXT; say whether the eighth step follows."""
    rcv, received = tcb.rcv, tcb.receive_queue
    room = receive_window.makes_room(tcb, seg)
    if rcv.memory is not None and (not room or len(seg.data) > rcv.buff):
        rcv.memory.short = tcb.ack_now = True  # the peer is to know at once that the window is closed
    if not room and received.octets:
        tcb.note(seg.segment, Reason.NO_ROOM, now)
        return False
    before_it = rcv.nxt
    memory, tail = receive_window.cost(tcb, seg)
    received.deliver(seg.data, memory, tail)
    rcv.nxt += len(seg.data)
    if received.beyond is not None:
        rcv.nxt = received.fill(rcv.nxt, before_it)
        tcb.ack_now = True  # it fills a hole, or part of one (RFC 5681 §4.2)
    arrived = rcv.nxt - before_it
    rcv.wnd = max(0, rcv.wnd - arrived)
    receive_window.text_arrived(tcb, seg, memory, now)
    if seg.flags & FIN:
        acking.fin_comes(tcb)
    acking.text_arrived(tcb, arrived, now)
    if arrived:
        tcb.signal(Signal.READABLE)
    return True


def _text_beyond_a_hole(tcb: Tcb, seg: Incoming, now: int) -> None:
    if not _has_room_beyond(tcb, seg):
        tcb.note(seg.segment, Reason.NO_ROOM_BEYOND, now)
    else:
        memory, tail = receive_window.cost(tcb, seg)
        receive_window.measure(tcb, seg, memory)
        if tcb.receive_queue.hold(seg.seq, seg.data, memory, tail):
            receive_window.text_held(tcb, seg, memory)
        tcb.stack.count("TCPOFOQueue")
        tcb.intake.beyond_hole += joined(seg.segment, len(seg.segment.data))
    acking.hurry(tcb)
    if tcb.terms.sack:
        tcb.ack_now = True
    else:
        tcb.reply(bare_ack(tcb, now))  # without SACK each duplicate counts (RFC 5681 §4.2)


def _has_room_beyond(tcb: Tcb, seg: Incoming) -> bool:
    if tcb.rcv.memory is not None:
        return receive_window.makes_room(tcb, seg)
    return tcb.receive_queue.cost <= HELD_FACTOR * tcb.rcv.buff
