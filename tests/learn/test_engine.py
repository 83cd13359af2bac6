"""The engine, learnt back from outside, is the machine of its own table."""

from __future__ import annotations

import pytest

from tulpen.learn.alphabet import ALPHABETS, LETTERS
from tulpen.learn.engine import Engine
from tulpen.learn.expected import expected
from tulpen.learn.learner import learn
from tulpen.learn.machine import Machine, difference
from tulpen.learn.rows import explained
from tulpen.tcp.state import FIN_WAIT_2, LISTEN, SYN_RECEIVED, TRANSITIONS, Event, State

TITLES = {state.title for state in State}


@pytest.fixture(scope="module", params=["life", "time"])
def machine(request: pytest.FixtureRequest) -> Machine:
    return learn(Engine(), ALPHABETS[request.param])


def test_it_is_the_machine_of_the_table(machine: Machine) -> None:
    found = difference(machine, expected(ALPHABETS[machine.alphabet]), answers=False)
    assert found is None, found


def test_all_eleven_states_are_seen_and_each_bears_one_name(machine: Machine) -> None:
    assert set(machine.states) == TITLES


def test_every_transition_has_its_row(machine: Machine) -> None:
    assert [each for each in explained(machine) if each.row is None] == []


def test_every_row_of_the_table_is_taken_by_some_word(machine: Machine) -> None:
    """But those that no word of the alphabet can ask for."""
    taken = {(machine.states[step.source], machine.states[step.target]) for step in machine.steps()}
    for row in TRANSITIONS:
        if row.never or row.event in (Event.GAVE_UP, Event.LINGERED, Event.ABORT):
            continue
        if row.source is LISTEN and row.event in (Event.OPEN_ACTIVE, Event.RESET):
            continue  # a listener has no handle to connect with, and ignores a RST
        ways = {(row.source.title, row.target.title)}
        if row.event is Event.FIN_ACKED or row.event is Event.RESET:
            ways.add((row.source.title, LISTEN.title))  # what is seen behind a connection that ended
        assert ways & taken, row


def test_every_word_of_the_wide_alphabet_up_to_each_transition() -> None:
    """The whole table machine is walked; learning that alphabet takes half a minute, this a second."""
    table = expected(ALPHABETS["wide"])
    engine = Engine()
    wrong = []
    for source, way in enumerate(table.ways()):
        for letter in table.letters:
            engine.begin()
            for each in way:
                engine.step(each)
            before = engine.state()
            answer = engine.step(letter)
            wanted = table.states[table.rows[source][letter][1]]
            if (before, engine.state()) != (table.states[source], wanted):
                wrong.append((*way, letter, answer, engine.state(), wanted))
    assert wrong == []


def test_a_table_with_an_edge_too_many_is_told_apart(machine: Machine) -> None:
    table = expected(ALPHABETS[machine.alphabet])
    source = table.states.index(SYN_RECEIVED.title)
    table.rows[source]["RST"] = ("", table.states.index(FIN_WAIT_2.title))
    found = difference(machine, table, answers=False)
    assert found is not None
    assert found.word[-1] == "RST"


def test_every_letter_of_every_alphabet_is_known() -> None:
    for alphabet in ALPHABETS.values():
        assert set(alphabet.letters) <= set(LETTERS)
