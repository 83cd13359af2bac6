"""Learnt machines: writing and reading them, and the shortest word that tells two apart."""

from __future__ import annotations

import pytest

from tulpen.errors import TulpenError
from tulpen.learn.machine import Machine, difference, differences, dumps, loads

LETTERS = ("a", "b")


def machine(last: str = "0") -> Machine:
    """Answers 0 to everything, but ``last`` to b after two a."""
    rows = [
        {"a": ("0", 1), "b": ("0", 0)},
        {"a": ("0", 2), "b": ("0", 0)},
        {"a": ("0", 2), "b": (last, 0)},
    ]
    return Machine("m", "test", LETTERS, ["x", "y", "z"], rows, {"queries": 3})


def test_what_is_written_is_read_again() -> None:
    again = loads(dumps(machine()), "file")
    assert (again.name, again.letters, again.states, again.rows) == ("m", LETTERS, ("x", "y", "z"), machine().rows)
    assert again == machine()


def test_the_shortest_word() -> None:
    found = difference(machine(), machine("1"))
    assert found is not None
    assert found.word == ("a", "a", "b")
    assert (found.one[-1], found.other[-1]) == (("0", "x"), ("1", "x"))
    assert machine() != machine("1")


def test_states_are_compared_unless_they_are_not() -> None:
    other = machine()
    other.states = ("x", "y", "other")
    found = difference(machine(), other)
    assert found is not None
    assert found.word == ("a", "a")
    assert difference(machine(), other, states=False) is None


def test_every_difference_once() -> None:
    assert [each.word for each in differences(machine(), machine("1"))] == [("a", "a", "b")]
    assert list(differences(machine(), machine())) == []


def test_ways_are_shortest() -> None:
    assert machine().ways() == [(), ("a",), ("a", "a")]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": "other"}', "not json"])
def test_what_is_no_machine_is_refused(text: str) -> None:
    with pytest.raises(TulpenError, match="file"):
        loads(text, "file")


def test_a_transition_to_nowhere_is_refused() -> None:
    with pytest.raises(TulpenError, match="not there"):
        loads(dumps(machine()).replace('["0", 2]', '["0", 7]'), "file")
