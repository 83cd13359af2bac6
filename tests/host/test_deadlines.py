"""The earliest of very many deadlines."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tulpen.host.deadlines import Deadlines


def _drain(deadlines: Deadlines[str], now: int) -> list[str]:
    due = []
    while (item := deadlines.pop(now)) is not None:
        due.append(item)
    return due


def test_they_fall_due_in_order_and_once() -> None:
    deadlines: Deadlines[str] = Deadlines()
    for item, when in (("b", 20), ("a", 10), ("c", 30)):
        deadlines.set(item, when)
    assert deadlines.earliest() == 10
    assert _drain(deadlines, 9) == []
    assert _drain(deadlines, 20) == ["a", "b"]
    assert deadlines.earliest() == 30
    assert _drain(deadlines, 99) == ["c"]
    assert deadlines.earliest() is None


def test_equal_deadlines_in_the_order_they_were_set() -> None:
    deadlines: Deadlines[str] = Deadlines()
    for item in "zyx":
        deadlines.set(item, 5)
    assert _drain(deadlines, 5) == ["z", "y", "x"]


def test_moved_taken_away_forgotten() -> None:
    deadlines: Deadlines[str] = Deadlines()
    deadlines.set("put off", 10)
    deadlines.set("put off", 50)
    deadlines.set("brought forward", 60)
    deadlines.set("brought forward", 15)
    deadlines.set("taken away", 1)
    deadlines.set("taken away", None)
    deadlines.set("forgotten", 2)
    deadlines.forget("forgotten")
    deadlines.forget("never known")
    assert len(deadlines) == 2
    assert deadlines.earliest() == 15
    assert _drain(deadlines, 49) == ["brought forward"]
    assert _drain(deadlines, 50) == ["put off"]
    deadlines.set("taken away", 55)
    assert deadlines.earliest() == 55


def test_setting_them_again_costs_no_memory() -> None:
    deadlines: Deadlines[str] = Deadlines()
    for now in range(100_000):
        deadlines.set("keep-alive", now + 7_200_000)
        deadlines.set("keep-alive", now + 40)
        deadlines.pop(now)
        assert deadlines.entries <= 200


@given(
    st.lists(
        st.tuples(st.sampled_from("abcdef"), st.one_of(st.none(), st.integers(0, 50)), st.integers(0, 5)), max_size=300
    )
)
def test_as_a_plain_dictionary_would_do_it(steps: list[tuple[str, int | None, int]]) -> None:
    deadlines: Deadlines[str] = Deadlines()
    model: dict[str, int] = {}
    now = 0
    for item, after, passed in steps:
        now += passed
        if after is None:
            deadlines.forget(item)
            model.pop(item, None)
        else:
            deadlines.set(item, now + after)
            model[item] = now + after
        assert deadlines.earliest() == min(model.values(), default=None)
        if passed == 5:
            due = {key for key, when in model.items() if when <= now}
            assert set(_drain(deadlines, now)) == due
            for key in due:
                del model[key]
        assert len(deadlines) == len(model)
