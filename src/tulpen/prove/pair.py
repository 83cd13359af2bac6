"""Two ends and a network that may lose, repeat and reorder, as a model to explore.

The network is two bags of segments, one each way: any of a bag may be next, so every
order of arrival is tried.  What it may lose or repeat, and how often a timer may run
out before the network has done its worst, are budgets of the whole run.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

from tulpen.prove.end import ABORT, SEND, TIMEOUT, Automaton, End, Input, Objection, Segments
from tulpen.prove.explorer import Step, Violation


@dataclass(frozen=True)
class Bounds:
    """What may go wrong in one run."""

    losses: int = 0
    copies: int = 0
    hurries: int = 0  # timeouts although an answer is still under way
    room: int = 4  # segments under way in one direction; what does not fit is lost
    ordered: bool = False  # segments arrive in the order they were sent


class World(NamedTuple):
    """A state of the pair; a and b are nodes of the automata, ab and ba segments under way."""

    a: int
    b: int
    ab: tuple[int, ...]
    ba: tuple[int, ...]
    losses: int
    copies: int
    hurries: int


# Timers that need no excuse: an acknowledgment is only put off.
_PROMPT: Final = "delayed_ack"
# 2 MSL is longer than anything stays under way, and than any retransmission waits.
_PATIENT: Final = "linger"


class Pair:
    """The model of two ends."""

    def __init__(self, a: End, b: End, bounds: Bounds) -> None:
        self.segments = Segments()
        self.a = Automaton(a, b, self.segments)
        self.b = Automaton(b, a, self.segments)
        self.bounds = bounds
        self._labels: dict[tuple[bool, str, Input], str] = {}

    def starts(self) -> Iterable[World]:
        """Both ends are CLOSED, nothing is under way, nothing has gone wrong."""
        bounds = self.bounds
        return [World(self.a.start, self.b.start, (), (), bounds.losses, bounds.copies, bounds.hurries)]

    def steps(self, world: World) -> Iterable[Step[World]]:
        """Return everything that can happen."""
        steps: list[Step[World]] = []
        for is_a in (True, False):
            self._calls(world, is_a, steps)
            self._arrivals(world, is_a, steps)
        return steps

    def words(self, world: World) -> str:
        """Return both ends' states and what is under way."""
        a, b = self.a.facts(world.a), self.b.facts(world.b)
        ends = f"{self.a.end.name} in {a.state.title}, {self.b.end.name} in {b.state.title}"
        return f"{ends}, {len(world.ab) + len(world.ba)} segments under way"

    def _calls(self, world: World, is_a: bool, steps: list[Step[World]]) -> None:
        automaton, node = (self.a, world.a) if is_a else (self.b, world.b)
        for call in automaton.inputs(node):
            if call != TIMEOUT:
                steps.append(self._step(world, is_a, call, progress=call not in (ABORT, SEND)))
                continue
            timer = automaton.facts(node).timer
            if timer == _PROMPT or self._quiet(world, is_a, timer):
                steps.append(self._step(world, is_a, call, progress=True))
            elif world.hurries and timer != _PATIENT:
                hurried = world._replace(hurries=world.hurries - 1)
                steps.append(self._step(hurried, is_a, call, progress=False))

    def _quiet(self, world: World, is_a: bool, timer: str) -> bool:
        """Nothing is under way, nor will be before ``timer`` runs out."""
        if world.ab or world.ba:
            return False
        peer = (self.b.facts(world.b) if is_a else self.a.facts(world.a)).timer
        return peer in ("", _PATIENT) if timer == _PATIENT else peer != _PROMPT

    def _arrivals(self, world: World, is_a: bool, steps: list[Step[World]]) -> None:
        """What the network does with a segment on its way to this end."""
        a, b, ab, ba, losses, copies, hurries = world
        bag = ba if is_a else ab
        for place, segment in enumerate(bag):
            if place and (self.bounds.ordered or segment == bag[place - 1]):
                continue
            rest = bag[:place] + bag[place + 1 :]
            left = (ab, rest) if is_a else (rest, ba)
            steps.append(self._step(World(a, b, *left, losses, copies, hurries), is_a, segment, progress=True))
            if losses:
                label = self._label(is_a, "is lost", segment)
                steps.append(Step(label, World(a, b, *left, losses - 1, copies, hurries), progress=False))
            if copies:
                again = World(a, b, ab, ba, losses, copies - 1, hurries)
                steps.append(self._step(again, is_a, segment, progress=False, verb="(a copy)"))

    def _step(self, world: World, is_a: bool, given: Input, *, progress: bool, verb: str = "") -> Step[World]:
        label = self._label(is_a, verb, given)
        a, b, ab, ba, losses, copies, hurries = world
        try:
            if is_a:
                a, sent = self.a.react(a, given)
                ab = self._add(ab, sent) if sent else ab
            else:
                b, sent = self.b.react(b, given)
                ba = self._add(ba, sent) if sent else ba
        except Objection as objection:
            raise Violation(str(objection), label) from objection
        return Step(label, World(a, b, ab, ba, losses, copies, hurries), progress)

    def _add(self, bag: tuple[int, ...], sent: tuple[int, ...]) -> tuple[int, ...]:
        full = (bag + sent)[: self.bounds.room]
        return full if self.bounds.ordered else tuple(sorted(full))

    def _label(self, is_a: bool, verb: str, given: Input) -> str:
        name = (is_a, verb, given)
        label = self._labels.get(name)
        if label is None:
            label = self._labels[name] = self._words(is_a, verb, given)
        return label

    def _words(self, is_a: bool, verb: str, given: Input) -> str:
        automaton, peer = (self.a, self.b) if is_a else (self.b, self.a)
        words = automaton.words(given, peer.end)
        if isinstance(given, str):
            return f"{automaton.end.name}: {words}"
        return f"{peer.end.name} -> {automaton.end.name}  {words} {verb}".rstrip()
