"""What was found, for people and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from tulpen.doctor.finding import Evidence, Finding, Fix, Severity
from tulpen.doctor.words import count, lasting
from tulpen.show.label import printable
from tulpen.show.table import plain

if TYPE_CHECKING:
    from rich.text import Text

    from tulpen.doctor.examine import Examination

_STYLES: Final = {Severity.CRITICAL: "bold red", Severity.WARNING: "yellow", Severity.NOTICE: "cyan"}

_TEXT: Final = 12  # the column after the name of a part


def as_dict(examination: Examination) -> dict[str, Any]:
    """Return everything as plain values."""
    return {
        "findings": [plain(finding) for finding in examination.findings],
        "missing": list(examination.missing),
        "namespaces": examination.places,
        "sockets": examination.sockets,
        "seconds": round(examination.seconds, 3),
    }


def lines(examination: Examination, width: int = 0) -> Iterator[Text]:
    """Yield the report, the worst first, in lines of at most ``width`` columns; 0: as long as they come."""
    for line, indent in _lines(examination):
        yield from _folded(line, indent, width)


def verdict(examination: Examination) -> str:
    """Return how many findings there are, and how much was looked at."""
    looked = (
        f"{count(examination.sockets, 'socket')} in {count(examination.places, 'network namespace')}, looked at for "
        f"{lasting(examination.seconds)}"
    )
    found = len(examination.findings)
    return f"{count(found, 'finding') if found else 'Nothing wrong was found'}: {looked}."


def _folded(line: Text, indent: int, width: int) -> Iterator[Text]:
    """Break a line between words; what follows stands under where its text began."""
    if not indent < width < line.cell_len:
        yield line
        return
    from rich.console import Console
    from rich.text import Text

    for number, part in enumerate(line[indent:].wrap(Console(width=width), width - indent)):
        yield Text.assemble(line[:indent] if number == 0 else " " * indent, part)


def _lines(examination: Examination) -> Iterator[tuple[Text, int]]:
    """Yield the lines with the column where their text begins."""
    from rich.text import Text

    for number, finding in enumerate(examination.findings, 1):
        yield from _finding(number, finding)
        yield Text(), 0
    yield Text(verdict(examination), style="bold" if examination.findings else "green"), 0
    for each in examination.missing:
        yield Text(f"Not seen: {each}.", style="dim"), len("Not seen: ")


def _finding(number: int, finding: Finding) -> Iterator[tuple[Text, int]]:
    from rich.text import Text

    where = f" [{finding.namespace}]" if finding.namespace else ""
    head = Text(f"{number}. ")
    head.append(f"{finding.severity.value}{where}: ", style=_STYLES[finding.severity])
    head.append(printable(finding.sentence), style="bold")
    yield head, 3
    for name, words in parts(finding):
        yield Text.assemble((f"   {name:9}", "dim"), printable(words)), _TEXT


def parts(finding: Finding) -> Iterator[tuple[str, str]]:
    """Yield the parts of a finding below its sentence: a name and the words."""
    for holder in finding.holders[:3]:
        fds = f", fd {', '.join(map(str, holder.fds))}" if holder.fds else ""
        yield "process", f"{holder}: {count(holder.sockets, 'socket')}{fds}"
    for each in finding.evidence:
        yield "evidence", _evidence(each)
    yield "since", finding.since
    for fix in finding.fixes:
        yield "fix", _fix(fix)
    yield "false if", finding.unless
    if finding.lab:
        yield "lab", f"tulpen lab {finding.lab} --on kernel"


def _evidence(each: Evidence) -> str:
    value = f"{each.value:,}" if isinstance(each.value, int | float) else each.value
    grew = "" if each.grew is None else f" ({each.grew:+,})"
    return f"{each.name} = {value}{grew}" + (f"  {each.note}" if each.note else "")


def _fix(fix: Fix) -> str:
    command = f": {fix.command}" if fix.command else ""
    return f"{fix.what}{command}" + (f"  (costs: {fix.cost})" if fix.cost else "")
