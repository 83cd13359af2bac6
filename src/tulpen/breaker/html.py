"""The report as one page that needs nothing else."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING

from tulpen.faults.catalogue import CONTROL
from tulpen.show.fault_story import FaultStory, fault_report
from tulpen.show.ladder import Side
from tulpen.show.report import page

if TYPE_CHECKING:
    from pathlib import Path

    from tulpen.breaker.report import Report, Result


def as_page(report: Report, beside: Path) -> str:
    """Return the page's HTML; captures are linked as seen from the file ``beside``."""
    facts = [
        ("Kernel", report.kernel),
        ("tulpen", report.version),
        ("Private network on", report.device),
        ("Server behind", report.upstream),
        ("Started", report.started),
        ("Took", f"{report.seconds:.1f} s"),
        ("Deadline", f"{report.deadline:g} s"),
        ("Seed", str(report.seed)),
        *(("Note", note) for note in report.notes),
    ]
    stories = [_story(result, beside) for result in report.results]
    known = [(name, value) for name, value in facts if value]
    return page(fault_report(stories, program=report.program, command=shlex.join(report.command), facts=known))


def _story(result: Result, beside: Path) -> FaultStory:
    fault = result.choice.fault
    first = result.connections[0].ladder if result.connections else None
    notes = list(result.notes)
    if not result.met and fault is not CONTROL:
        notes.append("The program never met this fault.")
    return FaultStory(
        fault=result.choice.spelling,
        summary=fault.says(result.choice.values),
        outcome=result.outcome.value,
        seconds=result.seconds,
        fine=result.acceptable,
        control=fault is CONTROL,
        status=result.status,
        last_words=result.last_words,
        good=fault.good,
        source=fault.source,
        client=first.path(Side.LEFT) if first else (),
        server=first.path(Side.RIGHT) if first else (),
        ladders=[each.ladder for each in result.connections],
        outputs=[("standard error", result.stderr.text)] if result.stderr and result.stderr.size else [],
        notes=notes,
        pcap=os.path.relpath(result.pcap, beside.resolve().parent) if result.pcap else "",
    )
