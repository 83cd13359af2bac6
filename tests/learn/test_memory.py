"""Words are asked once; answers that disagree are asked again before anybody is blamed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tulpen.learn.memory import AGAIN, Changed, Memory, Undecided


class Scripted:
    """A subject whose answer may depend on how many queries came before."""

    name = "scripted"

    def __init__(self, answer: Callable[[int, str], str]) -> None:
        self._answer = answer
        self.queries = 0

    def begin(self) -> None:
        self.queries += 1

    def step(self, letter: str) -> str:
        return self._answer(self.queries, letter)

    def state(self) -> str:
        return "S"

    def end(self) -> None:
        pass

    def close(self) -> None:
        pass


def test_a_word_is_asked_once_and_its_beginnings_never() -> None:
    subject = Scripted(lambda query, letter: letter.upper())
    memory = Memory(subject)
    assert memory.ask(("a", "b")) == ("A S", "B S")
    assert memory.ask(("a",)) == ("A S",)
    assert subject.queries == 1


def test_one_odd_answer_is_outvoted() -> None:
    subject = Scripted(lambda query, letter: "odd" if query == 2 else letter)
    memory = Memory(subject, named=False)
    memory.ask(("a", "b"))
    assert memory.ask(("a", "c")) == ("a", "c")
    assert (memory.doubts, subject.queries) == (1, 2 + AGAIN)


def test_an_early_odd_answer_is_taken_back() -> None:
    subject = Scripted(lambda query, letter: "odd" if query == 1 else letter)
    memory = Memory(subject, named=False)
    assert memory.ask(("a", "b")) == ("odd", "odd")
    with pytest.raises(Changed):
        memory.ask(("a", "c"))
    assert memory.ask(("a", "c")) == ("a", "c")


def test_who_answers_differently_every_time_is_named() -> None:
    memory = Memory(Scripted(lambda query, letter: f"{letter}{query % 3}"), named=False)
    memory.ask(("a", "b"))
    with pytest.raises(Undecided, match="a c is answered differently"):
        memory.ask(("a", "c"))
