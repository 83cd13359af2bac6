"""The report as JUnit's XML: one test a fault, failed where something was found."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from tulpen.breaker.judge import ended

if TYPE_CHECKING:
    from tulpen.breaker.report import Report, Result


def as_junit(report: Report) -> str:
    """Return the XML."""
    suite = ET.Element(
        "testsuite",
        name="tulpen break",
        tests=str(len(report.results)),
        failures=str(len(report.found)),
        errors="0",
        skipped="0",
        time=f"{report.seconds:.3f}",
        timestamp=report.started,
    )
    properties = ET.SubElement(suite, "properties")
    for name, value in (
        ("command", " ".join(report.command)),
        ("tulpen", report.version),
        ("kernel", report.kernel),
        ("seed", str(report.seed)),
        ("deadline", f"{report.deadline:g}"),
    ):
        ET.SubElement(properties, "property", name=name, value=value)
    for result in report.results:
        suite.append(_case(result, report.program))
    ET.indent(suite)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(suite, encoding="unicode") + "\n"


def _case(result: Result, program: str) -> ET.Element:
    case = ET.Element(
        "testcase", classname=f"tulpen.break.{program}", name=result.choice.spelling, time=f"{result.seconds:.3f}"
    )
    fault = result.choice.fault
    if result.found:
        said = f"{result.outcome.value}: {says(result)}"
        failure = ET.SubElement(case, "failure", type=result.outcome.value, message=_printable(said))
        failure.text = f"{fault.says(result.choice.values)}\nA good program: {fault.good} ({fault.source})"
    if result.stderr and result.stderr.size:
        ET.SubElement(case, "system-err").text = _printable(result.stderr.text[-4000:])
    return case


def says(result: Result) -> str:
    """Say in a line what the program did."""
    how = "stopped at the deadline" if result.status is None else ended(result.status) if result.status else ""
    return ": ".join(each for each in (how, result.last_words) if each)


def _printable(text: str) -> str:
    """Leave out what XML cannot carry."""
    return "".join(each for each in text if each in "\t\n" or " " <= each < "\ud800" or "\ue000" <= each < "\ufffe")
