"""One word, put to two subjects letter by letter, until they differ."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, final

from tulpen.learn.subject import Subject


class Said(NamedTuple):
    """What a subject said to a letter, and its state after it."""

    answer: str
    state: str


class Edge(NamedTuple):
    """A transition that both took."""

    before: str
    letter: str
    answer: str
    after: str


class Difference(NamedTuple):
    """The first letter of a word on which the two differ."""

    word: tuple[str, ...]  # ends with it
    before: str  # the state of both
    one: Said
    other: Said

    @property
    def letter(self) -> str:
        """The letter itself."""
        return self.word[-1]

    @property
    def kind(self) -> tuple[str, str, Said, Said]:
        """What makes two differences the same one."""
        return self.before, self.letter, self.one, self.other


class Run(NamedTuple):
    """What became of a word."""

    edges: tuple[Edge, ...]  # as far as both agreed
    difference: Difference | None


@final
class Sides:
    """The two subjects."""

    __slots__ = ("one", "other")

    def __init__(self, one: Subject, other: Subject) -> None:
        self.one = one
        self.other = other

    def run(self, word: Sequence[str]) -> Run:
        """Put a word to both.

        The other's state, which may take longer to read than the word to say, is read at its end;
        only if they have come apart is the word said again, with the state read at every letter.
        """
        run = self._run(word, every=False)
        if run.difference is None:
            return run
        again = self._run(word, every=True)
        return run if again.difference is None else again

    def _run(self, word: Sequence[str], *, every: bool) -> Run:
        one, other = self.one, self.other
        one.begin()
        other.begin()
        edges: list[Edge] = []
        before = "CLOSED"
        last = len(word) - 1
        try:
            for place, letter in enumerate(word):
                mine = Said(one.step(letter), one.state())
                answer = other.step(letter)
                looks = every or place == last or answer != mine.answer
                theirs = Said(answer, other.state() if looks else mine.state)
                if mine != theirs:
                    return Run(tuple(edges), Difference(tuple(word[: place + 1]), before, mine, theirs))
                edges.append(Edge(before, letter, mine.answer, mine.state))
                before = mine.state
        finally:
            one.end()
            other.end()
        return Run(tuple(edges), None)

    def close(self) -> None:
        """Let go of both."""
        self.one.close()
        self.other.close()
