"""Words, differences and shrinking, on subjects whose every answer is known."""

from __future__ import annotations

from tulpen.compare.known import known
from tulpen.compare.run import Limits, compare
from tulpen.compare.shrink import shrink
from tulpen.compare.sides import Edge, Sides
from tulpen.compare.words import Words
from tulpen.learn.engine import Engine, basic_settings
from tulpen.learn.machine import Machine

WORD = ("CONNECT", "SYN+ACK", "ACK", "DATA", "RECV", "ACK", "RST_WIN", "RST", "SYN")


class Kept:
    """A machine as a subject."""

    def __init__(self, machine: Machine) -> None:
        self.name = machine.name
        self._machine = machine
        self._at = 0

    def begin(self) -> None:
        self._at = 0

    def step(self, letter: str) -> str:
        answer, self._at = self._machine.rows[self._at][letter]
        return answer

    def state(self) -> str:
        return self._machine.states[self._at]

    def end(self) -> None:
        pass

    def close(self) -> None:
        pass


def insecure() -> Engine:
    """tulpen as it was before RFC 5961."""
    settings = basic_settings()
    settings.tcp_insecure_rst = True
    return Engine(settings)


def test_two_engines_agree() -> None:
    findings = compare(Sides(Engine(), Engine()), (), Limits(words=300), seed=1)
    assert (findings.words, findings.new, findings.doubtful) == (300, [], [])
    assert findings.pairs > 200


def test_a_difference_is_found_and_is_as_short_as_can_be() -> None:
    findings = compare(Sides(Engine(), insecure()), (), Limits(words=600), seed=1)
    assert findings.new
    for found in findings.new:
        assert found.letter == "RST_WIN"
    assert min(len(found.word) for found in findings.new if found.before == "ESTABLISHED") == 3
    assert findings.doubtful == []


def test_a_known_difference_is_counted_and_no_failure() -> None:
    import re

    row = known()[0]._replace(
        id="old", before=re.compile(".*"), letter=re.compile("RST_WIN"), tulpen=re.compile(".*"), linux=re.compile(".*")
    )
    findings = compare(Sides(Engine(), insecure()), (row,), Limits(words=600), seed=1)
    assert findings.new == []
    assert findings.known["old"] > 0


def test_shrinking_keeps_the_difference() -> None:
    sides = Sides(Engine(), insecure())
    found = sides.run(WORD).difference
    assert found is not None
    assert found.word == WORD[:7]
    short = shrink(sides, found)
    assert short.word == ("CONNECT", "SYN+ACK", "RST_WIN")
    assert short.kind == found.kind


def test_coverage_grows_by_pairs_of_transitions() -> None:
    words = Words(seed=1, length=5)
    edges = [Edge("A", letter, "-", "A") for letter in "xyx"]
    assert words.learn(("x", "y", "x"), edges)
    assert not words.learn(("x", "y", "x"), edges)
    assert len(words.pairs) == 2


def test_the_seed_decides_the_words() -> None:
    first, again, other = (Words(seed, 8) for seed in (3, 3, 4))
    assert [first.next() for _ in range(20)] == [again.next() for _ in range(20)] != [other.next() for _ in range(20)]
    assert all(2 <= len(first.next()) <= 8 for _ in range(50))


def test_a_machine_may_be_a_side() -> None:
    rows = [{"CONNECT": ("SYN(fresh)", 1), "CLOSE": ("-!ERR", 0)}, {"CONNECT": ("-!ERR", 1), "CLOSE": ("-", 0)}]
    machine = Machine("kept", "two", ("CONNECT", "CLOSE"), ["CLOSED", "SYN-SENT"], rows)
    assert Sides(Engine(), Kept(machine)).run(("CONNECT", "CLOSE", "CLOSE")).difference is None
