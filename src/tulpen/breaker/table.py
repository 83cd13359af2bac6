"""The report in the terminal."""

from __future__ import annotations

from collections import Counter
from textwrap import wrap
from typing import TYPE_CHECKING, Final

from rich.padding import Padding
from rich.text import Text

from tulpen.breaker.judge import says
from tulpen.faults.catalogue import CONTROL
from tulpen.faults.fault import Outcome
from tulpen.show.label import printable
from tulpen.show.ladder import Side
from tulpen.show.ladder_text import LadderText
from tulpen.show.path import path_text
from tulpen.tcp.state import CLOSED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console, RenderableType

    from tulpen.breaker.report import Report, Result
    from tulpen.show.ladder import Path

STYLES: Final = {
    Outcome.OK: "green",
    Outcome.ERROR: "yellow",
    Outcome.HANG: "bold red",
    Outcome.WRONG: "bold white on red",
}
_NAME: Final = 25
_OUTCOME: Final = 7
_TIME: Final = 8


def conversations(result: Result) -> Iterator[RenderableType]:
    """Give what passed between both ends, as ladders."""
    fault = result.choice.fault
    heading = Text(result.choice.spelling, style="bold")
    heading.append(f"  {fault.says(result.choice.values)}", style="not bold")
    yield heading
    for connection in result.connections:
        yield Text(connection.title, style="dim")
        yield LadderText(connection.ladder)
        yield Text()


def rows(report: Report, width: int) -> Iterator[Text]:
    """Give each fault: what became of the program and what it said, and below it the states of both ends."""
    yield Text(
        f"{'fault':{_NAME}} {'outcome':{_OUTCOME}} {'time':>{_TIME}}  what it said, and both ends' states", "bold"
    )
    for result in report.results:
        yield from _row(result, width)


def _row(result: Result, width: int) -> Iterator[Text]:
    room = width - _NAME - _OUTCOME - _TIME - 4
    said = wrap(printable(says(result)), room, max_lines=2, placeholder=" ...") or [""]
    row = Text(f"{result.choice.spelling:{_NAME}} ")
    row.append(f"{result.outcome.value:{_OUTCOME}}", STYLES[result.outcome])
    row.append(f" {result.seconds:>{_TIME - 2}.2f} s  {said[0]}")
    yield row
    for more in said[1:]:
        yield Text(" " * (width - room) + more)
    if not result.met and result.choice.fault is not CONTROL:
        yield Text("    it never met this fault: one request a connection" if result.choice.fault.requests > 1
                   else "    it never met this fault", "dim italic")  # fmt: skip
    yield from _ends(result, width)


def _ends(result: Result, width: int) -> Iterator[Text]:
    """Give the states of both ends of the first connection."""
    if not result.connections:
        yield Text("    no connection", "dim")
        return
    ladder = result.connections[0].ladder
    for side in Side:
        end, path = ladder.end(side), _life(ladder.path(side))
        name = "kernel" if end.name.endswith("(Linux)") else "tulpen"
        known = any(standing.state is not None for standing in path)
        words = path_text(path, width - 12) if known else "(nothing reached it)"
        more = len(result.connections) - 1 if side is Side.LEFT else 0
        yield Text(f"    {name}  {words}" + (f"  (+{more} connections)" if more else ""), "dim", no_wrap=True)


def _life(path: Path) -> Path:
    """Leave CLOSED out where it only means that there was no connection yet."""
    return path[1:] if len(path) > 1 and path[0].state is CLOSED else path


def summary(report: Report) -> Iterator[RenderableType]:
    """Give what it comes to, and what to do about it."""
    counts = Counter(result.outcome for result in report.results)
    parts = [f"{counts[outcome]} {outcome.value}" for outcome in Outcome if counts[outcome]]
    yield Text(f"{_count(report)} in {report.seconds:.1f} s: {', '.join(parts)}", style="bold")
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


def _count(report: Report) -> str:
    faults = sum(result.choice.fault is not CONTROL for result in report.results)
    words = f"{faults} fault{'s' * (faults != 1)}"
    return words if faults == len(report.results) else f"{words} and the control"


def show(report: Report, console: Console) -> None:
    """Print the table and what it comes to."""
    for row in rows(report, console.width):
        console.print(row)
    console.print()
    for each in summary(report):
        console.print(each)
