"""What numbers give away."""

from __future__ import annotations

from tests.show.drawn import ISN, LEFT, RIGHT, empty, rung
from tulpen.show.ladder import Fate, Ladder
from tulpen.show.remarks import remark
from tulpen.wire.options import Options
from tulpen.wire.segment import ACK, FIN, PSH, RST, SYN


def fresh() -> Ladder:
    ladder = empty()
    ladder.left.isn = ladder.right.isn = None
    return ladder


def opened(left: int | None = 7, right: int | None = 2) -> Ladder:
    ladder = fresh()
    rung(ladder, LEFT, 0, SYN, 0, options=Options(wscale=left))
    rung(ladder, RIGHT, 1, SYN | ACK, 0, 1, options=Options(wscale=right))
    return ladder


def test_windows_are_scaled_when_both_offered_it() -> None:
    ladder = opened()
    ours, theirs = rung(ladder, LEFT, 2, ACK, 1, 1), rung(ladder, RIGHT, 3, ACK, 1, 1)
    remark(ladder)
    assert (ours.window, theirs.window) == (65535 << 7, 65535 << 2)


def test_windows_are_not_scaled_when_one_did_not() -> None:
    ladder = opened(right=None)
    ours = rung(ladder, LEFT, 2, ACK, 1, 1)
    remark(ladder)
    assert ours.window == 65535


def test_initial_numbers_are_learnt_from_the_syns() -> None:
    ladder = opened()
    remark(ladder)
    assert (ladder.left.isn, ladder.right.isn) == (ISN[LEFT], ISN[RIGHT])


def test_a_conversation_joined_in_the_middle_is_counted_from_one() -> None:
    ladder = fresh()
    first = rung(ladder, LEFT, 0, PSH | ACK, 5000, 7000, 10)
    remark(ladder)
    assert ladder.relative(first) == (1, 1)


def test_a_reset_teaches_nothing() -> None:
    ladder = fresh()
    rung(ladder, RIGHT, 0, RST, 77)
    remark(ladder)
    assert ladder.right.isn is None


def test_repetitions() -> None:
    ladder = opened()
    rung(ladder, LEFT, 2, PSH | ACK, 1, 1, 10)
    whole = rung(ladder, LEFT, 3, PSH | ACK, 1, 1, 10)
    partly = rung(ladder, LEFT, 4, PSH | ACK, 6, 1, 10)
    new = rung(ladder, LEFT, 5, FIN | ACK, 16, 1)
    again = rung(ladder, LEFT, 6, FIN | ACK, 16, 1)
    remark(ladder)
    assert whole.notes == ("retransmission",)
    assert partly.notes == ("partly a retransmission",)
    assert new.notes == ()
    assert again.notes == ("retransmission",)


def test_one_octet_before_the_end_is_a_keep_alive_once_it_was_acknowledged() -> None:
    ladder = opened()
    rung(ladder, LEFT, 2, PSH | ACK, 1, 1, 1)
    repeated = rung(ladder, LEFT, 3, PSH | ACK, 1, 1, 1)
    rung(ladder, RIGHT, 4, ACK, 1, 2)
    with_an_octet = rung(ladder, LEFT, 5, ACK, 1, 1, 1)
    without = rung(ladder, LEFT, 6, ACK, 1, 1)
    remark(ladder)
    assert [each.notes for each in (repeated, with_an_octet, without)] == [
        ("retransmission",), ("keep-alive",), ("keep-alive",),
    ]  # fmt: skip


def test_a_window_closes_is_probed_and_opens() -> None:
    ladder = opened()
    closing = rung(ladder, RIGHT, 2, ACK, 1, 1)
    probe = rung(ladder, LEFT, 3, ACK, 0, 1, notes=("persist timer",))
    still = rung(ladder, RIGHT, 4, ACK, 1, 1)
    opening = rung(ladder, RIGHT, 5, ACK, 1, 1)
    closing.window = still.window = 0
    remark(ladder)
    assert [each.notes for each in (closing, probe, still, opening)] == [
        ("zero window",), ("window probe",), (), ("the window opens",),
    ]  # fmt: skip


def test_what_others_injected_is_left_out() -> None:
    ladder = opened()
    rung(ladder, LEFT, 2, PSH | ACK, 1, 1, 10)
    forged = rung(ladder, LEFT, 3, PSH | ACK, 1, 1, 10, fate=Fate.INJECTED)
    rung(ladder, LEFT, 4, ACK, 900_000, 1, fate=Fate.INJECTED)
    new = rung(ladder, LEFT, 5, PSH | ACK, 11, 1, 10)
    remark(ladder)
    assert forged.notes == new.notes == ()
