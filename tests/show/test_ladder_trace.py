"""Ladders from traces of the real engine: both ends, one end, and what the network tells."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from rich.console import Console

from tests.show.conversations import MS, Conversed, converse
from tests.show.drawn import golden
from tulpen.show.label import MARKED
from tulpen.show.ladder import Arrow, Fate, Happening, Ladder, Side
from tulpen.show.ladder_text import ladder_text as text
from tulpen.show.ladder_trace import Passage, Witness, ladder_from_trace
from tulpen.sim.chance import Chance
from tulpen.sim.conversations import Reader, Requester, Responder, Sink, Source
from tulpen.sim.filters import Duplication, Loss, Remark
from tulpen.sim.rate import Rate
from tulpen.tcp.config import Settings
from tulpen.tcp.state import Event, State
from tulpen.tcp.trace import Arrived, Moved, Record, Sent, TimedOut
from tulpen.wire.segment import ACK, CE, FIN, PSH, RST, SYN, Segment

if TYPE_CHECKING:
    from tulpen.sim.filters import Passed
    from tulpen.tcp.signals import Signal
    from tulpen.wire.ip import Packet

CLIENT = [State.CLOSED, State.SYN_SENT, State.ESTABLISHED, State.FIN_WAIT_1, State.FIN_WAIT_2, State.TIME_WAIT,
          State.CLOSED]  # fmt: skip
SERVER = [State.LISTEN, State.SYN_RECEIVED, State.ESTABLISHED, State.CLOSE_WAIT, State.LAST_ACK, State.CLOSED]


def arrows(ladder: Ladder, fate: Fate | None = None) -> list[Arrow]:
    return [each for each in ladder.rungs if isinstance(each, Arrow) and fate in (None, each.fate)]


def states(ladder: Ladder, side: Side) -> list[State | None]:
    return [standing.state for standing in ladder.path(side)]


def request(**how: object) -> Conversed:
    return converse(Requester(1), Responder, **how)  # type: ignore[arg-type]


def drop_nth(n: int, seen: list[Packet]) -> object:
    def filter_(packet: Packet, now: int) -> Passed:
        seen.append(packet)
        return [] if len(seen) == n else [(0, packet)]

    return filter_


def test_a_request_from_both_traces() -> None:
    ladder = request().ladder
    assert states(ladder, Side.LEFT) == CLIENT
    assert states(ladder, Side.RIGHT) == SERVER
    assert not any(standing.inferred for side in Side for standing in ladder.path(side))
    assert {each.fate for each in arrows(ladder)} == {Fate.ARRIVED}
    assert all(each.arrived == each.sent + 10 * MS for each in arrows(ladder))
    golden("request", text(ladder))


def test_a_request_from_the_servers_trace() -> None:
    ladder = request().of_server
    assert states(ladder, Side.RIGHT) == SERVER
    assert states(ladder, Side.LEFT) == CLIENT[1:-1], "CLOSED after TIME-WAIT leaves no segment"
    assert all(standing.inferred for standing in ladder.path(Side.LEFT))
    golden("request-from-the-server", text(ladder))


def test_a_request_from_the_clients_trace() -> None:
    ladder = request().of_client
    assert states(ladder, Side.LEFT) == CLIENT
    assert states(ladder, Side.RIGHT) == SERVER[1:]


def test_without_any_delay_the_order_is_kept() -> None:
    ladder = request(delay=0).ladder
    assert [each.letters for each in arrows(ladder)][:2] == ["S", "S."]
    assert states(ladder, Side.LEFT) == CLIENT
    assert states(ladder, Side.RIGHT) == SERVER
    times = [each.now for each in ladder.rungs]
    assert times == sorted(times)


def test_readings_make_what_is_inferred_certain() -> None:
    server = request().server
    readings = [(9 * MS, State.SYN_SENT), (21 * MS, State.ESTABLISHED), (69 * MS, State.TIME_WAIT),
                (61_000 * MS, State.CLOSED)]  # fmt: skip
    ladder = ladder_from_trace(Witness("python", readings=readings, first=State.CLOSED), Witness("tulpen", server))
    assert [standing.title for standing in ladder.path(Side.LEFT)] == [
        "CLOSED", "SYN-SENT", "ESTABLISHED", "FIN-WAIT-1?", "FIN-WAIT-2?", "TIME-WAIT", "CLOSED",
    ]  # fmt: skip
    assert [each.now for each in ladder.rungs if isinstance(each, Happening) and each.side is Side.LEFT] == [
        61_000 * MS
    ]


def test_what_one_sent_and_the_other_never_saw_is_lost() -> None:
    seen: list[Packet] = []
    conversed = converse(Source(20_000), Sink, out=drop_nth(4, seen))  # type: ignore[arg-type]
    ladder = conversed.ladder
    (lost,) = arrows(ladder, Fate.LOST)
    assert lost.arrived is None
    payload = seen[3].payload
    assert isinstance(payload, Segment)
    assert (lost.seq, lost.length) == (payload.seq, len(payload.data))
    (again,) = [each for each in arrows(ladder) if each.seq == lost.seq and each is not lost]
    assert "retransmission" in again.notes
    assert states(ladder, Side.LEFT) == CLIENT


def test_a_connect_that_nobody_answers() -> None:
    conversed = converse(Source(10), Sink, out=lambda packet, now: [])
    ladder = conversed.ladder
    syns = arrows(ladder)
    assert {each.fate for each in syns} == {Fate.LOST}
    assert all(each.flags == SYN for each in syns)
    assert states(ladder, Side.LEFT) == [State.CLOSED, State.SYN_SENT, State.CLOSED]
    last = ladder.rungs[-1]
    assert isinstance(last, Happening)
    assert "ETIMEDOUT" in last.words
    assert last.hurts


def test_a_refused_connect() -> None:
    ladder = converse(Source(10), Sink, port=81).ladder
    syn, reset = arrows(ladder)
    assert syn.fate is Fate.REFUSED
    assert syn.notes == ("no connection and no listener on this port",)
    assert reset.flags & RST
    assert reset.notes == ("ECONNREFUSED",)
    assert states(ladder, Side.LEFT) == [State.CLOSED, State.SYN_SENT, State.CLOSED]
    golden("refused", text(ladder))


def test_copies_are_told_from_repetitions() -> None:
    ladder = request(out=Duplication(Chance(1), 1.0)).ladder
    copies = arrows(ladder, Fate.DUPLICATED)
    assert len(copies) >= 4
    ours = [each for each in arrows(ladder) if each.sender is Side.LEFT]
    assert not any("retransmission" in each.notes for each in ours)


def test_heavy_loss_and_every_octet_is_told_once() -> None:
    conversed = converse(Source(60_000), Sink, out=Loss(Chance(5), 0.1), into=Loss(Chance(6), 0.1))
    ladder = conversed.ladder
    sent = [each for each in conversed.client if isinstance(each, Sent)]
    assert len([each for each in arrows(ladder) if each.sender is Side.LEFT]) == len(sent)
    got = {
        (each.seq + i) & 0xFFFF_FFFF
        for each in arrows(ladder)
        if each.sender is Side.LEFT and each.arrived is not None
        for i in range(each.length)
    }
    assert len(got) == 60_000
    assert states(ladder, Side.LEFT) == CLIENT
    assert states(ladder, Side.RIGHT) == SERVER


class _Never(Reader):
    def on(self, signal: Signal, now: int) -> None:
        """Read nothing."""


def test_a_closed_window_and_its_probes_are_named() -> None:
    settings = Settings(tcp_rmem=(4096, 20_000, 20_000))
    slow = Rate(10_000_000)  # so that each segment is answered before the next comes
    ladder = converse(Source(400_000), _Never, until=20_000 * MS, settings=settings, out=slow).ladder
    said = [note for each in arrows(ladder) for note in each.notes]
    assert said.count("zero window") == 1
    assert said.count("window probe") > 2


def test_the_network_says_what_it_did() -> None:
    server = request().server
    sent = [each for each in server if isinstance(each, Sent)]
    syn = next(each.seg for each in server if isinstance(each, Arrived))
    first = Segment(syn.seq, 0, SYN)
    passages = [
        Passage(Side.LEFT, 0, first, Fate.LOST),
        Passage(Side.LEFT, 5 * MS, syn, arrived=10 * MS),
        Passage(Side.RIGHT, sent[1].now, sent[1].seg, Fate.LOST),
        Passage(Side.RIGHT, sent[2].now, sent[2].seg, Fate.ARRIVED, sent[2].now + MS),
        Passage(Side.RIGHT, sent[2].now, sent[2].seg, Fate.DUPLICATED, sent[2].now + 2 * MS),
    ]
    ladder = ladder_from_trace(Witness("python"), Witness("tulpen", server), passages=passages)
    lost, second, *_ = arrows(ladder)
    assert lost.fate is Fate.LOST
    assert lost.sender is Side.LEFT
    assert (second.sent, second.arrived) == (5 * MS, 10 * MS)
    assert "retransmission" in second.notes
    fates = [each.fate for each in arrows(ladder) if each.sender is Side.RIGHT]
    assert fates == [Fate.UNKNOWN, Fate.LOST, Fate.ARRIVED, Fate.DUPLICATED]


def test_a_segment_that_nobody_sent() -> None:
    conversed = request()
    stranger = Segment(1, 0, RST)
    at = next(i for i, each in enumerate(conversed.server) if isinstance(each, Sent))
    arrived = conversed.server[0]._replace(seg=stranger)  # type: ignore[call-arg]
    conversed.server.insert(at, arrived._replace(now=conversed.server[at].now))
    (injected,) = arrows(conversed.ladder, Fate.INJECTED)
    assert injected.flags == RST


def test_the_network_tells_of_forged_segments() -> None:
    server = request().server
    to_kernel, to_tulpen = Segment(1, 0, RST), Segment(2, 0, RST)
    passages = [
        Passage(Side.RIGHT, 30 * MS, to_kernel, Fate.INJECTED, 30 * MS),
        Passage(Side.LEFT, 31 * MS, to_tulpen, Fate.INJECTED, 31 * MS),
    ]
    server.append(Arrived(31 * MS, to_tulpen, State.CLOSED))
    ladder = ladder_from_trace(Witness("python"), Witness("tulpen", server), passages=passages)
    assert [(each.sender, each.seq) for each in arrows(ladder, Fate.INJECTED)] == [(Side.RIGHT, 1), (Side.LEFT, 2)]


def test_a_syn_cookie_that_comes_back() -> None:
    ladder = request(settings=Settings(tcp_syncookies=2)).ladder
    assert not arrows(ladder, Fate.DUPLICATED)
    third = arrows(ladder)[2]
    assert [standing.state for standing in third.right] == [State.SYN_RECEIVED, State.ESTABLISHED]
    assert states(ladder, Side.RIGHT) == SERVER


def test_nothing_at_all() -> None:
    ladder = ladder_from_trace(Witness("a"), Witness("b"))
    assert ladder.rungs == []
    assert text(ladder)


def test_what_a_kernel_sends_at_once_keeps_its_order() -> None:
    server = request().server
    batch = [Segment(1000 + 10 * i, 1, ACK, 100, b"x" * 10) for i in range(6)]
    passages = [Passage(Side.LEFT, 70 * MS, seg, Fate.LOST if i % 2 else Fate.ARRIVED) for i, seg in enumerate(batch)]
    server += [Arrived(70 * MS, seg, State.CLOSED) for seg in batch[::2]]
    ladder = ladder_from_trace(Witness("python"), Witness("tulpen", server), passages=passages)
    numbers = [seg.seq for seg in batch]
    assert [each.seq for each in arrows(ladder) if each.seq in numbers] == numbers


def test_what_a_kernel_answers_at_once_comes_after_what_it_answers() -> None:
    fin, ack = Segment(100, 1, FIN | ACK, 100), Segment(1, 101, FIN | ACK, 100)
    server: list[Record] = [
        Moved(5, State.ESTABLISHED, Event.CLOSE, State.FIN_WAIT_1),
        Sent(5, fin, State.FIN_WAIT_1),
        Arrived(5, ack, State.FIN_WAIT_1),
    ]
    passages = [Passage(Side.LEFT, 5, ack, arrived=5)]
    ladder = ladder_from_trace(Witness("python"), Witness("tulpen", server), passages=passages)
    assert [each.sender for each in arrows(ladder)] == [Side.RIGHT, Side.LEFT]


def test_a_timer_and_what_it_sends_a_moment_later() -> None:
    seg = Segment(100, 1, PSH | ACK, 100, b"x")
    records: list[Record] = [
        Sent(0, seg, State.ESTABLISHED),
        TimedOut(200 * MS, State.ESTABLISHED, "retransmit"),
        Sent(200 * MS + 60_000, Segment(100, 1, PSH | ACK, 100, b"x"), State.ESTABLISHED),
        TimedOut(600 * MS, State.ESTABLISHED, "retransmit"),
        Sent(700 * MS, Segment(100, 1, PSH | ACK, 100, b"x"), State.ESTABLISHED),
    ]
    ladder = ladder_from_trace(Witness("a", records), Witness("b"))
    assert [each.notes for each in arrows(ladder)] == [(), ("retransmission", "RTO"), ("retransmission",)]
    assert [each.words for each in ladder.rungs if isinstance(each, Happening)] == ["retransmit"]


def test_rich_and_notebooks_draw_it_by_themselves() -> None:
    ladder = request().ladder
    out = io.StringIO()
    Console(file=out, width=80).print(ladder)
    assert "TIME-WAIT" in out.getvalue()
    assert "<svg" in ladder._repr_html_()


def test_a_packet_that_was_marked_on_the_way_says_so() -> None:
    ladder = request(out=Remark(CE)).ladder
    assert {MARKED in each.notes for each in arrows(ladder) if each.sender is Side.LEFT} == {True}
    assert not any(MARKED in each.notes for each in arrows(ladder) if each.sender is Side.RIGHT)
