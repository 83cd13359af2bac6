"""Random and mutated segments in every state: nothing raises, nothing grows, the parts agree."""

from __future__ import annotations

from collections import deque
from random import Random

import pytest

from tests.rfc9293 import reach
from tests.tcp import chaos, invariants
from tulpen.tcp.config import SECOND, Settings, SocketOptions
from tulpen.tcp.connection import Connection
from tulpen.tcp.stack import Stack
from tulpen.tcp.state import CLOSED, FIN_WAIT_2, LISTEN, SYN_SENT, State
from tulpen.wire.segment import Segment
from tulpen.wire.seq import MASK, wrap

STEPS = 250


def connection(chance: Random) -> Connection:
    """One with settings, options and numbers drawn by chance."""
    settings = Settings(
        tcp_timestamps=chance.randrange(2),
        tcp_sack=chance.random() < 0.6,
        tcp_window_scaling=chance.random() < 0.6,
        tcp_rfc1337=chance.random() < 0.2,
        tcp_user_timeout_option=chance.random() < 0.2,
        tcp_invalid_ratelimit=chance.choice((0, 500)),
        tcp_rmem=(4096, chance.choice((4096, 10_000, 131_072)), 6_291_456),
        tcp_wmem=(4096, 262_144, 4_194_304),
    )
    options = SocketOptions(
        tcp_nodelay=chance.random() < 0.3,
        tcp_cork=chance.random() < 0.1,
        tcp_user_timeout=chance.choice((0, 0, 0, 5_000, 500_000)),
        so_keepalive=chance.random() < 0.2,
        so_linger=chance.choice((None, None, None, 0)),
        tcp_linger2=chance.choice((None, None, -1, 5)),
    )
    made = Connection(
        Stack(settings, records=deque(maxlen=10) if chance.random() < 0.5 else None),
        iss=chance.choice((0, 1000, MASK - 3000, MASK)),
        mss=chance.choice((100, 536, 1460, 8960)),
        options=options,
        ts_offset=chance.getrandbits(32),
    )
    made.tcb.gso_max = chance.choice((0, 0, 65_000))
    return made


def begin(chance: Random, end: Connection, now: int) -> None:
    """Some open, and mostly a handshake that succeeds."""
    (end.open_passive if chance.random() < 0.4 else end.open_active)(now)
    for _ in range(2):
        end.segments_to_send(now)
        if chance.random() < 0.9:
            flags = {LISTEN: 2, SYN_SENT: 0x12}.get(end.state, 0x10)
            likely = chaos.segment(chance, end)
            status = end.status()
            seq = status.rcv_nxt if flags == 0x10 else wrap(chance.choice((300, MASK - 2000)))
            end.segment_arrives(Segment(seq, wrap(status.snd_nxt), flags, 65_535, options=likely.options), now)


@pytest.mark.parametrize("seed", range(60))
def test_whatever_happens_the_parts_agree(seed: int) -> None:
    chance = Random(seed)
    end, now = connection(chance), SECOND
    begin(chance, end, now)
    transmissions = 0
    for _ in range(STEPS):
        now += chance.choice(chaos.TIMES) if chance.random() < 0.3 else 0
        chaos.deed(chance, end).do(end, now)
        if chance.random() < 0.8:
            transmissions += len(end.segments_to_send(now))
            invariants.hold(end)
            invariants.pieces_are_bounded(end, transmissions)
        while end.next_signal() is not None:
            pass
        if end.state is CLOSED:
            end = connection(chance)
            begin(chance, end, now)


@pytest.mark.parametrize("seed", range(30))
def test_a_copy_behaves_as_its_original(seed: int) -> None:
    chance = Random(seed)
    end, now = connection(chance), SECOND
    begin(chance, end, now)
    for _ in range(STEPS // 2):
        now += chance.choice(chaos.TIMES) if chance.random() < 0.3 else 0
        twin = end.clone()
        before = end.status()
        deed = chaos.deed(chance, end)
        deed.do(twin, now)
        if chance.random() < 0.5:
            assert end.status() == before  # the copy shares nothing that changes
        deed.do(end, now)
        assert twin.segments_to_send(now) == end.segments_to_send(now)
        assert twin.status() == end.status()
        assert [twin.next_signal() for _ in range(8)] == [end.next_signal() for _ in range(8)]
        assert twin.tcb.stack.counters == end.tcb.stack.counters
        if end.state is CLOSED:
            end = connection(chance)
            begin(chance, end, now)


@pytest.mark.parametrize("state", list(State), ids=lambda state: state.title)
def test_in_every_state(state: State) -> None:
    """A few hundred arrivals in the state itself, each on a copy."""
    chance = Random(int(state))
    for _ in range(8):
        origin = reach.REACH[state](tcp_invalid_ratelimit=0)
        for _ in range(60):
            end = origin.tcp.clone()
            assert end.state is state
            for _ in range(3):
                end.segment_arrives(chaos.segment(chance, end), origin.now)
                end.segments_to_send(origin.now)
                invariants.hold(end)


@pytest.mark.parametrize("state", [state for state in State if state not in (CLOSED, LISTEN)])
def test_a_bare_segment_draws_one_answer_at_most(state: State) -> None:
    chance = Random(int(state))
    origin = reach.REACH[state](tcp_invalid_ratelimit=0)
    for _ in range(600):
        end = origin.tcp.clone()
        drawn = chaos.segment(chance, end)
        end.segment_arrives(Segment(drawn.seq, drawn.ack, drawn.flags, drawn.wnd, options=drawn.options), origin.now)
        assert len(end.segments_to_send(origin.now)) <= 1


def test_time_alone_ends_whatever_has_no_peer() -> None:
    """No timer runs for ever on a connection that nobody uses."""
    for state in State:
        if state in (LISTEN, State.ESTABLISHED, State.CLOSE_WAIT, CLOSED):
            continue
        end = reach.REACH[state]()
        if state is FIN_WAIT_2:
            end.close()
        end.wait(10_000 * SECOND)
        assert end.state is CLOSED
