"""The states of an end that keeps no trace."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.show.drawn import LEFT, MS, RIGHT, empty, rung
from tulpen.show.infer import infer_states
from tulpen.show.ladder import Fate, Happening, Ladder, Side, Standing
from tulpen.tcp.state import State
from tulpen.wire.segment import ACK, FIN, PSH, RST, SYN


def unknown() -> Ladder:
    ladder = empty()
    ladder.left.first = ladder.right.first = Standing()
    return ladder


def opened() -> Ladder:
    ladder = unknown()
    rung(ladder, LEFT, 0, SYN, 0)
    rung(ladder, RIGHT, 1, SYN | ACK, 0, 1)
    rung(ladder, LEFT, 2, ACK, 1, 1)
    return ladder


def inferred(ladder: Ladder) -> tuple[list[str], list[str]]:
    infer_states(ladder, LEFT)
    infer_states(ladder, RIGHT)
    left, right = ([standing.title.rstrip("?") for standing in ladder.path(side)] for side in Side)
    return left, right


OPEN = (["SYN-SENT", "ESTABLISHED"], ["SYN-RECEIVED", "ESTABLISHED"])


def test_a_handshake() -> None:
    assert inferred(opened()) == OPEN


def test_a_close_from_the_right() -> None:
    ladder = opened()
    rung(ladder, RIGHT, 3, FIN | ACK, 1, 1)
    rung(ladder, LEFT, 4, ACK, 1, 2)
    rung(ladder, LEFT, 5, FIN | ACK, 1, 2)
    rung(ladder, RIGHT, 6, ACK, 2, 2)
    left, right = inferred(ladder)
    assert left[2:] == ["CLOSE-WAIT", "LAST-ACK", "CLOSED"]
    assert right[2:] == ["FIN-WAIT-1", "FIN-WAIT-2", "TIME-WAIT"]


def test_both_close_at_once() -> None:
    ladder = opened()
    rung(ladder, LEFT, 3, FIN | ACK, 1, 1, arrived=8)
    rung(ladder, RIGHT, 4, FIN | ACK, 1, 1, arrived=9)
    rung(ladder, RIGHT, 8, ACK, 2, 2, arrived=13)
    rung(ladder, LEFT, 9, ACK, 2, 2, arrived=14)
    left, right = inferred(ladder)
    assert left[2:] == right[2:] == ["FIN-WAIT-1", "CLOSING", "TIME-WAIT"]


def test_both_open_at_once() -> None:
    ladder = unknown()
    rung(ladder, LEFT, 0, SYN, 0, arrived=5)
    rung(ladder, RIGHT, 1, SYN, 0, arrived=6)
    rung(ladder, RIGHT, 5, SYN | ACK, 0, 1, arrived=10)
    rung(ladder, LEFT, 6, SYN | ACK, 0, 1, arrived=11)
    assert inferred(ladder) == (["SYN-SENT", "SYN-RECEIVED", "ESTABLISHED"],) * 2


@pytest.mark.parametrize("fate", [Fate.LOST, Fate.CORRUPTED, Fate.REFUSED])
def test_what_did_not_count_moves_nobody(fate: Fate) -> None:
    ladder = opened()
    rung(ladder, RIGHT, 3, FIN | ACK, 1, 1, fate=fate)
    left, right = inferred(ladder)
    assert left == OPEN[0]
    assert right[-1] == "FIN-WAIT-1"


def test_a_fin_before_what_precedes_it() -> None:
    ladder = opened()
    rung(ladder, RIGHT, 3, FIN | ACK, 11, 1, arrived=4)
    hole = rung(ladder, RIGHT, 3, PSH | ACK, 1, 1, 10, arrived=6)
    infer_states(ladder, LEFT)
    assert [standing.state for standing in hole.left] == [State.CLOSE_WAIT]


def test_a_fin_is_acknowledged_that_did_not_seem_to_have_arrived() -> None:
    ladder = opened()
    rung(ladder, RIGHT, 3, FIN | ACK, 11, 1)
    proof = rung(ladder, LEFT, 6, ACK, 1, 12)
    infer_states(ladder, LEFT)
    assert [standing.state for standing in proof.left] == [State.CLOSE_WAIT]


@pytest.mark.parametrize(("seq", "moves"), [(1, True), (500, False)])
def test_a_reset_counts_at_rcv_nxt_alone(seq: int, moves: bool) -> None:
    ladder = opened()
    rung(ladder, RIGHT, 3, RST, seq)
    assert (inferred(ladder)[0][-1] == "CLOSED") is moves


def test_a_refused_connect() -> None:
    ladder = unknown()
    rung(ladder, LEFT, 0, SYN, 0)
    rung(ladder, RIGHT, 1, RST | ACK, 0, 1)
    assert inferred(ladder)[0] == ["SYN-SENT", "CLOSED"]


def test_a_stray_reset_does_not_refuse_a_connect() -> None:
    ladder = unknown()
    rung(ladder, LEFT, 0, SYN, 0)
    rung(ladder, RIGHT, 1, RST | ACK, 0, 77)
    rung(ladder, RIGHT, 1, RST, 0)
    assert inferred(ladder)[0] == ["SYN-SENT"]


def test_a_conversation_joined_in_the_middle() -> None:
    ladder = unknown()
    rung(ladder, LEFT, 0, PSH | ACK, 100, 100, 5)
    rung(ladder, RIGHT, 1, ACK, 100, 105)
    assert inferred(ladder) == (["unknown"], ["unknown"])


def test_readings_confirm_and_add() -> None:
    ladder = opened()
    readings = [(0, State.CLOSED), (1 * MS, State.ESTABLISHED), (1 * MS, State.ESTABLISHED), (900 * MS, State.CLOSED)]
    ladder.left.first = Standing(State.CLOSED)
    infer_states(ladder, LEFT, readings)
    assert [standing.title for standing in ladder.path(LEFT)] == ["CLOSED", "SYN-SENT?", "ESTABLISHED", "CLOSED"]
    last = ladder.rungs[-1]
    assert isinstance(last, Happening)
    assert (last.now, last.words) == (900 * MS, "")


def test_readings_alone() -> None:
    ladder = unknown()
    infer_states(ladder, LEFT, [(5, State.SYN_SENT), (7, State.ESTABLISHED)])
    assert [standing.title for standing in ladder.path(LEFT)] == ["SYN-SENT", "ESTABLISHED"]


rungs = st.tuples(
    st.sampled_from(Side), st.integers(0, 50), st.integers(0, 63), st.integers(-2, 6), st.integers(-2, 6),
    st.integers(0, 4), st.sampled_from(Fate), st.integers(0, 20),
)  # fmt: skip


@given(st.lists(rungs, max_size=20), st.lists(st.tuples(st.integers(0, 60), st.sampled_from(State)), max_size=6))
def test_no_segments_whatever_break_it(
    given_rungs: list[tuple[Side, int, int, int, int, int, Fate, int]], readings: list[tuple[int, State]]
) -> None:
    ladder = unknown()
    for side, at, flags, seq, ack, length, fate, flight in given_rungs:
        rung(ladder, side, at, flags, seq, ack, length, fate=fate, arrived=at + flight)
    ladder.rungs.sort(key=lambda each: each.now)
    infer_states(ladder, LEFT, sorted(readings))
    infer_states(ladder, RIGHT)
    read = [state for i, (_, state) in enumerate(sorted(readings)) if not i or sorted(readings)[i - 1][1] is not state]
    certain = [each.state for each in ladder.path(LEFT) if not each.inferred and each.state is not None]
    assert [state for state in read if state not in certain] == []
