"""Breadth-first exploration of a model, and the shortest path to any of its states.

A model's states are hashable values; two that are equal behave alike.  Whatever makes
them so (which numbers are relative, which clocks only a bit) is the model's business.
"""

from __future__ import annotations

import gc
from array import array
from collections.abc import Callable, Hashable, Iterable
from typing import Generic, NamedTuple, Protocol, TypeVar

S = TypeVar("S", bound=Hashable)


#: One thing that can happen in a state: its label, the state it leads to, and whether it is progress, which may be
#: counted on to happen: a delivery, a deadline; not a loss, not an abort.
Step = tuple[str, S, bool]


class Model(Protocol[S]):
    """What can be explored."""

    def starts(self) -> Iterable[S]:
        """Return the states to begin from."""

    def steps(self, state: S) -> Iterable[Step[S]]:
        """Return everything that can happen in ``state``; raise ``Violation`` for what must not."""


class Violation(Exception):
    """A step must not do what it does; ``what`` says so in a sentence, ``label`` names the step."""

    def __init__(self, what: str, label: str) -> None:
        super().__init__(f"{what}: {label}")
        self.what = what
        self.label = label


class TooLarge(Exception):
    """There are more states than the limit."""


class Counterexample(NamedTuple):
    """The shortest way to a violation."""

    what: str
    path: tuple[str, ...]

    def __str__(self) -> str:
        lines = [f"{number:3} {label}" for number, label in enumerate(self.path, 1)]
        return "\n".join((self.what, *lines))


Invariant = Callable[[S], str | None]


class Graph(Generic[S]):
    """The states found, in the order of their distance from a start, and the edges between them."""

    def __init__(self) -> None:
        self.states: list[S] = []
        self.index: dict[S, int] = {}
        self.parents = array("q")  # -1: a start
        self.labels: list[str] = []  # of the edge from the parent
        self.sources = array("q")  # of every edge
        self.targets = array("q")
        self.progress = bytearray()
        self.violation: Counterexample | None = None
        self._reversed: tuple[array[int], array[int]] | None = None

    @property
    def edges(self) -> int:
        """How many edges were followed."""
        return len(self.targets)

    def path(self, number: int) -> tuple[str, ...]:
        """Return the labels on the shortest way to a state."""
        labels = []
        while self.parents[number] >= 0:
            labels.append(self.labels[number])
            number = self.parents[number]
        return tuple(reversed(labels))

    def add(self, state: S, parent: int, label: str) -> int:
        """Return the number of ``state``, a new one if it is new."""
        number = self.index.setdefault(state, len(self.states))
        if number == len(self.states):
            self.states.append(state)
            self.parents.append(parent)
            self.labels.append(label)
        return number

    def cannot_reach(self, goal: Callable[[S], bool], within: Callable[[S], bool] | None = None) -> int | None:
        """Return the nearest state that no run of progress leads to a goal from; None if there is none.

        With ``within``, only states it accepts are asked about and passed through.
        """
        count = len(self.states)
        reached = bytearray(count) if within is None else bytearray(not within(state) for state in self.states)
        stack = [n for n in range(count) if not reached[n] and goal(self.states[n])]
        for number in stack:
            reached[number] = 1
        first, sources = self._backwards()
        while stack:
            number = stack.pop()
            for source in sources[first[number] : first[number + 1]]:
                if not reached[source]:
                    reached[source] = 1
                    stack.append(source)
        stuck = reached.find(0)
        return None if stuck < 0 else stuck

    def _backwards(self) -> tuple[array[int], array[int]]:
        """Return the edges of progress by their target: where each target's begin, and their sources."""
        if self._reversed is None:
            made = [(t, self.sources[e]) for e, t in enumerate(self.targets) if self.progress[e]]
            made.sort()
            sources = array("q", [source for _, source in made])
            first = array("q", bytes(8 * (len(self.states) + 1)))
            for target, _ in made:
                first[target + 1] += 1
            for number in range(len(self.states)):
                first[number + 1] += first[number]
            self._reversed = first, sources
        return self._reversed


def explore(model: Model[S], invariants: Iterable[Invariant[S]] = (), *, limit: int = 5_000_000) -> Graph[S]:
    """Visit every state of ``model``; stop at the first that violates an invariant or raises ``Violation``."""
    collecting = gc.isenabled()
    gc.disable()  # nothing that is found is garbage, and looking for it takes a third of the time
    try:
        return _explore(model, tuple(invariants), limit)
    finally:
        if collecting:
            gc.enable()


def _explore(model: Model[S], checks: tuple[Invariant[S], ...], limit: int) -> Graph[S]:
    graph: Graph[S] = Graph()
    for start in model.starts():
        graph.add(start, -1, "")
    number = 0
    while number < len(graph.states):
        state = graph.states[number]
        broken = next((what for check in checks if (what := check(state)) is not None), None)
        if broken is not None:
            graph.violation = Counterexample(broken, graph.path(number))
            return graph
        try:
            _expand(graph, number, model.steps(state))
        except Violation as violation:
            graph.violation = Counterexample(violation.what, (*graph.path(number), violation.label))
            return graph
        if len(graph.states) > limit:
            raise TooLarge(f"more than {limit} states")
        number += 1
    return graph


def _expand(graph: Graph[S], number: int, steps: Iterable[Step[S]]) -> None:
    for label, target, progress in steps:
        graph.sources.append(number)
        graph.targets.append(graph.add(target, number, label))
        graph.progress.append(progress)
