"""Two ends and a network that may lose, repeat and reorder, as a model to explore.

The network is two bags of segments, one each way: any of a bag may be next, so every
order of arrival is tried.  What it may lose or repeat, and how often a timer may run
out before the network has done its worst, are budgets of the whole run.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from tulpen.prove.end import ABORT, SEND, TIMEOUT, Automaton, End, Facts, Input, Objection, Reaction, Segments
from tulpen.prove.explorer import Step, Violation


@dataclass(frozen=True)
class Bounds:
    """What may go wrong in one run."""

    losses: int = 0
    copies: int = 0
    hurries: int = 0  # timeouts although an answer is still under way
    room: int = 4  # segments under way in one direction; what does not fit is lost
    ordered: bool = False  # segments arrive in the order they were sent


#: A state of the pair: the automata's nodes of A and B; the segments under way from A to B, and from B to A; what is
#: left of the losses, copies and hurries.  A plain tuple: it is made and compared millions of times.
World = tuple[int, int, tuple[int, ...], tuple[int, ...], int, int, int]


# Timers that need no excuse: an acknowledgment is only put off.
_PROMPT: Final = "delayed_ack"
# 2 MSL is longer than anything stays under way, and than any retransmission waits.
_PATIENT: Final = "linger"


class Labels:
    """The words for what can happen to one end, made when they are first needed."""

    def __init__(self, automaton: Automaton, peer: End, verb: str = "") -> None:
        self._automaton = automaton
        self._peer = peer
        self._verb = verb
        self._made: dict[Input, str] = {}

    def of(self, given: Input) -> str:
        """Return the words for a call, a deadline or a segment."""
        label = self._made.get(given)
        if label is None:
            label = self._made[given] = self._words(given)
        return label

    def _words(self, given: Input) -> str:
        end = self._automaton.end.name
        words = self._automaton.words(given, self._peer)
        if isinstance(given, str):
            return f"{end}: {words}"
        return f"{self._peer.name} -> {end}  {words} {self._verb}".rstrip()


class Pair:
    """The model of two ends."""

    def __init__(self, a: End, b: End, bounds: Bounds) -> None:
        self.segments = Segments()
        self.a = Automaton(a, b, self.segments)
        self.b = Automaton(b, a, self.segments)
        self.bounds = bounds
        self._labels = {
            is_a: (Labels(end, peer), Labels(end, peer, "is lost"), Labels(end, peer, "(a copy)"))
            for is_a, end, peer in ((True, self.a, b), (False, self.b, a))
        }

    def starts(self) -> Iterable[World]:
        """Both ends are CLOSED, nothing is under way, nothing has gone wrong."""
        bounds = self.bounds
        return [(self.a.start, self.b.start, (), (), bounds.losses, bounds.copies, bounds.hurries)]

    def facts(self, world: World) -> tuple[Facts, Facts]:
        """Return what is known of both ends."""
        return self.a.facts(world[0]), self.b.facts(world[1])

    def words(self, world: World) -> str:
        """Return both ends' states and what is under way."""
        a, b = self.facts(world)
        ends = f"{self.a.end.name} in {a.state.title}, {self.b.end.name} in {b.state.title}"
        count = len(world[2]) + len(world[3])
        return f"{ends}, {count or 'no'} segment{'s' if count != 1 else ''} under way"

    def steps(self, world: World) -> Iterable[Step[World]]:
        """Return everything that can happen."""
        steps: list[Step[World]] = []
        for is_a in (True, False):
            self._calls(world, is_a, steps)
            self._arrivals(world, is_a, steps)
        return steps

    def _calls(self, world: World, is_a: bool, steps: list[Step[World]]) -> None:
        """What this end's user and its clock can do."""
        a, b, ab, ba, losses, copies, hurries = world
        automaton, node, out = (self.a, a, ab) if is_a else (self.b, b, ba)
        for call in automaton.inputs(node):
            left, progress = hurries, call not in (ABORT, SEND)
            if call == TIMEOUT and not self._in_time(world, is_a):
                if not hurries or automaton.facts(node).timer == _PATIENT:
                    continue
                left, progress = hurries - 1, False
            target, sent = self._react(is_a, node, call)
            bag = self._add(out, sent) if sent else out
            after = (target, b, bag, ba, losses, copies, left) if is_a else (a, target, ab, bag, losses, copies, left)
            steps.append((self._labels[is_a][0].of(call), after, progress))

    def _in_time(self, world: World, is_a: bool) -> bool:
        """Whether nothing is under way, nor will be before this end's timer runs out."""
        mine, peers = self.facts(world) if is_a else reversed(self.facts(world))
        if mine.timer == _PROMPT:
            return True
        if world[2] or world[3]:
            return False
        return peers.timer in ("", _PATIENT) if mine.timer == _PATIENT else peers.timer != _PROMPT

    def _arrivals(self, world: World, is_a: bool, steps: list[Step[World]]) -> None:
        """What the network does with a segment on its way to this end."""
        a, b, ab, ba, losses, copies, hurries = world
        node, bag, out = (a, ba, ab) if is_a else (b, ab, ba)
        arrives, is_lost, again = self._labels[is_a]
        for place, segment in enumerate(bag):
            if place and (self.bounds.ordered or segment == bag[place - 1]):
                continue
            rest = bag[:place] + bag[place + 1 :]
            target, sent = self._react(is_a, node, segment)
            more = self._add(out, sent) if sent else out
            taken = (target, b, more, rest) if is_a else (a, target, rest, more)
            steps.append((arrives.of(segment), (*taken, losses, copies, hurries), True))
            if losses:
                left = (a, b, ab, rest) if is_a else (a, b, rest, ba)
                steps.append((is_lost.of(segment), (*left, losses - 1, copies, hurries), False))
            if copies:
                kept = (target, b, more, ba) if is_a else (a, target, ab, more)
                steps.append((again.of(segment), (*kept, losses, copies - 1, hurries), False))

    def _react(self, is_a: bool, node: int, given: Input) -> Reaction:
        try:
            return (self.a if is_a else self.b).react(node, given)
        except Objection as objection:
            raise Violation(str(objection), self._labels[is_a][0].of(given)) from objection

    def _add(self, bag: tuple[int, ...], sent: tuple[int, ...]) -> tuple[int, ...]:
        full = (bag + sent)[: self.bounds.room]
        return full if self.bounds.ordered else tuple(sorted(full))
