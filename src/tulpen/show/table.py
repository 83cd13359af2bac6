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
from typing import TYPE_CHECKING, Any, Final, Generic, TypeGuard, TypeVar

from rich import box
from rich.measure import Measurement
from rich.table import Table as RichTable
from rich.text import Text

from tulpen.show.label import printable
from tulpen.show.ladder import Standing
from tulpen.show.path import path_text
from tulpen.tcp.state import State

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult

Row = TypeVar("Row")


class Tone(Enum):
    """What a cell's colour says; the words say it too."""

    PLAIN = ""
    GOOD = "good"
    ODD = "odd"
    BAD = "bad"
    DIM = "dim"


STYLES: Final = {
    Tone.PLAIN: "", Tone.GOOD: "green", Tone.ODD: "yellow", Tone.BAD: "bold red", Tone.DIM: "dim",
}  # fmt: skip
PATH_LEAST: Final = 16  # columns


@dataclass(frozen=True, slots=True)
class Column(Generic[Row]):
    """One column: its JSON key, its title, and the value it takes from a row."""

    key: str
    title: str
    value: Callable[[Row], object]
    text: Callable[[Any], str] | None = None  # for people, from the value; None: the usual
    tone: Callable[[Row], Tone] | None = None
    link: Callable[[Row], str] | None = None  # on a page: where the cell leads
    right: bool = False  # aligned to the right, as numbers are
    least: int = 0  # columns of a terminal that it needs
    json_only: bool = False

    def words(self, row: Row) -> str:
        """Return the cell as text on one line."""
        value = self.value(row)
        return printable(self.text(value) if self.text is not None else told(value))


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

    def to_json(self) -> list[dict[str, object]]:
        """Return every row as an object of plain values."""
        return [{column.key: plain(column.value(row)) for column in self.columns} for row in self.rows]

    def to_rich(self) -> RichTable:
        """Return the table for a terminal: the same columns whatever the rows hold."""
        table = RichTable(
            title=printable(self.title) or None, caption=printable(self.caption) or None, box=box.SIMPLE_HEAD,
            title_justify="left", caption_justify="left", pad_edge=False, highlight=False,
        )  # fmt: skip
        for column in self.shown:
            least = column.least or len(column.title)
            table.add_column(
                column.title, justify="right" if column.right else "left", min_width=least, overflow="fold"
            )
        for row in self.rows:
            table.add_row(*(_cell(column, row) for column in self.shown))
        return table

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

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield self.to_rich()


def print_table(table: Table[Any], console: Console) -> None:
    """Print it; where nobody looks (a pipe, a file) no line is broken for want of width."""
    width = console.width
    if not console.is_terminal:
        console.width = max(
            width, Measurement.get(console, console.options.update(width=10_000), table.to_rich()).maximum
        )
    try:
        console.print(table)
    finally:
        console.width = width


def json_text(value: object) -> str:
    """Return ``value`` (a table, rows, whatever ``plain`` takes) as indented JSON."""
    return json.dumps(value.to_json() if isinstance(value, Table) else plain(value), indent=2, ensure_ascii=False)


def told(value: object) -> str:
    """Return a value as people read it: states in the RFC's spelling, nothing for None."""
    if value is None:
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
    if _is_path(value):
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


def _is_path(value: object) -> TypeGuard[tuple[State | Standing, ...]]:
    return isinstance(value, tuple) and bool(value) and all(isinstance(each, (State, Standing)) for each in value)


class PathCell:
    """A path of states in a cell: spelled out as far as the cell's width allows."""

    def __init__(self, path: Sequence[State | Standing], style: str = "") -> None:
        self.path = path
        self.style = style

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Text(path_text(self.path, options.max_width), style=self.style)

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        whole = len(path_text(self.path))
        return Measurement(min(whole, PATH_LEAST), whole).with_maximum(options.max_width)


def _cell(column: Column[Row], row: Row) -> Text | PathCell:
    style = STYLES[column.tone(row)] if column.tone is not None else ""
    value = column.value(row)
    if column.text is None and _is_path(value):
        return PathCell(value, style)
    return Text(column.words(row), style=style)


def _html_cell(column: Column[Row], row: Row) -> str:
    tone = column.tone(row).value if column.tone is not None else ""
    text = _safe(column.words(row))
    if column.link is not None:
        text = f'<a href="{escape(column.link(row))}">{text}</a>'
    return f"<td{_class(column.right and 'number', tone)}>{text}</td>"


def _class(*names: str | bool) -> str:
    given = " ".join(name for name in names if isinstance(name, str) and name)
    return f' class="{given}"' if given else ""


def _safe(words: str) -> str:
    return escape(printable(words))
