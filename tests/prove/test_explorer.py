from __future__ import annotations

from collections.abc import Iterable

import pytest

from tulpen.prove.explorer import Step, TooLarge, Violation, explore


class Counter:
    """Counts up to ``most`` by one or by three; from 4 it falls into a pit that leads nowhere."""

    def __init__(self, most: int) -> None:
        self.most = most

    def starts(self) -> Iterable[int]:
        return [0]

    def steps(self, state: int) -> Iterable[Step[int]]:
        if state < 0:
            return
        if state == self.most:
            return
        yield "one", min(state + 1, self.most), True
        yield "three", min(state + 3, self.most), True
        if state == 4:
            yield "fall", -1, False


def test_every_state_is_found_once_and_nearest_first() -> None:
    graph = explore(Counter(6))
    assert sorted(graph.states) == [-1, 0, 1, 2, 3, 4, 5, 6]
    assert graph.states[:3] == [0, 1, 3]
    assert graph.edges == 13
    assert graph.violation is None


def test_a_broken_invariant_is_shown_by_the_shortest_path() -> None:
    graph = explore(Counter(10), [lambda state: "four is bad" if state == 4 else None])
    assert str(graph.violation) == "four is bad\n  1 one\n  2 three"


def test_a_step_may_object() -> None:
    class Strict(Counter):
        def steps(self, state: int) -> Iterable[Step[int]]:
            if state == 3:
                raise Violation("three has no successor", "leap")
            return super().steps(state)

    violation = explore(Strict(10)).violation
    assert violation is not None
    assert violation.path == ("three", "leap")


def test_a_state_that_cannot_reach_the_goal() -> None:
    graph = explore(Counter(6))
    stuck = graph.cannot_reach(lambda state: state == 6)
    assert stuck is not None
    assert graph.path(stuck) == ("one", "three", "fall")
    assert graph.cannot_reach(lambda state: state == 6, within=lambda state: state >= 0) is None
    # 5 is left only to 6, and 6 is outside
    assert graph.cannot_reach(lambda state: state == 4, within=lambda state: 0 <= state < 6) == graph.index[5]


def test_the_limit() -> None:
    with pytest.raises(TooLarge):
        explore(Counter(1000), limit=100)
