"""Sequence numbers next to 2^32, on both sides: the rows of the states again, and whole conversations."""

from __future__ import annotations

from types import ModuleType

import pytest

from tests.rfc9293 import (
    reach,
    test_closing_states,
    test_established,
    test_syn_received,
    test_time_wait,
)
from tests.rfc9293.cases import Case, check
from tests.rfc9293.notation import MS, SECOND, End
from tulpen.tcp.config import Settings, SocketOptions
from tulpen.tcp.connection import Connection
from tulpen.tcp.stack import Stack
from tulpen.tcp.state import CLOSED, TIME_WAIT, State
from tulpen.wire.segment import Segment
from tulpen.wire.seq import MASK

EDGES = [(MASK, MASK), (MASK - 1, MASK - 1), (MASK - 2, 300), (100, MASK - 2), ((1 << 31) - 2, (1 << 31) - 2)]

ROWS: list[tuple[ModuleType, str, State]] = [
    (test_established, "test_arrives", State.ESTABLISHED),
    (test_closing_states, "test_fin_wait_1", State.FIN_WAIT_1),
    (test_closing_states, "test_fin_wait_2", State.FIN_WAIT_2),
    (test_closing_states, "test_close_wait", State.CLOSE_WAIT),
    (test_closing_states, "test_closing", State.CLOSING),
    (test_closing_states, "test_last_ack", State.LAST_ACK),
    (test_time_wait, "test_arrives", State.TIME_WAIT),
    (test_syn_received, "test_arrives_after_a_passive_open", State.SYN_RECEIVED),
]


def rows_again() -> list[object]:
    """Every row of those tests, with the state it is for."""
    again: list[object] = []
    for module, name, state in ROWS:
        (mark,) = [mark for mark in getattr(module, name).pytestmark if mark.name == "parametrize"]
        again += [pytest.param(state, *row.values, id=f"{state.title}-{row.id}") for row in mark.args[1]]
    return again


@pytest.mark.parametrize(("iss", "irs"), EDGES)
@pytest.mark.parametrize(("state", "row"), rows_again())
def test_rows_again(state: State, row: Case, iss: int, irs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reach, "IRS", irs)
    check(reach.REACH[state](iss=iss), row)


def near_the_edge(iss: int = MASK, irs: int = MASK, offer: str = "mss=1460", **sysctls: object) -> End:
    end = reach.closed(iss=iss, **sysctls)
    end.tcp.open_active(end.now)
    end.sent()
    end.arrives(f"S. seq={irs} {offer}")
    end.signals()
    return end


@pytest.mark.parametrize(("iss", "irs"), EDGES)
def test_what_goes_on_the_wire_has_32_bits(iss: int, irs: int) -> None:
    end = near_the_edge(iss, irs)
    end.tcp.send(bytes(5000), end.now)
    end.tcp.segment_arrives(end.arriving("FP. data=abc"), end.now)
    for segment in end.tcp.segments_to_send(end.now):
        assert 0 <= segment.seq <= MASK
        assert 0 <= segment.ack <= MASK


def test_text_out_of_order_across_it() -> None:
    end = near_the_edge(irs=MASK - 4)
    for letter, place in (("e", 4), ("c", 2), ("d", 3), ("b", 1), ("a", 0)):
        end.arrives(f"P. seq={(MASK - 3 + place) & MASK} data={letter}")
    assert bytes(end.tcp.receive(9)) == b"abcde"


def test_sack_blocks_across_it() -> None:
    end = near_the_edge(irs=MASK - 2000, offer="mss=1460 sackok", tcp_sack=True)
    for place in (1000, 3000):
        end.tcp.segment_arrives(end.arriving(f". seq={(MASK - 1999 + place) & MASK} len=1500"), end.now)
    (answer,) = end.tcp.segments_to_send(end.now)
    assert answer.options.sack == ((1000, 2500), (MASK - 999, 500))
    sender = near_the_edge(iss=MASK - 2000, offer="mss=1000 sackok", tcp_sack=True)
    sender.send(bytes(5000))
    assert sender.arrives(f". ack={MASK - 1999} sack=1000:4000") == [". seq=+0 ack=+0 len=1000"]
    assert sender.tcp.status().sacked == 3000


