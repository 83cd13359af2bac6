"""The values of a ladder: what stands where, and numbers counted from the initial ones."""

from __future__ import annotations

import pytest

from tests.show.drawn import ISN, LEFT, RIGHT, download, empty, every_fate, inferred, rung, seen
from tulpen.show.ladder import Fate, Happening, Ladder, Side, Standing
from tulpen.tcp.state import State
from tulpen.wire.segment import ACK, PSH


def test_an_ends_path_is_every_state_in_turn() -> None:
    ladder = download(3)
    assert [standing.title for standing in ladder.path(LEFT)] == [
        "CLOSED", "SYN-SENT", "ESTABLISHED", "CLOSE-WAIT", "LAST-ACK", "CLOSED?",
    ]  # fmt: skip
    assert [standing.state for standing in ladder.path(RIGHT)] == [
        State.LISTEN, State.SYN_RECEIVED, State.ESTABLISHED, State.FIN_WAIT_1, State.FIN_WAIT_2, State.TIME_WAIT,
        State.CLOSED,
    ]  # fmt: skip


def test_steps_say_where_both_ends_stand_before_and_after() -> None:
    steps = list(download(3).steps())
    assert steps[0].left == (Standing(State.CLOSED), Standing(State.SYN_SENT))
    assert steps[0].right == (Standing(State.LISTEN), Standing(State.SYN_RECEIVED))
    assert steps[3].left == steps[4].left == (Standing(State.ESTABLISHED), Standing(State.ESTABLISHED))
    assert steps[-1].right == (Standing(State.TIME_WAIT), Standing(State.CLOSED))


def test_an_unknown_beginning_is_no_part_of_the_path() -> None:
    ladder = empty()
    ladder.left.first = Standing()
    assert ladder.path(LEFT) == (Standing(),)
    ladder.rungs.append(Happening(LEFT, 0, left=inferred(State.ESTABLISHED)))
    assert ladder.path(LEFT) == inferred(State.ESTABLISHED)


def test_numbers_are_relative_over_the_wrap() -> None:
    ladder = empty()
    ours = rung(ladder, RIGHT, 0, PSH | ACK, 1000, 5, 10)
    assert ours.seq < ISN[RIGHT], "it has wrapped"
    assert ladder.relative(ours) == (1000, 5)
    keep_alive = rung(ladder, LEFT, 0, ACK, -1, 1)
    assert ladder.relative(keep_alive) == (-1, 1)


def test_without_an_isn_numbers_are_those_of_the_wire() -> None:
    ladder = empty()
    ladder.left.isn = ladder.right.isn = None
    one = rung(ladder, LEFT, 0, ACK, 7, 8)
    assert ladder.relative(one) == (one.seq, one.ack)


@pytest.mark.parametrize("side", Side)
def test_the_other_side(side: Side) -> None:
    assert side.other is not side
    assert side.other.other is side


def test_plain_is_what_did_as_it_should() -> None:
    ladder = every_fate()
    assert not any(each.is_plain for each in ladder.rungs if not isinstance(each, Happening) and each.notes)
    one = rung(ladder, LEFT, 500, ACK, 1, 1)
    assert one.is_plain
    one.fate = Fate.LOST
    assert not one.is_plain


def test_taking_states_one_by_one() -> None:
    ladder = Ladder(empty().left, empty().right)
    one = rung(ladder, LEFT, 0, ACK, 1, 1)
    one.take(RIGHT, *seen(State.FIN_WAIT_2))
    one.take(RIGHT, *seen(State.TIME_WAIT))
    assert one.right == seen(State.FIN_WAIT_2, State.TIME_WAIT)
    assert one.path(LEFT) == ()


def test_each_end_has_its_own_order_of_what_crosses() -> None:
    ladder = every_fate()
    assert [standing.title for standing in ladder.path(RIGHT)][:4] == [
        "CLOSED", "SYN-SENT", "SYN-RECEIVED", "ESTABLISHED",
    ]  # fmt: skip
    first, second = list(ladder.steps())[:2]
    assert second.right == (Standing(State.CLOSED), Standing(State.SYN_SENT))
    assert first.right == (Standing(State.SYN_SENT), Standing(State.SYN_RECEIVED))
