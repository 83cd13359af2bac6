"""A table in the terminal: always the same columns in the same order, whatever the rows hold.

Where it is too wide, first the columns that can be shorter are, then those that may
stand under their row do.  In a pipe or a file nothing is shortened and every row is one
line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from rich.text import Text

from tulpen.show.label import ascii_text
from tulpen.show.table import Column, Table, Tone

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rich.console import Console, ConsoleOptions, RenderResult

GAP: Final = 2  # columns between two
INDENT: Final = 4  # of what stands under its row
STYLES: Final[dict[Tone, str]] = {
    Tone.PLAIN: "",
    Tone.GOOD: "green",
    Tone.ODD: "yellow",
    Tone.BAD: "bold red",
    Tone.DIM: "dim",
}


class TableText:
    """A renderable of rich: ``console.print(TableText(table))``."""

    def __init__(self, table: Table[Any], *, width: int | None = None) -> None:
        self.table = table
        self.width = width  # None: the console's; 0: as wide as it is

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = options.max_width if self.width is None else self.width
        for line in _lines(self.table, width):
            line.no_wrap = True
            line.overflow = "ignore"
            if options.ascii_only:
                line.plain = ascii_text(line.plain)
            yield line


def print_table(table: Table[Any], console: Console) -> None:
    """Print it; where nobody looks (a pipe, a file) no line is broken or cut for want of width."""
    if console.is_terminal:
        console.print(TableText(table))
        return
    console.print(TableText(table, width=0), crop=False)


def _lines(table: Table[Any], width: int) -> Iterator[Text]:
    if table.title:
        yield Text(table.title, style="bold")
    inline, under, widths = _layout(table, width)
    yield _row([(column.title, "bold") for column in inline], inline, widths)
    for row in table.rows:
        cells = [(column.words(row, size), _style(column, row)) for column, size in zip(inline, widths, strict=True)]
        yield _row(cells, inline, widths)
        for column in under:
            words = column.words(row, max(width - INDENT, 1))
            if words:
                yield Text(" " * INDENT + words, style=_style(column, row) or "dim")
    if table.caption:
        yield Text(table.caption, style="dim")


def _row(cells: Sequence[tuple[str, str]], columns: Sequence[Column[Any]], widths: Sequence[int]) -> Text:
    line = Text()
    for i, ((words, style), column, width) in enumerate(zip(cells, columns, widths, strict=True)):
        if i:
            line.append(" " * GAP)
        line.append(words.rjust(width) if column.right else words.ljust(width), style=style)
    line.rstrip()
    return line


def _style(column: Column[Any], row: object) -> str:
    return STYLES[column.tone(row)] if column.tone is not None else ""


def _layout(table: Table[Any], width: int) -> tuple[list[Column[Any]], list[Column[Any]], list[int]]:
    """Return the columns that stand in the row, those under it, and the widths of the former."""
    columns = table.shown
    natural = {
        column.key: max([len(column.title), *(len(column.words(row)) for row in table.rows)]) for column in columns
    }
    if not width or _total(natural[column.key] for column in columns) <= width:
        return columns, [], [natural[column.key] for column in columns]
    inline, under = columns, []
    if _total(_least(column, natural) for column in columns) > width:
        inline = [column for column in columns if not column.under]
        under = [column for column in columns if column.under]
    sizes = {column.key: _least(column, natural) for column in inline}
    spare = max(0, width - _total(sizes.values()))
    for column in inline:  # the first to come takes what it can use
        offered = min(sizes[column.key] + spare, natural[column.key])
        used = max([len(column.title), *(len(column.words(row, offered)) for row in table.rows)])
        spare -= used - sizes[column.key]
        sizes[column.key] = used
    return inline, under, [sizes[column.key] for column in inline]


def _least(column: Column[Any], natural: dict[str, int]) -> int:
    whole = natural[column.key]
    return whole if column.least is None else min(whole, max(column.least, len(column.title)))


def _total(widths: Iterable[int]) -> int:
    given = list(widths)
    return sum(given) + GAP * (len(given) - 1)
