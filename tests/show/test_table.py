"""One description, three forms: the terminal's, the page's and the JSON's."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from enum import Enum

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from tests.show.markup import check
from tulpen.show.ladder import Path, Standing
from tulpen.show.table import Column, Table, Tone, json_text, plain, told
from tulpen.show.table_text import TableText, print_table
from tulpen.tcp.state import State


@dataclass
class Row:
    name: str
    seconds: float
    states: Path
    words: str = ""


OPENING = (Standing(State.CLOSED), Standing(State.SYN_SENT), Standing(State.ESTABLISHED, inferred=True))
CLOSING = (*OPENING, Standing(State.FIN_WAIT_1), Standing(State.FIN_WAIT_2), Standing(State.TIME_WAIT))
ROWS = [
    Row("healthy", 0.012, CLOSING),
    Row("syn-never-answered", 10.0, OPENING[:2], "timed out after a while that was rather long"),
]


def table(rows: list[Row] | None = None) -> Table[Row]:
    return Table(
        (
            Column("name", "Fault", lambda row: row.name, link=lambda row: f"#{row.name}"),
            Column("seconds", "Time", lambda row: row.seconds, text=lambda s: f"{s:.1f} s", right=True,
                   tone=lambda row: Tone.BAD if row.seconds > 5 else Tone.GOOD),
            Column("states", "States", lambda row: row.states, least=20, under=True),
            Column("words", "Last words", lambda row: row.words, least=12),
            Column("secret", "", lambda row: len(row.words), json_only=True),
        ),
        ROWS if rows is None else rows,
    )  # fmt: skip


def drawn(width: int, rows: list[Row] | None = None) -> list[str]:
    out = io.StringIO()
    Console(file=out, width=width, force_terminal=True, color_system=None).print(TableText(table(rows)))
    return out.getvalue().splitlines()


def test_where_there_is_room() -> None:
    assert drawn(160) == [
        "Fault                 Time  States                                                         Last words",
        "healthy              0.0 s  SYN-SENT > ESTABLISHED? > FIN-WAIT-1 > FIN-WAIT-2 > TIME-WAIT",
        "syn-never-answered  10.0 s  SYN-SENT                                                       "
        "timed out after a while that was rather long",
    ]


def test_where_there_is_less_cells_get_shorter() -> None:
    assert drawn(80) == [
        "Fault                 Time  States                               Last words",
        "healthy              0.0 s  SYN-S > EST? > FW-1 > FW-2 > TIME-W",
        "syn-never-answered  10.0 s  SYN-SENT                             timed out af...",
    ]


def test_where_there_is_little_the_path_goes_under_its_row() -> None:
    assert drawn(50) == [
        "Fault                 Time  Last words",
        "healthy              0.0 s",
        "    SYN-S > EST? > FW-1 > FW-2 > TIME-W",
        "syn-never-answered  10.0 s  timed out after a w...",
        "    SYN-SENT",
    ]


def test_in_a_pipe_every_row_is_one_line_and_whole() -> None:
    out = io.StringIO()
    print_table(table(), Console(file=out, width=40))
    lines = out.getvalue().splitlines()
    assert len(lines) == 3
    assert lines[2].endswith("timed out after a while that was rather long")


def test_the_columns_do_not_depend_on_the_rows() -> None:
    assert drawn(120, [])[0].split() == drawn(120)[0].split()


def test_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    def coloured() -> str:
        out = io.StringIO()
        Console(file=out, width=120, force_terminal=True, color_system="standard").print(TableText(table()))
        return out.getvalue()

    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[1;31m" in coloured()
    monkeypatch.setenv("NO_COLOR", "1")
    assert "31m" not in coloured()


def test_json_is_the_same_rows() -> None:
    rows = json.loads(json_text(table()))
    assert rows[0] == {
        "name": "healthy", "seconds": 0.012,
        "states": ["CLOSED", "SYN-SENT", "ESTABLISHED?", "FIN-WAIT-1", "FIN-WAIT-2", "TIME-WAIT"],
        "words": "", "secret": 0,
    }  # fmt: skip
    assert list(rows[0]) == ["name", "seconds", "states", "words", "secret"]


def test_html() -> None:
    html = table().to_html()
    check(html)
    assert '<a href="#healthy">healthy</a>' in html
    assert '<td class="number bad">10.0 s</td>' in html
    assert "secret" not in html


def test_json_of_what_was_no_utf8() -> None:
    text = json_text([b"\xff".decode("utf-8", "surrogateescape"), "§"])
    assert json.loads(text.encode()) == ["\udcff", "§"]


class Kind(Enum):
    ONE = "one"


def test_values_for_people() -> None:
    assert [told(v) for v in (None, True, 1234567, 0.5, State.FIN_WAIT_1, Kind.ONE, "x", CLOSING[:2], ())] == [
        "", "yes", "1,234,567", "0.500", "FIN-WAIT-1", "one", "x", "SYN-SENT", "",
    ]  # fmt: skip


def test_values_for_programs() -> None:
    assert plain({"a": (State.CLOSED, Standing(), Kind.ONE, 1, 0.5, None, float("nan"))}) == {
        "a": ["CLOSED", None, "one", 1, 0.5, None, None]
    }
    assert plain(Row("a", 1.0, ())) == {"name": "a", "seconds": 1.0, "states": [], "words": ""}
    assert plain(object).startswith("<class")


words = st.text(max_size=40)
rows = st.lists(
    st.builds(
        Row, words, st.floats(0, 1e6),
        st.lists(st.builds(Standing, st.sampled_from(State), st.booleans()), max_size=8).map(tuple), words,
    ),
    max_size=5,
)  # fmt: skip


@given(rows, st.integers(1, 200))
def test_whatever_the_rows_hold(given_rows: list[Row], width: int) -> None:
    made = table(given_rows)
    check(made.to_html())
    assert len(json.loads(json_text(made))) == len(given_rows)
    for line in drawn(max(width, 20), given_rows):
        assert line.isprintable()
