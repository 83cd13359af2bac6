"""Two ends and the worst network there can be, as a model to explore.

What was ever sent may arrive at any time, in any order, any number of times, or never:
the network is the set of all that was sent, and it only grows.  So loss, duplication,
reordering and retransmission have no bound, and yet there is an end to the states.
Only the end of TIME-WAIT takes away: what was last sent before TIME-WAIT was entered is
older than 2 MSL by then (RFC 9293 §3.4.1).  A timer may run out at any time.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

from tulpen.prove.end import ABORT, LINGERED, SEND, Automaton, End, Facts, Input, Objection
from tulpen.prove.explorer import Step, Violation
from tulpen.prove.segments import ROOM, Segments, members
from tulpen.tcp.state import TIME_WAIT

#: A state of the pair: the automata's nodes of A and B; the segments that were sent, as bits; those of them that the
#: end of A's TIME-WAIT takes away, and those that the end of B's does; the forgeries that are left.
#: A plain tuple: it is made and compared millions of times.
World = tuple[int, int, int, int, int, int]


@dataclass(frozen=True)
class Network:
    """What the network does beside losing, repeating and reordering."""

    cuts: bool = False  # a sender may cut its text anew when it sends it again; that it does is not counted on
    forges: tuple[str, ...] = ()  # what an attacker sends
    forgeries: int = 1  # how many such segments there are, where there are any


class Deed(NamedTuple):
    """What a label stands for."""

    is_a: bool  # A's, else B's
    given: Input
    forged: bool


class Labels:
    """The words for what can happen to one end, made when they are first needed."""

    def __init__(self, automaton: Automaton, verb: str = "") -> None:
        self._automaton = automaton
        self._verb = verb
        self._made: dict[Input, str] = {}

    def of(self, given: Input) -> str:
        """Return the words for a call, a timeout or a segment."""
        label = self._made.get(given)
        if label is None:
            label = self._made[given] = self._words(given)
        return label

    def given(self, label: str) -> Input | None:
        """Return what a label stands for; None if it was not made here."""
        return next((given for given, made in self._made.items() if made == label), None)

    def _words(self, given: Input) -> str:
        end, words = self._automaton.end.name, self._automaton.words(given)
        if isinstance(given, str):
            return f"{end}: {words}"
        return f"{self._automaton.peer.name} -> {end}  {words} {self._verb}".rstrip()


#: Not to be counted on: the user may never do it.
_OPTIONAL: Final = frozenset({ABORT, SEND})


class Pair:
    """The model of two ends."""

    def __init__(self, a: End, b: End, network: Network) -> None:
        self.segments = Segments()
        self.a = Automaton(a, b, self.segments)
        self.b = Automaton(b, a, self.segments)
        self.network = network
        self._labels = {is_a: (Labels(end), Labels(end, "(forged)")) for is_a, end in ((True, self.a), (False, self.b))}

    def starts(self) -> Iterable[World]:
        """Nothing is under way, nothing has gone wrong."""
        forgeries = self.network.forgeries if self.network.forges else 0
        return [(self.a.start, self.b.start, 0, 0, 0, forgeries)]

    def place(self, world: World) -> tuple[int, ...]:
        """Return what two worlds must have alike, so that one may do all that the other can."""
        return world[0], world[1]

    def under_way(self, world: World) -> int:
        """Return a set: a world with more in it may do all that one with less can."""
        _, _, sent, a_takes, b_takes, left = world
        forgeries = (1 << left) - 1
        return sent | (sent & ~a_takes) << ROOM | (sent & ~b_takes) << 2 * ROOM | forgeries << 3 * ROOM

    def all_lost(self, world: World) -> World:
        """Return the world when nothing that was sent so far arrives any more, and nobody forges."""
        return world[0], world[1], 0, 0, 0, 0

    def facts(self, world: World) -> tuple[Facts, Facts]:
        """Return what is known of both ends."""
        return self.a.facts(world[0]), self.b.facts(world[1])

    def words(self, world: World) -> str:
        """Return both ends' states."""
        a, b = self.facts(world)
        return f"{self.a.end.name} in {a.state.title}, {self.b.end.name} in {b.state.title}"

    def deed(self, label: str) -> Deed:
        """Return what happens in a step of this label."""
        for is_a, both in self._labels.items():
            for labels, is_forged in zip(both, (False, True), strict=True):
                given = labels.given(label)
                if given is not None:
                    return Deed(is_a, given, is_forged)
        raise KeyError(label)

    def steps(self, world: World) -> Iterable[Step[World]]:
        """Return everything that can happen."""
        steps: list[Step[World]] = []
        for is_a, automaton, node in ((True, self.a, world[0]), (False, self.b, world[1])):
            plain, forged = self._labels[is_a]
            for call in automaton.inputs(node):
                after = self._after(world, is_a, call)
                if after != world:
                    steps.append((plain.of(call), after, call not in _OPTIONAL))
            for segment in members(world[2] & self.segments.to.get(automaton.end.name, 0)):
                after = self._after(world, is_a, segment)
                if after != world:
                    steps.append((plain.of(segment), after, self.segments.sent >> segment & 1 == 1))
            if world[5]:
                for segment in automaton.forgeries(node, self.network.forges):
                    after = self._after(world, is_a, segment)
                    steps.append((forged.of(segment), (*after[:5], world[5] - 1), False))
        return steps

    def _after(self, world: World, is_a: bool, given: Input) -> World:
        """Return the world once one end has taken an input."""
        a, b, sent, a_takes, b_takes, left = world
        automaton, node = (self.a, a) if is_a else (self.b, b)
        try:
            target, answer = automaton.react(node, given)
        except Objection as objection:
            raise Violation(str(objection), self._labels[is_a][0].of(given)) from objection
        if self.network.cuts:
            answer = self.segments.parts(answer, automaton.peer.name)
        if target != node:
            before, after = automaton.facts(node).state, automaton.facts(target).state
            if before is TIME_WAIT and after is not TIME_WAIT:
                if given == LINGERED:
                    sent &= ~(a_takes if is_a else b_takes)
                a_takes, b_takes = (0, b_takes & sent) if is_a else (a_takes & sent, 0)
            elif after is TIME_WAIT and before is not TIME_WAIT:
                a_takes, b_takes = (sent, b_takes) if is_a else (a_takes, sent)
        if answer:
            sent, a_takes, b_takes = sent | answer, a_takes & ~answer, b_takes & ~answer
        return (target, b, sent, a_takes, b_takes, left) if is_a else (a, target, sent, a_takes, b_takes, left)
