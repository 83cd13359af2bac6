"""L# with the Wp method, as AALpy has them, put to work on a subject."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tulpen.errors import TulpenError
from tulpen.learn.alphabet import Alphabet
from tulpen.learn.machine import Machine
from tulpen.learn.memory import Changed, Memory
from tulpen.learn.subject import Subject

try:
    from aalpy.base import SUL, Oracle
    from aalpy.learning_algs import run_Lsharp
    from aalpy.oracles.WpMethodEqOracle import first_phase_it, second_phase_it
except ImportError as error:
    raise TulpenError("learning needs AALpy", "pip install 'tulpen[learn]'") from error

if TYPE_CHECKING:
    from aalpy.automata import MealyMachine

EXTRA: Final = 1
_RESTARTS: Final = 5
_OFTEN: Final = 500  # tests between two reports of progress


class Progress(NamedTuple):
    """How far it has got."""

    states: int  # of the hypothesis; 0: none yet
    tests: int  # that the hypothesis has passed
    queries: int


Tell = Callable[[Progress], None]


class _Questions(SUL):
    """AALpy's view of a memory."""

    def __init__(self, memory: Memory) -> None:
        super().__init__()
        self.memory = memory
        self._word: list[str] = []

    def pre(self) -> None:
        self._word = []

    def post(self) -> None:
        self._word = []

    def step(self, letter: str) -> str:
        self._word.append(letter)
        return self.memory.ask(self._word)[-1]

    def query(self, word: Sequence[str]) -> list[str]:
        return list(self.memory.ask(word))


class _Wp(Oracle):
    """The Wp method, with middles shorter than ``depth``."""

    def __init__(self, letters: list[str], questions: _Questions, depth: int, tell: Tell) -> None:
        super().__init__(letters, questions)
        self._depth = depth
        self._tell = tell
        self.tests = 0

    def find_cex(self, hypothesis: MealyMachine) -> tuple[str, ...] | None:
        """Return a word that the hypothesis gets wrong."""
        memory = self.sul.memory
        telling = hypothesis.compute_characterization_set() or [(letter,) for letter in self.alphabet]
        states = sorted(state.prefix for state in hypothesis.states)
        transitions = [(*prefix, letter) for prefix in states for letter in self.alphabet]
        suite = chain(
            first_phase_it(self.alphabet, states if len(states) > 1 else transitions, self._depth, telling),
            second_phase_it(
                hypothesis, self.alphabet, [each for each in transitions if each not in states], self._depth
            ),
        )
        self.tests = 0
        for word in suite:
            if self.tests % _OFTEN == 0:
                self._tell(Progress(len(hypothesis.states), self.tests, memory.asked))
            self.tests += 1
            hypothesis.reset_to_initial()
            for place, answer in enumerate(memory.ask(word)):
                if hypothesis.step(word[place]) != answer:
                    return tuple(word[: place + 1])
        return None


def learn(
    subject: Subject,
    alphabet: Alphabet,
    *,
    extra: int = EXTRA,
    named: bool = True,
    tell: Tell = lambda _: None,
) -> Machine:
    """Learn a subject's machine.

    ``extra``: no machine with up to so many states more can answer otherwise (the Wp
    method's promise); each more makes it as many times longer as there are letters.
    ``named``: the states' names are part of what is learnt.  Raises Undecided.
    """
    began = time.perf_counter()
    memory = Memory(subject, named=named)
    for _ in range(_RESTARTS):
        questions = _Questions(memory)
        oracle = _Wp(list(alphabet.letters), questions, extra + 1, tell)
        try:
            found: MealyMachine = run_Lsharp(
                list(alphabet.letters), questions, oracle, "mealy", cache_and_non_det_check=False, print_level=0
            )
        except Changed:
            continue
        facts = {
            "algorithm": "L#",
            "equivalence": f"Wp, {extra} more",
            "tests": oracle.tests,
            "queries": memory.asked,
            "inputs": memory.inputs,
            "doubts": memory.doubts,
            "seconds": round(time.perf_counter() - began, 2),
        }
        return _machine(found, subject, alphabet, facts, named=named)
    raise TulpenError(f"{subject.name} gave wrong answers {_RESTARTS} times", "see what else is going on there")


def _machine(
    found: MealyMachine, subject: Subject, alphabet: Alphabet, facts: dict[str, Any], *, named: bool
) -> Machine:
    """Number the states in the order in which words reach them, so that equal machines are written alike."""
    letters = alphabet.letters
    order = [found.initial_state]
    numbers = {id(found.initial_state): 0}
    for state in order:
        for letter in letters:
            target = state.transitions[letter]
            if id(target) not in numbers:
                numbers[id(target)] = len(order)
                order.append(target)
    names = _names(subject, found, order, letters, named=named)
    rows = [
        {
            letter: (state.output_fun[letter].partition(" ")[0], numbers[id(state.transitions[letter])])
            for letter in letters
        }
        for state in order
    ]
    return Machine(subject.name, alphabet.name, letters, names, rows, facts)


def _names(
    subject: Subject, found: MealyMachine, order: list[Any], letters: Sequence[str], *, named: bool
) -> list[str]:
    """Name each state by what the subject called it on every way in."""
    names: dict[int, set[str]] = {id(state): set() for state in order}
    if named:
        for state in order:
            for letter in letters:
                names[id(state.transitions[letter])].add(state.output_fun[letter].partition(" ")[2])
    for state in order:
        if not names[id(state)]:
            subject.begin()
            for letter in state.prefix:
                subject.step(letter)
            names[id(state)].add(subject.state())
            subject.end()
    return ["/".join(sorted(names[id(state)])) for state in order]
