"""A case: something that is measured, and how its rounds come together."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple


class Unavailable(Exception):
    """The case cannot be run here; the text says why."""


class Reading(NamedTuple):
    """What one round of a case gave."""

    value: float  # in the unit of the case
    cpu: float | None = None  # seconds of process time for a GB, of the process that has the TCP


class Figures:
    """Several figures of one measurement, each a case of its own: what one round gives is told to all of them."""

    def __init__(self, measure: Callable[[], dict[str, float]]) -> None:
        self._measure = measure
        self._left: dict[str, float] = {}

    def figure(self, name: str) -> Callable[[], float]:
        """Return what measures one of them."""

        def measure() -> float:
            if name not in self._left:
                self._left = self._measure()
            return self._left.pop(name)

        return measure


@dataclass
class Case:
    """``measure`` returns one number in ``unit``, or a reading."""

    group: str
    name: str
    unit: str
    measure: Callable[[], float | Reading]
    beside: str = ""  # the name of the case it is compared with, in the same group
    once: bool = False  # it does not vary, so one round is enough
    smaller: bool = False  # a small number is the better one
    ours: str = ""  # a peer's: the name of our case in the same group, which is compared with it


@dataclass
class Result:
    """The rounds of one case."""

    case: Case
    rounds: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    missing: str = ""

    @property
    def median(self) -> float:
        return statistics.median(self.rounds)

    @property
    def cpu_median(self) -> float | None:
        return statistics.median(self.cpu) if self.cpu else None

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


class Comparison(NamedTuple):
    """How one case stands to another, round by round; the median of that."""

    value: float
    cpu: float | None


def run(cases: list[Case], rounds: int, tell: Callable[[str], None]) -> list[Result]:
    """Run every case ``rounds`` times, one after another."""
    results = [Result(case) for case in cases]
    for number in range(rounds):
        for result in results:
            if result.missing or (result.case.once and number):
                continue
            tell(f"round {number + 1} of {rounds}: {result.case.group}, {result.case.name}")
            try:
                measured = result.case.measure()
            except Unavailable as reason:
                result.missing = str(reason)
                continue
            except (RuntimeError, OSError, TimeoutError) as error:  # the others go on
                result.missing = f"failed: {(str(error).strip() or type(error).__name__).splitlines()[-1]}"
                continue
            reading = measured if isinstance(measured, Reading) else Reading(measured)
            result.rounds.append(reading.value)
            if reading.cpu is not None:
                result.cpu.append(reading.cpu)
    return results


def compared(result: Result, results: list[Result]) -> Comparison | None:
    """Return how a case stands to the one beside it, or, for a peer, how ours stands to it."""
    case = result.case
    other = _named(results, case.group, case.ours or case.beside)
    if other is None:
        return None
    mine, theirs = (other, result) if case.ours else (result, other)
    value = _ratio(mine.rounds, theirs.rounds)
    return None if value is None else Comparison(value, _ratio(mine.cpu, theirs.cpu))


def _named(results: list[Result], group: str, name: str) -> Result | None:
    return next((each for each in results if (each.case.group, each.case.name) == (group, name)), None)


def _ratio(mine: list[float], theirs: list[float]) -> float | None:
    ratios = [one / other for one, other in zip(mine, theirs, strict=False) if other]
    return statistics.median(ratios) if ratios else None
