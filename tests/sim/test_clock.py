from __future__ import annotations

from tulpen.sim.clock import Clock


def test_actions_run_in_the_order_of_their_time_and_then_of_entry() -> None:
    clock = Clock()
    seen: list[tuple[str, int]] = []
    clock.at(20, lambda now: seen.append(("late", now)))
    clock.at(10, lambda now: seen.append(("first", now)))
    clock.at(10, lambda now: seen.append(("second", now)))
    while clock.step():
        pass
    assert seen == [("first", 10), ("second", 10), ("late", 20)]
    assert clock.now == 20


def test_an_action_planned_for_the_past_runs_now() -> None:
    clock = Clock(100)
    clock.at(5, lambda now: None)
    assert clock.next() == 100


def test_time_never_goes_back() -> None:
    clock = Clock(100)
    clock.advance(50)
    assert clock.now == 100
    clock.advance(150)
    assert clock.now == 150
