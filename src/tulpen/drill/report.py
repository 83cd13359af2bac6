"""The verdicts of a run for a person, as JSON, and as JUnit's XML."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any, Final
from xml.etree import ElementTree as ET

from rich.text import Text

from tulpen.drill.verdict import Outcome, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tulpen.drill.second import Difference

STYLES: Final = {
    Outcome.PASS: "green",
    Outcome.FAIL: "bold red",
    Outcome.SKIP: "yellow",
    Outcome.ERROR: "bold white on red",
}


_INDENT: Final = " " * 6


def line_of(verdict: Verdict) -> Text:
    """Return a script on one line."""
    line = Text(f"{verdict.outcome.value:5} ", style=STYLES[verdict.outcome])
    line.append(verdict.path, style="default")
    if verdict.reason and verdict.outcome is not Outcome.FAIL:
        line.append(f"  {verdict.reason}", style="dim")
    return line


def failure_of(verdict: Verdict) -> Iterator[Text]:
    """Give what failed: where, what was expected and what came, when, and the conversation up to there."""
    yield line_of(verdict)
    if verdict.outcome is not Outcome.FAIL:
        return
    where = Text(f"{_INDENT}{verdict.path}:{verdict.line}: ", style="default")
    where.append(verdict.text, style="bold")
    yield where
    for name, said in (("", verdict.reason), ("expected", verdict.expected), ("got", verdict.got)):
        if said:
            yield Text(f"{_INDENT}{name + ': ' if name else '':10}{said}")
    yield Text(f"{_INDENT}{'at:':10}{verdict.at:.6f} s of the script's time")
    for line in verdict.ladder:
        yield Text(_INDENT + line)


def summary(verdicts: Sequence[Verdict], seconds: float) -> Text:
    """Return the count of every outcome."""
    counts = Counter(verdict.outcome for verdict in verdicts)
    words = Text()
    for outcome in Outcome:
        if counts[outcome]:
            words.append(f"{counts[outcome]} {_PLURAL[outcome]}", style=STYLES[outcome])
            words.append(", ")
    virtual = sum(verdict.virtual for verdict in verdicts)
    words.append(f"{virtual:.1f} s of scripts' time in {seconds:.1f} s", style="default")
    return words


_PLURAL: Final = {Outcome.PASS: "passed", Outcome.FAIL: "failed", Outcome.SKIP: "skipped", Outcome.ERROR: "no script"}


def reasons(verdicts: Sequence[Verdict]) -> Iterator[Text]:
    """Give what the skipped scripts need, the most wanted first."""
    wanted = Counter(verdict.reason for verdict in verdicts if verdict.outcome is Outcome.SKIP)
    for reason, count in wanted.most_common():
        yield Text(f"{count:5} {reason}")


def as_json(verdicts: Sequence[Verdict], seconds: float, differing: Sequence[Difference] | None = None) -> str:
    """Return the run as JSON; ``differing`` is what the comparison with another judge found."""
    counts = Counter(verdict.outcome for verdict in verdicts)
    whole: dict[str, Any] = {
        "format": 1,
        "seconds": round(seconds, 3),
        "counts": {outcome.value: counts[outcome] for outcome in Outcome},
        "scripts": [_row(verdict) for verdict in verdicts],
    }
    if differing is not None:
        whole["disagreements"] = [
            {"path": each.path, "ours": _row(each.ours), "theirs": _row(each.theirs)} for each in differing
        ]
    return json.dumps(whole, indent=2)


def _row(verdict: Verdict) -> dict[str, Any]:
    row: dict[str, Any] = {
        "path": verdict.path,
        "outcome": verdict.outcome.value,
        "profile": verdict.profile,
        "ip_version": verdict.ip_version,
        "virtual_seconds": round(verdict.virtual, 6),
        "real_seconds": round(verdict.real, 6),
    }
    if verdict.outcome is not Outcome.PASS:
        row |= {"reason": verdict.reason, "line": verdict.line, "text": verdict.text}
    if verdict.outcome is Outcome.FAIL:
        row |= {
            "expected": verdict.expected, "got": verdict.got, "at": round(verdict.at, 6), "ladder": verdict.ladder,
        }  # fmt: skip
    if verdict.remarks:
        row["remarks"] = verdict.remarks
    return row


def as_junit(verdicts: Sequence[Verdict], seconds: float) -> str:
    """Return the run as JUnit's XML: one test a script."""
    counts = Counter(verdict.outcome for verdict in verdicts)
    suite = ET.Element(
        "testsuite",
        name="tulpen drill",
        tests=str(len(verdicts)),
        failures=str(counts[Outcome.FAIL]),
        errors=str(counts[Outcome.ERROR]),
        skipped=str(counts[Outcome.SKIP]),
        time=f"{seconds:.3f}",
    )
    for verdict in verdicts:
        suite.append(_case(verdict))
    ET.indent(suite)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(suite, encoding="unicode") + "\n"


def _case(verdict: Verdict) -> ET.Element:
    case = ET.Element(
        "testcase", classname=f"tulpen.drill.{verdict.profile}", name=verdict.path, time=f"{verdict.real:.3f}"
    )
    message = _printable(verdict.reason)
    if verdict.outcome is Outcome.SKIP:
        ET.SubElement(case, "skipped", message=message)
    elif verdict.outcome is Outcome.ERROR:
        ET.SubElement(case, "error", message=message)
    elif verdict.outcome is Outcome.FAIL:
        failure = ET.SubElement(case, "failure", message=message)
        where = f"{verdict.path}:{verdict.line}: {verdict.text}"
        told = [where, f"expected: {verdict.expected}", f"got:      {verdict.got}", f"at:       {verdict.at:.6f} s"]
        failure.text = _printable("\n".join([*told, *verdict.ladder]))
    return case


def _printable(text: str) -> str:
    """Leave out what XML cannot carry."""
    return "".join(each for each in text if each in "\t\n" or " " <= each < "\ud800" or "\ue000" <= each < "\ufffe")
