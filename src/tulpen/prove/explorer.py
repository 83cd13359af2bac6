"""Exploration of a model to its last state, and the shortest path to what must not be.

A model's states are hashable values.  Where one state may do all that another can, the
other need not be looked at: a model says so by what is under way, a set of which more
is never less (a well-structured transition system: Finkel and Schnoebelen, 2001).  So
the fullest states are looked at first, and few of the others are left.  What must never
happen is looked for in every state; what must always be possible, from every state with
nothing under way, the least there is.  Only where something is found the model is
explored again, breadth first, for the shortest way there.
"""

from __future__ import annotations

import gc
import hashlib
from array import array
from collections.abc import Callable, Hashable, Iterable, Iterator
from contextlib import contextmanager
from heapq import heappop, heappush
from typing import Final, Generic, NamedTuple, Protocol, TypeVar

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
    """A way to a violation."""

    what: str
    path: tuple[str, ...]

    def __str__(self) -> str:
        lines = [f"{number:3} {label}" for number, label in enumerate(self.path, 1)]
        return "\n".join((self.what, *lines))


Invariant = Callable[[S], str | None]
Progress = Callable[[int, int], None]
TICK: Final = 1 << 14  # states between two words of progress
_NUMBERS: Final = 40  # bits of a state's number, in what the states are ordered by


class Graph(Generic[S]):
    """The states that were found, in this order."""

    def __init__(self, model: Model[S], *, drawn: bool = False) -> None:
        self.model = model
        self.states: list[S] = []
        self.parents = array("q")  # -1: a start
        self.labels: list[str] = []  # of the edge from the parent
        self.looked_at = 0
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
        """A digest of the edges followed, if ``drawn``: equal for graphs that differ in no label and no order."""
        return self._drawing.hexdigest() if self._drawing is not None else ""

    def path(self, number: int) -> tuple[str, ...]:
        """Return the labels on the way by which a state was found."""
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

    def stands(self, number: int) -> bool:
        """Say whether no state that was found since may do all that this one can."""
        state = self.states[number]
        return self.model.under_way(state) in self._most[self.model.place(state)]

    def look(self, number: int, checks: Iterable[Invariant[S]]) -> Counterexample | None:
        """Hold a state against what must hold, and follow every step of it; return what is wrong."""
        state = self.states[number]
        self.looked_at += 1
        for check in checks:
            broken = check(state)
            if broken is not None:
                return Counterexample(broken, self.path(number))
        try:
            self._expand(number)
        except Violation as violation:
            return Counterexample(violation.what, (*self.path(number), violation.label))
        return None

    def _expand(self, number: int) -> None:
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
    """Look at every state of ``model`` that no other covers; stop at the first that is wrong.

    ``progress`` is told now and then how many states were looked at, and how many wait.
    Raises TooLarge where more than ``limit`` states are found.
    """
    graph, checks = Graph(model, drawn=drawn), tuple(invariants)
    for start in model.starts():
        graph.add(start, -1, "")
    waiting: list[int] = []  # the fullest first, of those the first found
    found = 0
    with _no_collection():
        while True:
            for number in range(found, len(graph.states)):
                heappush(waiting, number - (model.under_way(graph.states[number]).bit_count() << _NUMBERS))
            found = len(graph.states)
            if found > limit:
                raise TooLarge(f"more than {limit} states")
            if not waiting:
                return graph
            number = heappop(waiting) & (1 << _NUMBERS) - 1
            if not graph.stands(number):
                continue
            graph.violation = graph.look(number, checks)
            if graph.violation is not None:
                return graph
            if progress is not None and graph.looked_at % TICK == 0:
                progress(graph.looked_at, len(waiting))


def nearest(
    model: Model[S], invariants: Iterable[Invariant[S]] = (), *, limit: int = 5_000_000
) -> Counterexample | None:
    """Return the shortest way to what is wrong, None where nothing is.  Raises TooLarge."""
    graph, checks = Graph(model), tuple(invariants)
    for start in model.starts():
        graph.add(start, -1, "")
    begin = 0
    with _no_collection():
        while begin < len(graph.states):
            # What covers one of these is no further away; what is found from now on is.
            layer = [number for number in range(begin, len(graph.states)) if graph.stands(number)]
            begin = len(graph.states)
            for number in layer:
                found = graph.look(number, checks)
                if found is not None:
                    return found
                if len(graph.states) > limit:
                    raise TooLarge(f"more than {limit} states")
    return None


@contextmanager
def _no_collection() -> Iterator[None]:
    """Nothing that is found is garbage, and looking for it takes a third of the time."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()
