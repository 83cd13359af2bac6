"""Tables: one description of the columns gives the terminal's, the page's and the JSON's.

A column says how a row's value is got, and how it is told to people.  JSON carries the
value itself, under the column's key, so that ``--json`` never says less than the table.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from enum import Enum
from html import escape
from typing import TYPE_CHECKING, Any, Generic, TypeGuard, TypeVar

from tulpen.show.label import printable
from tulpen.show.ladder import Standing
from tulpen.show.path import path_html, path_text
from tulpen.tcp.state import State

if TYPE_CHECKING:
    from tulpen.show.table_text import TableText

Row = TypeVar("Row")


class Tone(Enum):
    """What a cell's colour says; the words say it too."""

    PLAIN = ""
    GOOD = "good"
    ODD = "odd"
    BAD = "bad"
    DIM = "dim"


@dataclass(frozen=True, slots=True)
class Column(Generic[Row]):
    """One column: its JSON key, its title, and the value it takes from a row."""

    key: str
    title: str
    value: Callable[[Row], object]
    text: Callable[[Any], str] | None = None  # for people, from the value; None: the usual
    tone: Callable[[Row], Tone] | None = None
    link: Callable[[Row], str] | None = None  # on a page: where the cell leads; "": nowhere
    right: bool = False  # aligned to the right, as numbers are
    least: int | None = None  # columns of a terminal that it can do with; None: it is never cut
    under: bool = False  # in a narrow terminal, on a line of its own under the row
    json_only: bool = False

    def words(self, row: Row, width: int | None = None) -> str:
        """Return the cell as text on one line, in ``width`` columns where they are given."""
        value = self.value(row)
        if self.text is None and is_path(value):
            return path_text(value, width)
        text = printable(self.text(value) if self.text is not None else told(value))
        return text if width is None or len(text) <= width else text[: max(width - 3, 0)] + "..."


@dataclass(slots=True)
class Table(Generic[Row]):
    """Columns and rows."""

    columns: Sequence[Column[Row]]
    rows: Sequence[Row]
    title: str = ""
    caption: str = field(default="", kw_only=True)

    @property
    def shown(self) -> list[Column[Row]]:
        """The columns people see."""
        return [column for column in self.columns if not column.json_only]

    def __rich__(self) -> TableText:
        """Draw it where rich prints it."""
        from tulpen.show.table_text import TableText

        return TableText(self)

    def to_json(self) -> list[dict[str, object]]:
        """Return every row as an object of plain values."""
        return [{column.key: plain(column.value(row)) for column in self.columns} for row in self.rows]

    def to_html(self) -> str:
        """Return a ``<table>`` in a region that scrolls sideways by itself."""
        name = escape(printable(self.title or self.caption or "Table"))
        head = "".join(
            f'<th scope="col"{_class(column.right and "number")}>{_safe(column.title)}</th>' for column in self.shown
        )
        body = "".join(f"<tr>{''.join(_html_cell(column, row) for column in self.shown)}</tr>" for row in self.rows)
        caption = f"<caption>{_safe(self.caption)}</caption>" if self.caption else ""
        return (
            f'<div class="scroll" role="region" aria-label="{name}" tabindex="0"><table>{caption}'
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
        )


def json_text(value: object) -> str:
    """Return ``value`` (a table, rows, whatever ``plain`` takes) as indented JSON that UTF-8 can carry."""
    rows = value.to_json() if isinstance(value, Table) else plain(value)
    text = json.dumps(rows, indent=2, ensure_ascii=False)
    return text.encode("utf-8", "backslashreplace").decode("utf-8")  # lone surrogates, as JSON escapes them


def told(value: object) -> str:
    """Return a value as people read it: states in the RFC's spelling, nothing for None."""
    if value is None or value == ():
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (State, Standing)):
        return value.title
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, float):
        return f"{value:,.3f}"
    if isinstance(value, int):
        return f"{value:,}"
    if is_path(value):
        return path_text(value)
    return str(value)


def plain(value: object) -> Any:
    """Return a value as JSON has it: states by their RFC names (``?`` after an inferred one), unknown as null."""
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, State):
        return value.title
    if isinstance(value, Standing):
        return None if value.state is None else value.title
    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, float):
        return value if value == value and abs(value) != float("inf") else None  # noqa: PLR0124 (not a number)
    if isinstance(value, int):
        return value
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, (Sequence, set, frozenset)) and not isinstance(value, (bytes, bytearray, memoryview)):
        return [plain(each) for each in value]
    return str(value)


def is_path(value: object) -> TypeGuard[tuple[State | Standing, ...]]:
    """Say whether a value is a path of states."""
    return isinstance(value, tuple) and bool(value) and all(isinstance(each, (State, Standing)) for each in value)


def _html_cell(column: Column[Row], row: Row) -> str:
    tone = column.tone(row).value if column.tone is not None else ""
    value = column.value(row)
    if column.text is None and is_path(value):
        return f'<td class="path">{path_html(value)}</td>'
    text = _safe(column.words(row))
    href = "" if column.link is None else column.link(row)
    if href:
        text = f'<a href="{escape(href)}">{text}</a>'
    return f"<td{_class(column.right and 'number', tone)}>{text}</td>"


def _class(*names: str | bool) -> str:
    given = " ".join(name for name in names if isinstance(name, str) and name)
    return f' class="{given}"' if given else ""


def _safe(words: str) -> str:
    return escape(printable(words))