def test_the_urgent_pointer_across_it() -> None:
    end = near_the_edge(irs=MASK - 10)
    end.arrives("PU. data=abc urg=20")
    assert end.tcp.urgent == 20
    end.arrives("P. data=" + "x" * 17)
    assert end.tcp.urgent == 20
    end.tcp.receive(15)
    assert end.tcp.urgent == 5
    end.tcp.receive(99)
    assert end.tcp.urgent == 0
    sender = near_the_edge(iss=MASK - 2)
    sender.tcp.send(b"urgent", sender.now, urgent=True)
    (segment,) = sender.tcp.segments_to_send(sender.now)
    assert (segment.seq, segment.urg) == (MASK - 1, 6)


@pytest.mark.parametrize("before", range(4))
def test_a_fin_on_either_side_of_it(before: int) -> None:
    end = near_the_edge(iss=MASK - before, irs=MASK - before)
    assert end.shutdown() == ["F. seq=+0 ack=+0"]
    assert end.arrives("F.") == [". seq=+0 ack=+0"]
    assert end.state is TIME_WAIT
    assert end.arrives("F. seq=-1") == [". seq=+0 ack=+0"]


@pytest.mark.parametrize("before", range(4))
def test_a_window_across_it(before: int) -> None:
    end = near_the_edge(iss=MASK - before, offer="mss=1460 wnd=3")
    assert end.send(b"abcdef") == [". seq=+0 ack=+0 len=3"]
    assert end.arrives(". wnd=3") == ["P. seq=+0 ack=+0 len=3"]
    assert end.tcp.status().snd_una >= MASK - before


def test_a_probe_and_a_keep_alive_name_the_octet_before_it() -> None:
    end = near_the_edge(iss=MASK, options=SocketOptions(so_keepalive=True))
    assert end.wait(7200 * SECOND) == [". seq=-1 ack=+0"]


def pair(iss: int, irs: int) -> tuple[Connection, Connection]:
    settings = Settings(tcp_rmem=(4096, 30_000, 6_291_456))
    a = Connection(Stack(settings), iss=iss, ts_offset=MASK - 500)
    b = Connection(Stack(settings), iss=irs, ts_offset=MASK - 900)
    b.open_passive(0)
    a.open_active(0)
    return a, b


def carry(a: Connection, b: Connection, octets: bytes, lose: int) -> bytes:
    """Send ``octets`` from a to b; every ``lose``-th segment is lost, every third one late."""
    now = sent = number = 0
    late: list[tuple[Connection, Segment]] = []
    received = bytearray()
    while a.state is not CLOSED or b.state is not CLOSED:
        if sent < len(octets) and a.state.name == "ESTABLISHED":
            sent += a.send(octets[sent : sent + 20_000], now)
            if sent == len(octets):
                a.shutdown(now)
        received += b.receive(1 << 20) if b.state is not CLOSED else b""
        if b.eof and b.state.name == "CLOSE_WAIT":
            b.shutdown(now)
        under_way, late = late, []
        for source, target in ((a, b), (b, a)):
            for segment in source.segments_to_send(now):
                number += 1
                if number % lose:
                    (late if number % 3 == 0 else under_way).append((target, segment))
        for target, segment in under_way:
            target.segment_arrives(segment, now)
        if not (under_way or late):
            deadlines = [at for at in (a.next_deadline(), b.next_deadline()) if at is not None]
            assert deadlines, (a.state, b.state)
            now = max(now, min(deadlines))
        else:
            now += 5 * MS
        a.timeout(now)
        b.timeout(now)
    assert (a.error, b.error) == (0, 0)
    return bytes(received)


@pytest.mark.parametrize(("iss", "irs"), EDGES)
@pytest.mark.parametrize("lose", [5, 11, 10**9])
def test_whole_conversations(iss: int, irs: int, lose: int) -> None:
    octets = bytes(range(256)) * 500
    assert carry(*pair(iss, irs), octets, lose) == octets
