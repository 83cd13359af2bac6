"""What a subject has answered, and the judge of answers that disagree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final, final

from tulpen.errors import TulpenError
from tulpen.learn.subject import Subject

AGAIN: Final = 3  # times that a word is asked again, before anybody is blamed

Answers = tuple[str, ...]


class Changed(Exception):
    """An earlier answer was wrong: what was built on it must be built again."""


class Undecided(TulpenError):
    """A subject that answers one word now so and now otherwise."""

    def __init__(self, word: Sequence[str], answers: Sequence[Answers]) -> None:
        said = "; ".join(f"{count} times {' '.join(each)}" for each, count in Counter(answers).most_common())
        super().__init__(
            f"{' '.join(word)} is answered differently from time to time: {said}",
            "something else than the word decides: a timer, a limit, a program, or other traffic",
        )
        self.word = tuple(word)


@final
class _Node:
    __slots__ = ("answer", "on")

    def __init__(self, answer: str) -> None:
        self.answer = answer
        self.on: dict[str, _Node] = {}


@final
class Memory:
    """Asks every word once, unless its answer contradicts what was heard before."""

    __slots__ = ("_root", "_subject", "asked", "doubts", "inputs", "named")

    def __init__(self, subject: Subject, *, named: bool = True) -> None:
        self._subject = subject
        self.named = named  # the state's name is part of the answer
        self._root = _Node("")
        self.asked = 0  # queries
        self.inputs = 0  # letters in them
        self.doubts = 0  # words that had to be asked again

    def ask(self, word: Sequence[str]) -> Answers:
        """Return what the subject answers to each letter.

        Raises Changed if an earlier answer proves wrong, Undecided if there is no telling.
        """
        known = self.known(word)
        if known is not None:
            return known
        answers = self._query(word)
        if not self._contradicts(word, answers):
            self._learn(word, answers)
            return answers
        return self._decide(word, answers)

    def known(self, word: Sequence[str]) -> Answers | None:
        """Return the answers if they are known."""
        node = self._root
        answers = []
        for letter in word:
            following = node.on.get(letter)
            if following is None:
                return None
            node = following
            answers.append(node.answer)
        return tuple(answers)

    def _query(self, word: Sequence[str]) -> Answers:
        subject, named = self._subject, self.named
        self.asked += 1
        self.inputs += len(word)
        subject.begin()
        try:
            if named:
                return tuple([f"{subject.step(letter)} {subject.state()}" for letter in word])
            return tuple([subject.step(letter) for letter in word])
        finally:
            subject.end()

    def _contradicts(self, word: Sequence[str], answers: Answers) -> bool:
        node = self._root
        for letter, answer in zip(word, answers, strict=True):
            following = node.on.get(letter)
            if following is None:
                return False
            if following.answer != answer:
                return True
            node = following
        return False

    def _decide(self, word: Sequence[str], first: Answers) -> Answers:
        """Ask again; the answer that comes at least as often as all others together and once more is believed."""
        self.doubts += 1
        heard = [first, *(self._query(word) for _ in range(AGAIN))]
        answers, count = Counter(heard).most_common(1)[0]
        if count * 2 <= len(heard):
            raise Undecided(word, heard)
        changed = self._contradicts(word, answers)
        self._learn(word, answers)
        if changed:
            raise Changed
        return answers

    def _learn(self, word: Sequence[str], answers: Answers) -> None:
        node = self._root
        for letter, answer in zip(word, answers, strict=True):
            following = node.on.get(letter)
            if following is None or following.answer != answer:
                following = node.on[letter] = _Node(answer)
            node = following
