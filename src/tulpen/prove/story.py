"""A path through a scenario, told: walked again on the real engine, drawn as a ladder, written as a test."""

from __future__ import annotations

from typing import Final

from tulpen.prove.end import TIMEOUTS
from tulpen.prove.explorer import Counterexample, Violation
from tulpen.prove.pair import Pair, World
from tulpen.prove.scenario import Scenario, invariants
from tulpen.show.ladder import End, Fate, Happening, HappeningKind, Ladder, Rung, Side, Standing, arrow

STEP: Final = 1_000_000_000  # nanoseconds between two rungs: the order is what is known


class Astray(Exception):
    """A path cannot be walked: the engine does not do what it says."""


def replay(scenario: Scenario, path: tuple[str, ...]) -> str | None:
    """Walk the path on the real engine; return what is violated at its end, or on the way, None for nothing."""
    pair = scenario.pair()
    checks = invariants(scenario, pair)
    world = next(iter(pair.starts()))
    for number, label in enumerate(path):
        try:
            world = _step(pair, world, label)
        except Violation as violation:
            if number == len(path) - 1:
                return violation.what
            raise
        broken = next((what for check in checks if (what := check(world)) is not None), None)
        if broken is not None:
            return broken
    return None


def ladder(scenario: Scenario, found: Counterexample) -> Ladder:
    """Draw a counterexample: who did what, which segments arrived, and the states with each."""
    pair = scenario.pair()
    world = next(iter(pair.starts()))
    a, b = pair.facts(world)
    drawn = Ladder(
        End("A", Standing(a.state), isn=scenario.iss_a[0]), End("B", Standing(b.state), isn=scenario.iss_b[0]),
        title=found.what, start=0,
    )  # fmt: skip
    for number, label in enumerate(found.path):
        try:
            after = _step(pair, world, label)
        except Violation as violation:
            drawn.rungs.append(Happening(Side.LEFT, number * STEP, violation.what, HappeningKind.NOTE, hurts=True))
            break
        drawn.rungs.append(_rung(pair, world, after, label, number * STEP))
        world = after
    return drawn


def as_test(scenario: Scenario, found: Counterexample) -> str:
    """Return a test in Python that fails as long as the path ends in a violation."""
    name = "".join(letter if letter.isalnum() else "_" for letter in scenario.name.lower())
    steps = "\n".join(f"        {label!r}," for label in found.path)
    return (
        f'"""{found.what}."""\n\n'
        "from tulpen.prove.catalogue import named\n"
        "from tulpen.prove.story import replay\n\n\n"
        f"def test_{name}() -> None:\n"
        f"    path = (\n{steps}\n    )\n"
        f"    assert replay(named({scenario.name!r}), path) is None\n"
    )


def _step(pair: Pair, world: World, label: str) -> World:
    for found, target, _ in pair.steps(world):
        if found == label:
            return target
    raise Astray(f"{pair.words(world)}: it cannot happen that {label}")


def _rung(pair: Pair, before: World, after: World, label: str, now: int) -> Rung:
    deed = pair.deed(label)
    automaton, place = (pair.a, 0) if deed.is_a else (pair.b, 1)
    side = Side.LEFT if deed.is_a else Side.RIGHT
    rung: Rung
    if isinstance(deed.given, str):
        kind = HappeningKind.TIMER if deed.given in TIMEOUTS else HappeningKind.CALL
        rung = Happening(side, now, deed.given, kind)
    else:
        fate = Fate.INJECTED if deed.forged else Fate.ARRIVED
        rung = arrow(side.other, now, pair.segments.all[deed.given], arrived=now, fate=fate)
    was, became = automaton.facts(before[place]).state, automaton.facts(after[place]).state
    if became is not was:
        rung.take(side, Standing(became))
    return rung
