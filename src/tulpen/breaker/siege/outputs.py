"""The report of a siege as JSON, JUnit, a page and a pinned test."""

from __future__ import annotations

import json
import os
import shlex
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from tulpen.breaker.junit import Case, suite
from tulpen.breaker.pin import pinned
from tulpen.breaker.siege.table import left, opened, served
from tulpen.show import report as pages
from tulpen.show.table import Column, Table, Tone

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tulpen.breaker.siege.report import Service, SiegeReport, SiegeResult

FORMAT: Final = 1


def as_json(report: SiegeReport) -> str:
    """Return the report as one JSON object."""
    value = {
        "format": FORMAT,
        "tulpen": report.version,
        "kernel": report.kernel,
        "device": report.device,
        "started": report.started,
        "command": list(report.command),
        "port": report.port,
        "family": report.family,
        "seed": report.seed,
        "seconds": round(report.seconds, 3),
        "notes": report.notes,
        "results": [_result(each) for each in report.results],
        "found": [each.choice.spelling for each in report.found],
    }
    return json.dumps(value, indent=2, ensure_ascii=False)


def _result(result: SiegeResult) -> dict[str, Any]:
    client = result.choice.client
    return {
        "client": client.name,
        "spelling": result.choice.spelling,
        "parameters": result.choice.values,
        "summary": client.says(result.choice.values),
        "good_server": client.good,
        "source": client.source,
        "outcome": result.outcome.value,
        "verdict": verdict(result),
        "says": result.says,
        "found": result.found,
        "opened": result.opened,
        "before": _service(result.before),
        "during": _service(result.during),
        "after": _service(result.after),
        "left": result.left,
        "leaks": [asdict(leak) for leak in result.leaks],
        "status": result.status,
        "last_words": result.last_words,
        "seconds": round(result.seconds, 3),
        "pcap": str(result.pcap) if result.pcap else None,
    }


def _service(service: Service) -> dict[str, Any]:
    return {name: round(value, 6) if isinstance(value, float) else value for name, value in asdict(service).items()}


def verdict(result: SiegeResult) -> str:
    """Return the outcome, and whether sockets leak: what a pinned test holds on to."""
    return f"{result.outcome.value}, leaks" if result.leaks else result.outcome.value


def as_junit(report: SiegeReport) -> str:
    """Return the report as JUnit's XML."""
    cases = []
    for result in report.results:
        client = result.choice.client
        failure = None
        if result.found:
            words = f"{client.says(result.choice.values)}\nA good server: {client.good} ({client.source})"
            failure = (result.outcome.value, "; ".join(_findings(result)), words)
        stderr = result.stderr.text if result.stderr else ""
        cases.append(Case(f"tulpen.siege.{report.program}", result.choice.spelling, result.seconds, failure, stderr))
    properties = {
        "command": shlex.join(report.command),
        "tulpen": report.version,
        "kernel": report.kernel,
        "seed": str(report.seed),
    }
    return suite("tulpen break --server", cases, properties, report.started, report.seconds)


def _findings(result: SiegeResult) -> list[str]:
    leaks = [f"{leak.count} sockets in CLOSE-WAIT, never closed by {leak.owner}" for leak in result.leaks]
    return [*([result.says] if result.says else []), *leaks]


def as_test(report: SiegeReport, arguments: Sequence[str], command: Sequence[str]) -> str:
    """Return a pytest test that repeats the siege."""
    seen = {result.choice.spelling: verdict(result) for result in report.results}
    return pinned(report, arguments, command, seen, key="verdict")


def as_page(report: SiegeReport, beside: Path) -> str:
    """Return the report as one page; captures are linked as seen from the file ``beside``."""
    facts = [
        ("Command", f"`{shlex.join(report.command)}`"),
        ("Port", str(report.port)),
        ("Kernel", report.kernel),
        ("tulpen", report.version),
        ("Private network on", report.device),
        ("Started", report.started),
        ("Took", f"{report.seconds:.1f} s"),
        ("Seed", str(report.seed)),
    ]
    found = ", ".join(result.choice.spelling for result in report.found)
    page = pages.Report(
        title=f"What does {report.program} do when its clients misbehave?",
        lead=f"Something was found under {found}." if found else "It served its healthy client all the while.",
        facts=facts,
        sections=[
            pages.Section("All bad clients", [_table(report)], listed=False),
            *(_section(result, beside) for result in report.results),
        ],
    )
    return pages.page(page)


def _tone(result: SiegeResult) -> Tone:
    return Tone.BAD if result.found else Tone.GOOD


def _table(report: SiegeReport) -> Table[SiegeResult]:
    return Table(
        (
            Column("client", "Bad clients", lambda result: result.choice.spelling),
            Column("verdict", "Outcome", verdict, tone=_tone),
            Column("before", "Before", lambda result: served(result.before), right=True),
            Column("during", "During", lambda result: served(result.during), right=True),
            Column("after", "After", lambda result: served(result.after), right=True),
            Column("left", "Left behind", left),
        ),
        report.results,
        caption="Answered of asked by a healthy client, and its median time.",
    )


def _section(result: SiegeResult, beside: Path) -> pages.Section:
    client = result.choice.client
    facts: list[tuple[str, str | pages.Link]] = [
        ("What they do", client.says(result.choice.values)),
        ("A good server", client.good),
        ("Source", client.source),
        ("They made", opened(result)),
        ("Afterwards", left(result)),
    ]
    for name, service in (("Before", result.before), ("During", result.during), ("After", result.after)):
        facts.append((name, f"{served(service)}, at worst {service.worst * 1000:.1f} ms"))
    if result.pcap is not None:
        name = os.path.relpath(result.pcap, beside.resolve().parent)
        facts.append(("Capture", pages.Link(name, name)))
    blocks: list[pages.Block] = [pages.Facts(facts), *(pages.Prose(words) for words in _findings(result))]
    if result.stderr is not None and result.stderr.size:
        blocks.append(pages.Folded("Its standard error", [pages.Output(result.stderr.text, "standard error")]))
    return pages.Section(result.choice.spelling, blocks, verdict=verdict(result), tone=_tone(result))
