"""A case: something that is measured, and how its rounds come together."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass, field


class Unavailable(Exception):
    """The case cannot be run here; the text says why."""


@dataclass
class Case:
    """``measure`` returns one number, in ``unit``."""

    group: str
    name: str
    unit: str
    measure: Callable[[], float]
    beside: str = ""  # the name of the case it is compared with, in the same group
    once: bool = False  # it does not vary, so one round is enough
    smaller: bool = False  # a small number is the better one


@dataclass
class Result:
    """The rounds of one case."""

    case: Case
    rounds: list[float] = field(default_factory=list)
    missing: str = ""

    @property
    def median(self) -> float:
        return statistics.median(self.rounds)

    @property
    def spread(self) -> float:
        """Half the distance between the quartiles, as a part of the median; of few rounds, between the ends."""
        if len(self.rounds) < 2:
            return 0.0
        if len(self.rounds) < 4:
            low, high = min(self.rounds), max(self.rounds)
        else:
            low, _, high = statistics.quantiles(self.rounds, n=4)
        return (high - low) / 2 / self.median if self.median else 0.0


def run(cases: list[Case], rounds: int, tell: Callable[[str], None]) -> list[Result]:
    """Run every case ``rounds`` times, one after another."""
    results = [Result(case) for case in cases]
    for number in range(rounds):
        for result in results:
            if result.missing or (result.case.once and number):
                continue
            tell(f"round {number + 1} of {rounds}: {result.case.group}, {result.case.name}")
            try:
                result.rounds.append(result.case.measure())
            except Unavailable as reason:
                result.missing = str(reason)
    return results


def ratio(result: Result, results: list[Result]) -> float | None:
    """Return how the case stands to the one beside it, round by round; the median of that."""
    for other in results:
        same = (other.case.group, other.case.name) == (result.case.group, result.case.beside)
        if same and other.rounds and result.rounds:
            return statistics.median(
                mine / theirs for mine, theirs in zip(result.rounds, other.rounds, strict=False) if theirs
            )
    return None
