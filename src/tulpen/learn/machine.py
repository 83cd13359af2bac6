"""A Mealy machine that was learnt: numbered states with names, and what every input does in them."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple, final

from tulpen.errors import TulpenError

FORMAT: Final = "tulpen machine 1"
START: Final = 0


class Step(NamedTuple):
    """One transition."""

    source: int
    letter: str
    answer: str
    target: int


@final
class Machine:
    """Deterministic and complete: every state answers every letter.  State 0 is the first."""

    __slots__ = ("alphabet", "facts", "letters", "name", "rows", "states")

    def __init__(
        self,
        name: str,
        alphabet: str,
        letters: Sequence[str],
        states: Sequence[str],
        rows: Sequence[Mapping[str, tuple[str, int]]],
        facts: Mapping[str, Any] | None = None,
    ) -> None:
        self.name = name  # of the subject
        self.alphabet = alphabet
        self.letters = tuple(letters)
        self.states = tuple(states)  # the RFC's name of each
        self.rows = tuple({letter: row[letter] for letter in self.letters} for row in rows)
        self.facts = dict(facts or {})  # how it was learnt

    def __len__(self) -> int:
        return len(self.states)

    def __eq__(self, other: object) -> bool:
        """Two machines are equal if no word tells them apart: see ``difference``."""
        if not isinstance(other, Machine):
            return NotImplemented
        return set(self.letters) == set(other.letters) and difference(self, other) is None

    __hash__ = None  # type: ignore[assignment]

    def steps(self) -> Iterator[Step]:
        """Yield every transition."""
        for source, row in enumerate(self.rows):
            for letter, (answer, target) in row.items():
                yield Step(source, letter, answer, target)

    def run(self, word: Sequence[str]) -> list[tuple[str, str]]:
        """Return the answer to each letter, and the state's name after it."""
        state = START
        heard = []
        for letter in word:
            answer, state = self.rows[state][letter]
            heard.append((answer, self.states[state]))
        return heard

    def ways(self) -> list[tuple[str, ...]]:
        """Return a shortest word to each state."""
        ways: dict[int, tuple[str, ...]] = {START: ()}
        queue = deque([START])
        while queue:
            source = queue.popleft()
            for letter, (_, target) in self.rows[source].items():
                if target not in ways:
                    ways[target] = (*ways[source], letter)
                    queue.append(target)
        return [ways[state] for state in range(len(self))]

    def as_json(self) -> dict[str, Any]:
        """Return it as values that JSON has."""
        return {
            "format": FORMAT,
            "name": self.name,
            "alphabet": self.alphabet,
            "letters": list(self.letters),
            "facts": self.facts,
            "states": [
                {"name": name, "on": {letter: list(row[letter]) for letter in self.letters}}
                for name, row in zip(self.states, self.rows, strict=True)
            ],
        }


def dumps(machine: Machine) -> str:
    """Return a machine as JSON, a line for each state's input."""
    whole = machine.as_json()
    states = whole.pop("states")
    head = json.dumps(whole, indent=1)[:-2]
    blocks = []
    for state in states:
        rows = ",\n".join(f"   {json.dumps(letter)}: {json.dumps(to)}" for letter, to in state["on"].items())
        blocks.append(f'  {{"name": {json.dumps(state["name"])}, "on": {{\n{rows}}}}}')
    return head + ',\n "states": [\n' + ",\n".join(blocks) + "\n ]\n}\n"


def loads(text: str, source: str) -> Machine:
    """Read a machine; ``source`` is what the error calls it."""
    try:
        whole = json.loads(text)
        if whole["format"] != FORMAT:
            raise TulpenError(f"{source}: {whole['format']!r} is not {FORMAT!r}")
        states = whole["states"]
        rows = [
            {letter: (str(answer), int(target)) for letter, (answer, target) in state["on"].items()} for state in states
        ]
        machine = Machine(
            whole["name"], whole["alphabet"], whole["letters"], [each["name"] for each in states], rows, whole["facts"]
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise TulpenError(f"{source} holds no machine", "tulpen learn --json writes one") from error
    if any(not 0 <= step.target < len(machine) for step in machine.steps()):
        raise TulpenError(f"{source}: a transition leads to a state that is not there")
    return machine


class Difference(NamedTuple):
    """The shortest word that two machines answer differently."""

    word: tuple[str, ...]
    one: list[tuple[str, str]]  # what the first says: answer and state, letter by letter
    other: list[tuple[str, str]]


def difference(one: Machine, other: Machine, *, states: bool = True, answers: bool = True) -> Difference | None:
    """Return the shortest word on which two machines differ; None if there is none.

    Only letters that both have are tried.  ``states``, ``answers``: what is compared.
    """
    return next(differences(one, other, states=states, answers=answers), None)


def differences(one: Machine, other: Machine, *, states: bool = True, answers: bool = True) -> Iterator[Difference]:
    """Yield, shortest first, a word for every transition that differs between states not yet told apart.

    Behind a difference nothing is compared: what follows from it would be told again and again.
    """
    letters = [letter for letter in one.letters if letter in other.letters]
    queue: deque[tuple[int, int, tuple[str, ...]]] = deque([(START, START, ())])
    seen = {(START, START)}
    while queue:
        left, right, word = queue.popleft()
        for letter in letters:
            (said, to), (replied, onto) = one.rows[left][letter], other.rows[right][letter]
            longer = (*word, letter)
            if (answers and said != replied) or (states and one.states[to] != other.states[onto]):
                yield Difference(longer, one.run(longer), other.run(longer))
            elif (to, onto) not in seen:
                seen.add((to, onto))
                queue.append((to, onto, longer))
