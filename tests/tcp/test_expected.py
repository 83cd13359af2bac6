"""The short path and the steps at length: whatever segment is expected, both lead to the same."""

from __future__ import annotations

from collections import deque
from enum import Enum
from random import Random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.tcp import chaos
from tulpen.tcp import arrives, expected
from tulpen.tcp.attributes import attributes
from tulpen.tcp.config import MS, SECOND, Settings, SocketOptions
from tulpen.tcp.connection import Connection
from tulpen.tcp.stack import Stack
from tulpen.tcp.state import ESTABLISHED
from tulpen.wire.segment import Segment

STEPS = 50
SEEN = 0.2  # of what is expected: comparing takes its time


def parts(thing: Any) -> Any:
    """A value that is equal for things that are alike in every attribute, however deep."""
    if isinstance(thing, (list, deque, tuple)):
        return [parts(each) for each in thing]
    if isinstance(thing, dict):
        return {name: parts(value) for name, value in thing.items()}
    if isinstance(thing, memoryview):
        return bytes(thing)
    if thing is None or isinstance(thing, (int, str, bytes, float, Enum, Settings)):
        return thing
    return type(thing).__name__, {name: parts(getattr(thing, name)) for name in attributes(type(thing))}


def twin(end: Connection) -> Connection:
    return end.clone(Stack(end.tcb.stack.settings, records=deque()))


def assert_both_ways_agree(end: Connection, segment: Segment, now: int) -> bool:
    """Let a segment that is expected come to two copies; say whether it was."""
    if not expected.is_expected(end.tcb, segment):
        return False
    short, full = twin(end), twin(end)
    assert parts(short.tcb) == parts(full.tcb)
    expected.take(short.tcb, segment, now)
    arrives.by_state(full.tcb, segment, now)
    assert parts(short.tcb) == parts(full.tcb)
    assert short.segments_to_send(now) == full.segments_to_send(now)
    assert short.next_deadline() == full.next_deadline()
    assert parts(short.tcb) == parts(full.tcb)
    return True


def settings_of(chance: Random) -> Settings:
    return Settings(
        tcp_timestamps=chance.randrange(3),
        tcp_sack=chance.random() < 0.7,
        tcp_window_scaling=chance.random() < 0.7,
        tcp_ecn=chance.choice((0, 2, 1, 3)),
        tcp_quick_acks=chance.choice((0, 16)),
        tcp_rcvbuf_overhead=chance.random() < 0.7,
        tcp_user_timeout_option=chance.random() < 0.1,
        tcp_window_steps=chance.random() < 0.5,
        tcp_slow_start_after_idle=chance.random() < 0.5,
        tcp_rmem=(4096, chance.choice((4096, 20_000, 131_072)), 6_291_456),
    )


def two_ends(chance: Random) -> list[Connection]:
    made = []
    for number in range(2):
        options = SocketOptions(
            tcp_nodelay=chance.random() < 0.5,
            tcp_congestion=chance.choice((None, "reno", "cubic")),
            so_rcvbuf=chance.choice((None, None, 10_000)),
            tcp_quickack=chance.random() < 0.1,
        )
        end = Connection(
            Stack(settings_of(chance)),
            iss=chance.choice((7, 0xFFFF_F000)),
            mss=chance.choice((536, 1460)),
            options=options,
        )
        end.tcb.gso_max = chance.choice((0, 65_000))
        (end.open_active if number else end.open_passive)(SECOND)
        made.append(end)
    return made


def something_is_done(end: Connection, chance: Random, now: int) -> None:
    if end.state is ESTABLISHED and chance.random() < 0.5:
        end.send(bytes(chance.choice((1, 100, 1000, 20_000))), now, push=chance.random() < 0.8)
    if chance.random() < 0.6:
        end.receive(chance.choice((1, 1000, 1 << 20)), now)
    deadline = end.next_deadline()
    if deadline is not None and deadline <= now:
        end.timeout(now)
    while chance.random() < 0.7 and end.next_signal() is not None:
        pass


@given(st.integers(0, 1 << 32))
def test_two_ends_and_a_network_that_loses(seed: int) -> None:
    chance, now = Random(seed), SECOND
    ends = two_ends(chance)
    taken = 0
    loses = chance.choice((0.0, 0.02, 0.2))
    for _ in range(STEPS):
        now += chance.choice((0, 0, MS, MS, 10 * MS, 50 * MS, 300 * MS))
        for end, other in (ends, ends[::-1]):
            something_is_done(end, chance, now)
            moving = end.segments_to_send(now)
            if chance.random() < loses:
                chance.shuffle(moving)
            for segment in moving:
                if chance.random() >= loses:
                    if not taken or chance.random() < SEEN:
                        taken += assert_both_ways_agree(other, segment, now)
                    other.segment_arrives(segment, now)
    assert loses or taken or ends[0].tcb.ecn or ends[1].tcb.ecn


@given(st.integers(0, 1 << 32))
def test_segments_near_and_far(seed: int) -> None:
    chance, now = Random(seed), SECOND
    end, other = two_ends(chance)
    for _ in range(3):
        for source, target in ((other, end), (end, other)):
            for segment in source.segments_to_send(now):
                target.segment_arrives(segment, now)
    origin = end.clone()
    for _ in range(STEPS):
        now += chance.choice(chaos.TIMES) if chance.random() < 0.2 else 0
        deed = chaos.deed(chance, end)
        if deed.segment is not None:
            assert_both_ways_agree(end, deed.segment, now)
        deed.do(end, now)
        if chance.random() < 0.8:
            end.segments_to_send(now)
        if end.state is not ESTABLISHED:
            end = origin.clone()
