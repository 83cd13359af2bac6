"""The report as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from tulpen.show.ladder import Side

if TYPE_CHECKING:
    from tulpen.breaker.report import Connection, Report, Result
    from tulpen.link.command import Output

FORMAT: Final = 1
STDERR: Final = 4000  # characters of it that are kept, from its end


def as_json(report: Report) -> str:
    """Return the report as one JSON object."""
    return json.dumps(as_object(report), indent=2, ensure_ascii=False)


def as_object(report: Report) -> dict[str, Any]:
    """Return the report as JSON's types."""
    return {
        "format": FORMAT,
        "tulpen": report.version,
        "kernel": report.kernel,
        "device": report.device,
        "started": report.started,
        "command": list(report.command),
        "upstream": report.upstream or None,
        "family": report.family,
        "seed": report.seed,
        "deadline": report.deadline,
        "seconds": round(report.seconds, 3),
        "notes": report.notes,
        "control": _result(report.control) if report.control else None,
        "results": [_result(each) for each in report.results],
        "found": [each.choice.spelling for each in report.found],
    }


def _result(result: Result) -> dict[str, Any]:
    fault = result.choice.fault
    return {
        "fault": fault.name,
        "spelling": result.choice.spelling,
        "parameters": result.choice.values,
        "summary": fault.says(result.choice.values),
        "good_program": fault.good,
        "source": fault.source,
        "outcome": result.outcome.value,
        "acceptable": sorted(each.value for each in fault.acceptable),
        "found": result.found,
        "met": result.met,
        "status": result.status,
        "seconds": round(result.seconds, 3),
        "last_words": result.last_words,
        "stdout": _output(result.stdout),
        "written": _output(result.written),
        "stderr": result.stderr.text[-STDERR:] if result.stderr else "",
        "pcap": str(result.pcap) if result.pcap else None,
        "connections": [_connection(each) for each in result.connections],
        "notes": result.notes,
    }


def _output(output: Output | None) -> dict[str, Any] | None:
    return None if output is None else {"size": output.size, "sha256": output.sha256}


def _connection(connection: Connection) -> dict[str, Any]:
    ladder = connection.ladder
    return {
        "title": connection.title,
        **{str(ladder.end(side).name): [standing.title for standing in ladder.path(side)] for side in Side},
    }
