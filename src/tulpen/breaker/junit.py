"""The report as JUnit's XML: one test a fault, failed where something was found."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Final, NamedTuple
from xml.etree import ElementTree as ET

from tulpen.breaker.judge import says

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tulpen.breaker.report import Report, Result

STDERR: Final = 4000  # characters of it that are kept, from its end


class Case(NamedTuple):
    """One test."""

    group: str
    name: str
    seconds: float
    failure: tuple[str, str, str] | None = None  # type, message, text
    stderr: str = ""


def as_junit(report: Report) -> str:
    """Return the XML."""
    properties = {
        "command": shlex.join(report.command),
        "tulpen": report.version,
        "kernel": report.kernel,
        "seed": str(report.seed),
        "deadline": f"{report.deadline:g}",
    }
    cases = [_case(result, report.program) for result in report.results]
    return suite("tulpen break", cases, properties, report.started, report.seconds)


def _case(result: Result, program: str) -> Case:
    fault = result.choice.fault
    failure = None
    if result.found:
        words = f"{fault.says(result.choice.values)}\nA good program: {fault.good} ({fault.source})"
        failure = (result.outcome.value, f"{result.outcome.value}: {says(result)}", words)
    stderr = result.stderr.text if result.stderr else ""
    return Case(f"tulpen.break.{program}", result.choice.spelling, result.seconds, failure, stderr)


def suite(name: str, cases: Sequence[Case], properties: Mapping[str, str], started: str, seconds: float) -> str:
    """Return a suite's XML."""
    root = ET.Element(
        "testsuite",
        name=name,
        tests=str(len(cases)),
        failures=str(sum(case.failure is not None for case in cases)),
        errors="0",
        skipped="0",
        time=f"{seconds:.3f}",
        timestamp=started,
    )
    known = ET.SubElement(root, "properties")
    for key, value in properties.items():
        ET.SubElement(known, "property", name=key, value=_printable(value))
    for case in cases:
        element = ET.SubElement(
            root, "testcase", classname=_printable(case.group), name=case.name, time=f"{case.seconds:.3f}"
        )
        if case.failure is not None:
            kind, message, text = case.failure
            ET.SubElement(element, "failure", type=kind, message=_printable(message)).text = _printable(text)
        if case.stderr:
            ET.SubElement(element, "system-err").text = _printable(case.stderr[-STDERR:])
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _printable(text: str) -> str:
    """Leave out what XML cannot carry."""
    return "".join(each for each in text if each in "\t\n" or " " <= each < "\ud800" or "\ue000" <= each < "\ufffe")
