"""The small records of SYN-RECEIVED and TIME-WAIT behave as the connections they stand for."""

from __future__ import annotations

from random import Random

import pytest

from tests.rfc9293 import reach
from tests.rfc9293.notation import End
from tests.tcp import chaos
from tulpen.tcp.compact import Request, TimeWait
from tulpen.tcp.config import Settings, SocketOptions
from tulpen.tcp.connection import Connection
from tulpen.tcp.negotiate import initial_window
from tulpen.tcp.stack import Stack
from tulpen.tcp.state import CLOSED, LISTEN, SYN_RECEIVED, TIME_WAIT
from tulpen.tcp.trace import FourTuple
from tulpen.wire.options import Options
from tulpen.wire.segment import SYN, Segment

NAME = FourTuple(b"\x0a\0\0\1", 80, b"\x0a\0\0\2", 5000)
SETTINGS = Settings(tcp_invalid_ratelimit=0)
SYNS = [
    Options(),
    Options(mss=1000),
    Options(mss=1460, wscale=7, sack_permitted=True, tsval=77),
    Options(mss=9000, sack_permitted=True),
]


def by_itself(options: Options) -> Connection:
    connection = Connection(Stack(SETTINGS), iss=900, mss=1460, name=NAME, ts_offset=5)
    connection.open_passive(0)
    connection.segment_arrives(Segment(300, 0, SYN, 5000, options=options, sport=5000, dport=80), 0)
    connection.segments_to_send(0)
    return connection


def request(options: Options) -> Request:
    syn = Segment(300, 0, SYN, 5000, options=options, sport=5000, dport=80)
    return Request.of_syn(Stack(SETTINGS), NAME, syn, 0, iss=900, mss=1460, ts_offset=5)


@pytest.mark.parametrize("options", SYNS, ids=repr)
def test_a_request_answers_as_a_connection_does(options: Options) -> None:
    connection = Connection(Stack(SETTINGS), iss=900, mss=1460, name=NAME, ts_offset=5)
    connection.open_passive(0)
    connection.segment_arrives(Segment(300, 0, SYN, 5000, options=options, sport=5000, dport=80), 0)
    (answer,) = connection.segments_to_send(0)
    made = request(options)
    assert made.syn_ack(0, initial_window(SocketOptions(), SETTINGS, 131_072, made.full_segment)) == answer


@pytest.mark.parametrize("options", SYNS, ids=repr)
def test_what_a_request_becomes_behaves_as_a_connection_does(options: Options) -> None:
    chance = Random(repr(options))
    for _ in range(150):
        one, other = by_itself(options), request(options).connection(Stack(SETTINGS), SocketOptions(), 0)
        assert one.state is other.state is SYN_RECEIVED
        for step in range(6):
            drawn = chaos.segment(chance, one)
            for connection in (one, other):
                connection.segment_arrives(drawn, step)
                if step == 3 and connection.state not in (CLOSED, LISTEN):
                    connection.timeout(10**10)
            assert one.state is other.state
            assert one.segments_to_send(step) == other.segments_to_send(step)
            assert one.status() == other.status()
            if one.state is LISTEN:
                break


@pytest.mark.parametrize(("retransmits", "deadlines"), [(0, [1]), (3, [1, 3, 7, 15])])
def test_a_request_backs_off_as_a_connection_does(retransmits: int, deadlines: list[int]) -> None:
    stack = Stack(Settings(tcp_synack_retries=3))
    entry = request(Options())
    times = [entry.deadline // 10**9]
    for _ in range(retransmits):
        assert entry.timed_out(stack, entry.deadline)
        times.append(entry.deadline // 10**9)
    assert times == deadlines
    assert entry.timed_out(stack, entry.deadline) is (retransmits < 3)


def lingering(timestamps: int) -> Connection:
    offer = "mss=1460 sackok ws=7" + (" ts=50/0" if timestamps else "")
    end = End(iss=900, tcp_timestamps=timestamps, tcp_sack=True, tcp_window_scaling=True, tcp_invalid_ratelimit=0)
    end.tcp.tcb.name = NAME
    end.tcp.open_active(end.now)
    end.sent()
    end.arrives(f"S. seq={reach.IRS} {offer}")
    end.shutdown()
    end.arrives("F." + (" ts=51/0" if timestamps else ""))
    assert end.state is TIME_WAIT
    return end.tcp


@pytest.mark.parametrize("timestamps", [0, 1])
def test_what_a_time_wait_becomes_behaves_as_the_connection_did(timestamps: int) -> None:
    chance = Random(timestamps)
    now = 1000 * 10**9
    for _ in range(200):
        one = lingering(timestamps)
        other = one.clone()
        for step in range(6):
            drawn = chaos.segment(chance, one)
            other = TimeWait.of(other).connection(other.tcb.stack, now)
            for connection in (one, other):
                connection.segment_arrives(drawn, now + step)
            assert one.segments_to_send(now + step) == other.segments_to_send(now + step)
            assert one.state is other.state
            assert one.next_deadline() == other.next_deadline()
            if one.state is CLOSED:
                break


@pytest.mark.parametrize("state", [state for state in reach.REACH if state is not TIME_WAIT])
def test_nothing_else_becomes_a_time_wait_record(state: object) -> None:
    end = reach.REACH[state]()  # type: ignore[index]
    end.tcp.tcb.name = NAME
    with pytest.raises(ValueError, match="TIME-WAIT"):
        TimeWait.of(end.tcp)
