"""Breadth-first exploration of a model, and the shortest path to any of its states.

A model's states are hashable values.  Where one state may do all that another can, and
was reached no later, the other need not be looked at: a model says so by what is under
way, a set of which more is never less (a well-structured transition system: Finkel and
Schnoebelen, 2001).  What must never happen is looked for in every state; what must
always be possible, from every state with nothing under way, the least there is.
"""

from __future__ import annotations

import gc
import hashlib
from array import array
from collections.abc import Callable, Hashable, Iterable
from typing import Generic, NamedTuple, Protocol, TypeVar

S = TypeVar("S", bound=Hashable)


#: One thing that can happen in a state: its label, the state it leads to, and whether it is progress, which may be
#: counted on to happen: a delivery, a timeout; not a loss, not an abort.
Step = tuple[str, S, bool]


class Model(Protocol[S]):
    """What can be explored."""

    def starts(self) -> Iterable[S]:
        """Return the states to begin from."""

    def steps(self, state: S) -> Iterable[Step[S]]:
        """Return everything that can happen in ``state``; raise ``Violation`` for what must not."""

    def place(self, state: S) -> Hashable:
        """Return what two states must have alike to be compared by what is under way."""

    def under_way(self, state: S) -> int:
        """Return a set, as bits: with more in it, all that can happen with less can happen too."""

    def all_lost(self, state: S) -> S:
        """Return the state with nothing under way."""


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
Progress = Callable[[int, int], None]
TICK = 1 << 14  # states between two words of progress


class Graph(Generic[S]):
    """The states looked at, in the order of their distance from a start."""

    def __init__(self, model: Model[S], *, drawn: bool = False) -> None:
        self.model = model
        self.states: list[S] = []
        self.parents = array("q")  # -1: a start
        self.labels: list[str] = []  # of the edge from the parent
        self.edges = 0
        self.violation: Counterexample | None = None
        self._known: set[S] = set()
        self._most: dict[Hashable, list[int]] = {}
        self._drawing = hashlib.blake2b(digest_size=16) if drawn else None

    @property
    def places(self) -> int:
        """How many different states there are, what is under way apart."""
        return len(self._most)

    @property
    def fingerprint(self) -> str:
        """A digest of all edges, if it was ``drawn``: equal for graphs that differ in no label and no order."""
        return self._drawing.hexdigest() if self._drawing is not None else ""

    def path(self, number: int) -> tuple[str, ...]:
        """Return the labels on the shortest way to a state."""
        labels = []
        while self.parents[number] >= 0:
            labels.append(self.labels[number])
            number = self.parents[number]
        return tuple(reversed(labels))

    def add(self, state: S, parent: int, label: str) -> bool:
        """Take a state to be looked at, unless one that covers it is there; say whether it was taken."""
        if state in self._known:
            return False
        self._known.add(state)
        under_way = self.model.under_way(state)
        known = self._most.setdefault(self.model.place(state), [])
        for more in known:
            if not under_way & ~more:
                return False
        known[:] = [less for less in known if less & ~under_way]
        known.append(under_way)
        self.states.append(state)
        self.parents.append(parent)
        self.labels.append(label)
        return True

    def expand(self, number: int) -> None:
        """Follow every step of a state."""
        for label, target, _ in self.model.steps(self.states[number]):
            self.edges += 1
            new = self.add(target, number, label)
            if self._drawing is not None:
                self._drawing.update(f"{number} {label} {new}\n".encode())

    def cannot_reach(self, goal: Callable[[S], bool], within: Callable[[S], bool] | None = None) -> int | None:
        """Return a state from which no run of progress leads to a goal, once all under way is lost; None for none.

        With ``within``, only states it accepts are asked about and passed through.
        """
        asked: set[S] = set()
        good: dict[Hashable, list[int]] = {}
        numbers: list[tuple[int, S]] = []
        for number, state in enumerate(self.states):
            bare = self.model.all_lost(state)
            if bare not in asked and (within is None or within(bare)):
                asked.add(bare)
                numbers.append((number, bare))
        for number, bare in reversed(numbers):  # the last are the nearest to the end
            if not self._leads_on(bare, goal, within, good):
                return number
        return None

    def _leads_on(
        self, start: S, goal: Callable[[S], bool], within: Callable[[S], bool] | None, good: dict[Hashable, list[int]]
    ) -> bool:
        model = self.model
        ahead: Graph[S] = Graph(model)
        ahead.add(start, -1, "")
        for number, state in enumerate(ahead.states):
            under_way = model.under_way(state)
            if goal(state) or any(not least & ~under_way for least in good.get(model.place(state), ())):
                while number >= 0:  # all on the way are good
                    reached = good.setdefault(model.place(ahead.states[number]), [])
                    reached.append(model.under_way(ahead.states[number]))
                    number = ahead.parents[number]
                return True
            for label, target, progress in model.steps(state):
                if progress and (within is None or within(target)):
                    ahead.add(target, number, label)
        return False


def explore(
    model: Model[S],
    invariants: Iterable[Invariant[S]] = (),
    *,
    limit: int = 5_000_000,
    progress: Progress | None = None,
    drawn: bool = False,
) -> Graph[S]:
    """Look at every state of ``model``; stop at the first that violates an invariant or raises ``Violation``.

    ``progress`` is told now and then how many states were looked at, and how many wait.
    """
    collecting = gc.isenabled()
    gc.disable()  # nothing that is found is garbage, and looking for it takes a third of the time
    try:
        return _explore(Graph(model, drawn=drawn), tuple(invariants), limit, progress)
    finally:
        if collecting:
            gc.enable()


def _explore(graph: Graph[S], checks: tuple[Invariant[S], ...], limit: int, progress: Progress | None) -> Graph[S]:
    for start in graph.model.starts():
        graph.add(start, -1, "")
    number = 0
    while number < len(graph.states):
        state = graph.states[number]
        broken = next((what for check in checks if (what := check(state)) is not None), None)
        if broken is not None:
            graph.violation = Counterexample(broken, graph.path(number))
            return graph
        try:
            graph.expand(number)
        except Violation as violation:
            graph.violation = Counterexample(violation.what, (*graph.path(number), violation.label))
            return graph
        if len(graph.states) > limit:
            raise TooLarge(f"more than {limit} states")
        number += 1
        if progress is not None and number % TICK == 0:
            progress(number, len(graph.states) - number)
    return graph
