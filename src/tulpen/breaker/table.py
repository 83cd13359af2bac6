"""The report in the terminal."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from tulpen.breaker.junit import says
from tulpen.faults.fault import Outcome
from tulpen.show.label import printable
from tulpen.show.ladder import Side
from tulpen.show.ladder_text import LadderText
from tulpen.show.path import path_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console, RenderableType

    from tulpen.breaker.report import Report, Result

STYLES: Final = {
    Outcome.OK: "green",
    Outcome.ERROR: "yellow",
    Outcome.HANG: "bold red",
    Outcome.WRONG: "bold white on red",
}
_NAME: Final = 25
_OUTCOME: Final = 7
_TIME: Final = 8


def ladders(result: Result, heading: str) -> Iterator[RenderableType]:
    """Give the conversations of one result."""
    yield Text(heading, style="bold")
    for connection in result.connections:
        yield Text(connection.title, style="dim")
        yield LadderText(connection.ladder)
        yield Text()


def table(report: Report, width: int) -> Table:
    """Return one row a fault: what became of the program, what it said, and the states of both ends."""
    grid = Table(box=None, padding=(0, 2, 0, 0), header_style="bold", pad_edge=False)
    grid.add_column("fault", width=_NAME, no_wrap=True)
    grid.add_column("outcome", width=_OUTCOME, no_wrap=True)
    grid.add_column("time", width=_TIME, no_wrap=True, justify="right")
    room = max(30, width - _NAME - _OUTCOME - _TIME - 6)
    grid.add_column("what it said, and the states of both ends", width=room, overflow="fold")
    for result in report.results:
        grid.add_row(
            Text(result.choice.spelling),
            Text(result.outcome.value, style=STYLES[result.outcome]),
            f"{result.seconds:.2f} s",
            _detail(result, room),
        )
    return grid


def _detail(result: Result, room: int) -> Text:
    lines = Text()
    words = says(result)
    if words:
        lines.append(printable(words)[: 2 * room])
    if not result.met and result.choice.fault.requests > 1:
        _line(lines, "not met: it makes one request a connection", "dim italic")
    elif not result.met and result.choice.fault.name != "healthy":
        _line(lines, "not met", "dim italic")
    if result.connections:
        ladder = result.connections[0].ladder
        for side in Side:
            end = ladder.end(side)
            path = ladder.path(side)
            name = "kernel" if end.name.endswith("(Linux)") else "tulpen"
            _line(lines, f"{name} " + path_text(path, room - 7), "dim")
        if len(result.connections) > 1:
            _line(lines, f"and {len(result.connections) - 1} more connection(s)", "dim")
    else:
        _line(lines, "no connection", "dim")
    return lines


def _line(lines: Text, words: str, style: str) -> None:
    if lines:
        lines.append("\n")
    lines.append(words, style=style)


def summary(report: Report) -> Iterator[RenderableType]:
    """Give what it comes to, and what to do about it."""
    counts = Counter(result.outcome for result in report.results)
    parts = [f"{counts[outcome]} {outcome.value}" for outcome in Outcome if counts[outcome]]
    yield Text(f"{len(report.results)} faults in {report.seconds:.1f} s: {', '.join(parts)}", style="bold")
    for note in report.notes:
        yield Text(note, style="yellow")
    found = report.found
    if found:
        yield Text()
        yield Text("What a good program would have done:")
        for result in found:
            fault = result.choice.fault
            words = Text(f"{result.choice.spelling}: ", style=STYLES[result.outcome])
            words.append(fault.good, style="not bold default on default")
            words.append(f"  {fault.source}", style="not bold dim default on default")
            yield Padding(words, (0, 0, 0, 2))


def show(report: Report, console: Console) -> None:
    """Print the table and what it comes to."""
    console.print(table(report, console.width))
    console.print()
    for each in summary(report):
        console.print(each)
