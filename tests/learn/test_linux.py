"""Linux's machine: the one learnt here if root allows it, and the one that was learnt and kept."""

from __future__ import annotations

import os
import subprocess
from importlib import resources

import pytest

from tests.link.rights import as_nobody, interpreter, needs_network, readable_source
from tests.second_try import first_try
from tulpen.learn.alphabet import ALPHABETS
from tulpen.learn.learner import learn
from tulpen.learn.linux import Linux
from tulpen.learn.machine import Machine, difference, loads
from tulpen.learn.rows import LAYERS, explain, explained, table
from tulpen.tcp.state import State

TITLES = {state.title for state in State}


@pytest.fixture(scope="module")
def kept() -> Machine:
    text = resources.files("tulpen.learn").joinpath("linux-wide.json").read_text(encoding="utf-8")
    return loads(text, "linux-wide.json")


def learn_here() -> Machine:
    subject = Linux()
    try:
        return learn(subject, ALPHABETS["life"])
    finally:
        subject.close()


@pytest.fixture(scope="module")
def once() -> Machine:
    return learn_here()


@pytest.fixture
def learnt(request: pytest.FixtureRequest, once: Machine) -> Machine:
    return once if first_try(request) else learn_here()


@pytest.mark.root
@pytest.mark.kernel
@needs_network
class TestHere:
    def test_all_eleven_states_are_seen(self, learnt: Machine) -> None:
        assert set(learnt.states) == TITLES

    def test_every_transition_has_its_row(self, learnt: Machine) -> None:
        assert [each for each in explained(learnt) if each.row is None] == []

    def test_it_is_the_one_that_was_kept(self, learnt: Machine, kept: Machine) -> None:
        if learnt.name.rpartition(".")[0] != kept.name.rpartition(".")[0]:
            pytest.skip(f"this is {learnt.name}, the machine that was kept is of {kept.name}")
        found = difference(learnt, kept)
        assert found is None, found

    def test_asked_again_it_answers_the_same(self, learnt: Machine) -> None:
        subject = Linux()
        try:
            assert learn(subject, ALPHABETS["life"], extra=0) == learn(subject, ALPHABETS["life"], extra=0)
        finally:
            subject.close()


@pytest.mark.root
@pytest.mark.kernel
@needs_network
@pytest.mark.skipif(os.geteuid() != 0, reason="the other tests run as an ordinary user already")
@pytest.mark.skipif(not os.access("/dev/net/tun", os.W_OK) or interpreter() is None, reason="needs /dev/net/tun")
def test_an_ordinary_user_may_ask_too() -> None:
    python = interpreter()
    assert python is not None
    ask = (
        "from tulpen.learn.linux import Linux; subject = Linux();"
        "print([subject.step(letter) for letter in ('CONNECT', 'SYN+ACK', 'SHUT')], subject.state())"
    )
    with readable_source() as source:
        command = [*as_nobody(), f"PYTHONPATH={source}", python, "-c", ask]
        done = subprocess.run(command, capture_output=True, text=True, cwd="/", check=False)
    if "not permitted" in done.stderr or "NotPermitted" in done.stderr:
        pytest.skip(done.stderr.splitlines()[-1])
    assert done.stdout.strip() == "['SYN(fresh)', 'ACK(nxt,adv)', 'FIN+ACK(nxt,cur)'] FIN-WAIT-1", done.stderr


def test_the_kept_machine_is_explained_to_its_last_transition(kept: Machine) -> None:
    assert set(kept.states) == TITLES
    assert [each for each in explained(kept) if each.row is None] == []


#: What Linux does against the RFC: the shortest word, Linux's answer, the row.
DEVIATIONS = [
    ("CONNECT SYN ACK_NA", "-", "ESTABLISHED", "Z11"),
    ("CONNECT SYN FIN_NA", "ACK(nxt,adv)", "CLOSE-WAIT", "Z12"),
    ("CONNECT SYN SHUT", "-", "SYN-RECEIVED", "Z09"),
    ("LISTEN SYN CLOSE", "-", "SYN-RECEIVED", "R13"),
    ("CONNECT SYN+ACK SHUT OLD_FIN", "ACK(nxt,cur)", "FIN-WAIT-2", "Z161"),
    ("CONNECT SYN CLOSE ACK SYN", "RST+ACK(zero,adv)", "CLOSED", "G06"),
    ("CONNECT SYN CLOSE ACK SYN+ACK", "RST(nxt)", "CLOSED", "Z27"),
    ("CONNECT SYN CLOSE ACK RST_WIN", "-", "CLOSED", "Z28"),
    ("CONNECT SYN+ACK SHUT FIN+ACK ACK_FUT", "-", "TIME-WAIT", "Z30"),
]


@pytest.mark.parametrize(("word", "answer", "state", "row"), DEVIATIONS, ids=[each[0] for each in DEVIATIONS])
def test_a_known_deviation(kept: Machine, word: str, answer: str, state: str, row: str) -> None:
    letters = word.split()
    heard = kept.run(letters)
    assert heard[-1] == (answer, state)
    before = heard[-2][1]
    found = explain(before, letters[-1], answer, state)
    assert found is not None
    assert (found.id, found.layer) == (row, "LINUX")


def test_a_reopened_time_wait_that_is_reset_does_not_come_back(kept: Machine) -> None:
    heard = kept.run(["LISTEN", "SYN", "ACK", "SHUT", "FIN+ACK", "SYN_NEW", "RST"])
    assert [state for _, state in heard[-3:]] == ["TIME-WAIT", "SYN-RECEIVED", "LISTEN"]


def test_the_table_is_well_formed() -> None:
    rows = table()
    assert len({row.id for row in rows}) == len(rows) >= 390
    for row in rows:
        assert row.layer in LAYERS
        assert row.state in TITLES or row.state.startswith("*"), row
        assert set(row.next.split("|")) <= TITLES, row
        assert bool(row.token) or not row.out, row


def test_what_no_row_has_is_unexplained() -> None:
    assert explain("ESTABLISHED", "RST", "ACK(nxt,cur)", "LISTEN") is None
    assert explain("FIN-WAIT-2", "ACK", "-", "TIME-WAIT") is None
