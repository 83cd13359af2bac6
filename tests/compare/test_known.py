"""The table of known differences: every row is needed, and its word shows it on the machines that were learnt."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import pytest

from tulpen.compare.known import Known, explain, known
from tulpen.compare.sides import Difference, Said
from tulpen.errors import TulpenError
from tulpen.learn.alphabet import LETTERS
from tulpen.learn.engine import Engine
from tulpen.learn.machine import loads
from tulpen.tcp.state import State

ROWS = known()


KEPT = loads(resources.files("tulpen.learn").joinpath("linux-wide.json").read_text(encoding="utf-8"), "linux-wide.json")


def test_the_rows_are_well_formed() -> None:
    assert len({row.id for row in ROWS}) == len(ROWS)
    for row in ROWS:
        assert row.why, row.id
        assert row.rule, row.id
        assert any(row.before.fullmatch(state.title) for state in State), row.id
        assert any(row.letter.fullmatch(letter) for letter in LETTERS), row.id


@pytest.mark.parametrize(
    "row", [row for row in ROWS if set(row.word.split()) <= set(KEPT.letters)], ids=lambda row: row.id
)
def test_the_word_of_a_row_ends_in_its_difference(row: Known) -> None:
    """On the Linux that was kept; the words with other letters are put to Linux itself."""
    word = row.word.split()
    engine = Engine()
    heard = [Said(engine.step(letter), engine.state()) for letter in word]
    says = [Said(*each) for each in KEPT.run(word)]
    assert heard[:-1] == says[:-1]
    if heard == says:
        pytest.skip("tulpen and Linux agree here by now: the row may go")
    before = heard[-2].state if len(heard) > 1 else "CLOSED"
    assert explain(Difference(tuple(word), before, heard[-1], says[-1]), ROWS) is row


def test_what_no_row_describes_is_new() -> None:
    agreed, reset = Said("-", "ESTABLISHED"), Said("RST(nxt)", "CLOSED")
    assert explain(Difference(("ACK",), "ESTABLISHED", agreed, reset), ROWS) is None


@pytest.mark.parametrize("text", ["", "a,b\n", "id,before,letter,tulpen,linux,rule,why,word\nx,(,,,,r,w,w\n"])
def test_a_file_that_is_no_table(tmp_path: Path, text: str) -> None:
    path = tmp_path / "known.csv"
    path.write_text(text)
    with pytest.raises(TulpenError, match=r"known\.csv"):
        known(path)
