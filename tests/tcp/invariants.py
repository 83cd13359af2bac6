"""What holds of a connection after whatever happened to it, recomputed from its parts."""

from __future__ import annotations

from itertools import pairwise

from tulpen.tcp import window
from tulpen.tcp.beyond import PIECE
from tulpen.tcp.connection import Connection
from tulpen.tcp.flight import Flight
from tulpen.tcp.nothing import NOTHING
from tulpen.tcp.receive_memory import keeping
from tulpen.tcp.receiving import ReceiveQueue
from tulpen.tcp.state import CLOSED, LISTEN, TIME_WAIT
from tulpen.tcp.tcb import Tcb
from tulpen.tcp.timers import NEVER


def hold(connection: Connection) -> None:
    """Assert them; ask after ``segments_to_send``."""
    tcb = connection.tcb
    assert tcb.replies == NOTHING == []
    assert len(set(tcb.signals)) == len(tcb.signals)
    _sequence_space(tcb)
    flight_agrees(tcb.flight)
    _received(tcb)
    _timers(tcb)
    assert tcb.cc.cwnd >= tcb.cc.mss > 0
    assert tcb.stack.orphans == tcb.orphan


def _sequence_space(tcb: Tcb) -> None:
    snd = tcb.snd
    if tcb.state is CLOSED:
        return
    assert snd.iss <= snd.una <= snd.nxt <= tcb.queue.end + (snd.fin >= 0)
    assert tcb.queue.start <= max(snd.una, snd.iss + 1)
    assert len(tcb.queue) <= tcb.stack.settings.tcp_wmem[1]
    if tcb.flight.sent:
        assert (tcb.flight.sent[0].seq, tcb.flight.sent[-1].end) == (snd.una, snd.nxt)
    else:
        assert snd.una == snd.nxt
    assert tcb.loss.point <= snd.nxt
    assert tcb.loss.dupacks >= 0
    assert window.pipe(tcb) >= 0
    assert tcb.flight.pipe >= 0


def flight_agrees(flight: Flight) -> None:
    """The pieces adjoin, and the counts are theirs."""
    sent = flight.sent
    for one, other in pairwise(sent):
        assert one.end == other.seq
    for piece in sent:
        assert piece.seq < piece.end
        assert not (piece.sacked and (piece.lost or piece.resent))
    assert flight.sacked_octets == sum(piece.end - piece.seq for piece in sent if piece.sacked)
    assert flight.lost_octets == sum(piece.end - piece.seq for piece in sent if piece.lost)
    assert flight.resent_octets == sum(piece.end - piece.seq for piece in sent if piece.resent)


def pieces_are_bounded(connection: Connection, transmissions: int) -> None:
    """A peer cannot make the scoreboard larger than what was sent, and a few cuts a segment."""
    flight = connection.tcb.flight
    assert len(flight.sent) <= transmissions + sum(piece.segments for piece in flight.sent)


def _received(tcb: Tcb) -> None:
    rcv, queue = tcb.rcv, tcb.receive_queue
    unit = 1 << tcb.terms.rcv_shift
    assert rcv.wnd >= 0
    queue_agrees(queue)
    if rcv.memory is not None:
        assert queue.memory <= rcv.buff + keeping(65_535)[0]
        assert not rcv.memory.space or rcv.wnd <= max(0, rcv.edge - rcv.nxt)
    else:
        assert rcv.wnd + queue.octets < rcv.buff + unit
        assert queue.cost <= 2 * rcv.buff + 65_536 + PIECE
        assert queue.cost == sum(len(piece) + PIECE for piece in ([] if queue.beyond is None else queue.beyond.pieces))
    if tcb.state is not CLOSED and queue.beyond is not None:
        assert queue.beyond.starts[0] > rcv.nxt


def queue_agrees(queue: ReceiveQueue) -> None:
    """What is held does not overlap, and ranges and counts say what there is."""
    assert queue.octets == sum(len(chunk) for chunk in queue.ready)
    beyond = queue.beyond
    held = [] if beyond is None else list(zip(beyond.starts, beyond.pieces, strict=True))
    if beyond is not None:
        assert held
        assert (len(beyond.costs), sum(beyond.costs)) == (len(held), queue.cost)
    assert queue.memory == queue.cost + sum(cost for _, cost in queue._pieces)
    assert not queue._pieces or queue.octets == sum(octets for octets, _ in queue._pieces)
    runs: list[tuple[int, int]] = []
    for start, piece in held:
        assert piece
        if runs and runs[-1][1] >= start:
            assert runs[-1][1] == start
            runs[-1] = (runs[-1][0], start + len(piece))
        else:
            runs.append((start, start + len(piece)))
    assert sorted(queue.latest(len(held))) == runs


def _timers(tcb: Tcb) -> None:
    timers = tcb.timers
    if tcb.state is CLOSED or tcb.state is LISTEN:
        assert timers.next() == NEVER
        return
    assert (min(timers.retransmit, timers.probe, timers.reorder) != NEVER) == bool(tcb.flight.sent)
    if tcb.state is TIME_WAIT:
        assert timers.linger != NEVER
    if tcb.flight.sent:
        assert timers.persist == NEVER
