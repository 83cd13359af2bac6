"""The exhaustive walk: every scenario to its last state."""

from __future__ import annotations

import pytest

from tulpen.prove.end import OPEN_ACTIVE, OPEN_PASSIVE, Program
from tulpen.prove.key import unknown_attributes
from tulpen.prove.pair import Bounds
from tulpen.prove.walk import SCENARIOS, Outcome, Scenario, rows_not_taken, walk_through

OUTCOMES: dict[str, Outcome] = {}


def outcome(scenario: Scenario) -> Outcome:
    if scenario.name not in OUTCOMES:
        OUTCOMES[scenario.name] = walk_through(scenario)
    return OUTCOMES[scenario.name]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name.replace(" ", "-"))
def test_no_scenario_violates_anything(scenario: Scenario) -> None:
    found = outcome(scenario)
    assert found.violation is None, str(found.violation)
    assert found.states > 20_000


def test_every_row_of_the_table_is_taken() -> None:
    assert rows_not_taken(map(outcome, SCENARIOS)) == ()


def test_the_walk_knows_every_attribute_of_a_tcb() -> None:
    assert unknown_attributes() == frozenset()


def test_a_violation_is_told_by_the_shortest_path() -> None:
    # Without keep-alive nothing wakes an end that waits for a peer that is gone.
    forgotten = Scenario(
        "an abort that is not heard of",
        Program((OPEN_ACTIVE,), aborts=True),
        Program((OPEN_PASSIVE,), patient=True),
        Bounds(losses=1),
        peaceful=False,
    )
    found = walk_through(forgotten)
    assert str(found.violation) == (
        "stuck: A in CLOSED, B in SYN-RECEIVED, 1 segment under way cannot both reach CLOSED\n"
        "  1 A: OPEN active\n"
        "  2 B: OPEN passive\n"
        "  3 A -> B  S seq=0 wnd=65535\n"
        "  4 B -> A  S. seq=0 ack=1 wnd=65535\n"
        "  5 A: ABORT\n"
        "  6 A -> B  R. seq=1 ack=1 wnd=65535 is lost"
    )
