"""An account in the terminal: the story as it happens, then what agrees with what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.text import Text

from tulpen.lab.incident import Claimed, Drawn, Event, Looked, Measured, Plotted, Said
from tulpen.show.label import seconds
from tulpen.show.table import Column, Table, Tone, told

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from tulpen.lab.incident import Account
    from tulpen.lab.run import Agreement

_HELD: Final = ("holds", "green")
_FAILED: Final = ("FAILS", "bold red")


def tell(console: Console, event: Event) -> None:
    """Print one event of a story."""
    if isinstance(event, Said):
        console.print(Text.assemble((f"{seconds(event.now)} s  ", "dim"), event.words))
    elif isinstance(event, Looked):
        console.print(Text.assemble(("    $ " + event.command, "bold"), "\n", (_indented(event.answer), "dim")))
    elif isinstance(event, Claimed):
        word, style = _HELD if event.held else _FAILED
        seen = f" ({event.seen})" if event.seen else ""
        console.print(Text.assemble((word, style), f"  {event.sentence}{seen}"))
    elif isinstance(event, Drawn):
        console.print()
        console.print(event.ladder)
    elif isinstance(event, Measured):
        console.print()
        console.print(table_of(event))
    elif isinstance(event, Plotted):
        console.print(Text(f"(a plot of {event.y} over {event.x}: --html draws it)", "dim"))


def table_of(event: Measured) -> Table[tuple[object, ...]]:
    """Return figures as a table."""
    columns: list[Column[tuple[object, ...]]] = [
        Column(
            title.lower().replace(" ", "_"),
            title,
            lambda row, at=at: row[at],  # type: ignore[misc]
            right=all(isinstance(row[at], (int, float)) for row in event.rows),
        )
        for at, title in enumerate(event.columns)
    ]
    return Table(columns, event.rows, caption=event.title)


def agreements(accounts: Sequence[Account], rows: Sequence[Agreement]) -> Table[Agreement]:
    """Return the table that lays the backends side by side."""
    columns: list[Column[Agreement]] = [Column("fact", "what", lambda row: row.fact, least=26), _VERDICT]
    for at, account in enumerate(accounts):
        columns.append(
            Column(
                account.backend.value,
                account.backend.value,
                lambda row, at=at: row.values[at],  # type: ignore[misc]
                text=_value,
                least=10,
            )
        )
    return Table(columns, rows, caption="What each backend says")


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "holds" if value else "FAILS"
    if isinstance(value, tuple):
        return " ".join(map(told, value))
    return told(value)


def _verdict(row: Agreement) -> str:
    return "agree" if row.agree else f"differ: {row.why}" if row.why else "DIFFER"


def _tone(row: Agreement) -> Tone:
    return Tone.GOOD if row.agree else Tone.ODD if row.why else Tone.BAD


def _indented(text: str) -> str:
    return "\n".join("    " + line for line in text.splitlines())


_VERDICT: Final[Column[Agreement]] = Column("agree", "", _verdict, tone=_tone, least=6)
