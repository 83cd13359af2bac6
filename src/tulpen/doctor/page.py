"""An examination as one page that needs nothing else; with a capture, the ladders of the connections it speaks of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tulpen.capture.page import anchor, connections, read_drawn
from tulpen.capture.tables import endpoint
from tulpen.doctor.finding import Severity
from tulpen.doctor.report import parts, verdict
from tulpen.show.report import Facts, Link, Prose, Report, Section, page
from tulpen.show.table import Tone

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from tulpen.capture.reading import Reading
    from tulpen.doctor.examine import Examination
    from tulpen.doctor.finding import Finding

MOST: Final = 5  # ladders that a finding leads to
_TONES: Final = {Severity.CRITICAL: Tone.BAD, Severity.WARNING: Tone.ODD, Severity.NOTICE: Tone.PLAIN}


def examination_page(examination: Examination, capture: Path | None = None) -> str:
    """Return the page; ``capture``: what passed meanwhile."""
    captured: list[Section] = []
    reading, ladders = (None, {}) if capture is None else read_drawn(capture)
    if reading is not None:
        captured = connections(reading, ladders, "What passed meanwhile")
    sections = [
        Section(
            finding.sentence,
            [Facts([*parts(finding), *_ladders(finding, reading, ladders)])],
            verdict=finding.severity.value + (f" in {finding.namespace}" if finding.namespace else ""),
            tone=_TONES[finding.severity],
        )
        for finding in examination.findings
    ]
    if examination.missing:
        sections.append(Section("Not seen", [Prose("\n\n".join(f"{each}." for each in examination.missing))]))
    return page(Report("tulpen doctor", verdict(examination), [*sections, *captured]))


def _ladders(finding: Finding, reading: Reading | None, drawn: Collection[int]) -> list[tuple[str, Link]]:
    """Return links to the ladders of the connections with the listener or destination that a finding names."""
    if reading is None:
        return []
    named = finding.listener or finding.destination
    rows = [row for row in reading if row.number in drawn and _is_named(named, row.server, row.server_port)]
    rows.sort(key=lambda row: ({"bad": 0, "odd": 1}.get(row.worst, 2), row.number))
    return [
        ("ladder", Link(f"#{row.number} of {endpoint(row.client, row.client_port)}: {row.ended}", anchor(row.number)))
        for row in rows[:MOST]
    ]


def _is_named(named: str, address: str, port: int) -> bool:
    host, _, number = named.rpartition(":")
    wild = host in ("*", "0.0.0.0", "[::]")
    return endpoint(address, port) == named or (wild and number == str(port))
