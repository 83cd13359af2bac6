"""The report of a siege in the terminal."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from rich.padding import Padding
from rich.text import Text

from tulpen.breaker.table import STYLES
from tulpen.faults.fault import Outcome
from tulpen.show.label import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console, RenderableType

    from tulpen.breaker.siege.report import Service, SiegeReport, SiegeResult

_NAME: Final = 21
_OUTCOME: Final = 7
_SERVED: Final = 15


def show(report: SiegeReport, console: Console) -> None:
    """Print how the healthy client fared, and what the bad ones left behind."""
    for row in rows(report):
        console.print(row, soft_wrap=True)
    console.print()
    for each in summary(report):
        console.print(each)


def rows(report: SiegeReport) -> Iterator[Text]:
    """Give each bad client: the verdict, and the healthy client's share before, during and after."""
    head = f"{'bad clients':{_NAME}} {'outcome':{_OUTCOME}}"
    yield Text(head + "".join(f" {when:>{_SERVED}}" for when in ("before", "during", "after")), "bold")
    for result in report.results:
        row = Text(f"{result.choice.spelling:{_NAME}} ")
        leaks = bool(result.leaks) and result.outcome is Outcome.OK
        style = STYLES[Outcome.HANG if leaks else result.outcome]
        row.append(f"{'leaks' if leaks else result.outcome.value:{_OUTCOME}}", style)
        for service in (result.before, result.during, result.after):
            row.append(f" {served(service):>{_SERVED}}", "red" if service.answered < service.asked else "")
        yield row
        if result.says:
            yield Text(f"    {printable(result.says)}", STYLES[result.outcome])
        for leak in result.leaks:
            yield Text(f"    {leak.count} sockets in CLOSE-WAIT, never closed by {printable(leak.owner)}", "bold red")
        yield Text(f"    {opened(result)}; {left(result)}", "dim")


def served(service: Service) -> str:
    """Say how many of the healthy client's requests were answered, and how fast the typical one."""
    return f"{service.answered}/{service.asked} {service.median * 1000:.1f} ms"


def opened(result: SiegeResult) -> str:
    """Say how many connections the bad clients made."""
    return f"{result.opened} bad connections" if result.opened else "no bad clients"


def left(result: SiegeResult) -> str:
    """Say which sockets were left when all clients had gone."""
    return "left: " + (", ".join(f"{count} {state}" for state, count in result.left.items()) or "nothing")


def summary(report: SiegeReport) -> Iterator[RenderableType]:
    """Give what it comes to, and what to do about it."""
    counts = Counter(result.outcome for result in report.results)
    parts = [f"{counts[outcome]} {outcome.value}" for outcome in Outcome if counts[outcome]]
    leaking = sum(bool(result.leaks) for result in report.results)
    parts += [f"{leaking} with sockets that leak"] if leaking else []
    yield Text(f"{len(report.results)} sieges in {report.seconds:.1f} s: {', '.join(parts)}", style="bold")
    yield Text("Answered of asked by a healthy client, and its median time.", style="dim")
    for note in report.notes:
        yield Text(note, style="yellow")
    if report.found:
        yield Text()
        yield Text("What a good server would have done:")
        for result in report.found:
            client = result.choice.client
            words = Text(f"{result.choice.spelling}: ", style="bold red")
            words.append(client.good, style="not bold default")
            words.append(f"  {client.source}", style="not bold dim default")
            yield Padding(words, (0, 0, 0, 2))
