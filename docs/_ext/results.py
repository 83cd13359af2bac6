"""Directives of the conformance page: requirements and RFCs with the tests that show them, and suites of scripts.

How the tests ended is in ``_generated/tests.xml``, which ``make docs`` has pytest write; the
verdicts on scripts are the JSON of ``tulpen drill`` in ``_generated/scripts``.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from functools import cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Final

from docutils import nodes
from sphinx.util.docutils import SphinxDirective
from tables import Table, table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sphinx.application import Sphinx

HERE: Final = Path(__file__).parents[1]
REPORT: Final = HERE / "_generated" / "tests.xml"
SUITES: Final = HERE / "_generated" / "scripts"
OWN_SCRIPTS: Final = HERE.parent / "tests" / "drill" / "scripts"
MOST_ROWS: Final = 40
_OUTCOMES: Final = {"pass": "pass", "fail": "fail", "skip": "skipped", "error": "no script"}


@cache
def ends() -> dict[str, str]:
    """How the tests and our own scripts ended; empty where nothing was run."""
    from tests.conformance import outcomes
    from tulpen.drill.drill import Plan, drill

    root = HERE.parent
    found = {
        path.relative_to(root).as_posix(): _OUTCOMES[drill(str(path), Plan(ladder=False)).outcome.value]
        for path in sorted(OWN_SCRIPTS.glob("*.pkt"))
    }
    return found | outcomes(REPORT) if REPORT.exists() else found


def end_of(tests: Iterable[str]) -> str:
    """Return one word for several tests: the worst."""
    found = {ends().get(test, "not run") for test in tests}
    return next((word for word in ("fail", "not run", "pass", "skipped") if word in found), "not done")


def requirements() -> Table:
    """What stands for each requirement of RFC 9293 Appendix B, and how it ended."""
    from tests.rfc9293.conformance import findings

    return ("Requirement", "Level", "§", "Feature", "Outcome", "Shown by"), [
        (
            finding.requirement.id,
            finding.requirement.level,
            finding.requirement.section,
            finding.requirement.feature,
            end_of(finding.tests),
            [in_words(test) for test in finding.tests] or f"no test: {finding.reason}",
        )
        for finding in findings()
    ]


def rfcs() -> Table:
    """Every RFC in a line."""
    from tests.conformance import shown, titles
    from tests.rfc9293.conformance import findings

    tests = shown()
    rows = [("9293", "Transmission Control Protocol", *_counted([end_of(each.tests) for each in findings()]))]
    for rfc, title in titles().items():
        rows.append((str(rfc), title, *_counted([end_of([each.test]) for each in tests.get(rfc, [])])))
    return ("RFC", "Title", "Outcome", "Pass", "Fail", "Other"), rows


def _counted(outcomes: Sequence[str]) -> tuple[str, str, str, str]:
    counts = Counter(outcomes)
    known = counts["pass"] + counts["fail"]
    word = "fail" if counts["fail"] else "pass" if counts["pass"] else "not run" if outcomes else "not done"
    return word, str(counts["pass"]), str(counts["fail"]), str(len(outcomes) - known)


def in_words(test: str) -> str:
    """Return a test as a sentence, and where it stands."""
    file, *names = test.split("::")
    says = ": ".join(name.removeprefix("test_").replace("_", " ") for name in names)
    return f"{says or 'all of it'} (`{file.removeprefix('tests/')}`)"


def by_folder(paths: Iterable[str]) -> dict[str, str]:
    """Return the folder that each script is counted in: as deep as there is room for."""
    whole = list(paths)
    root = os.path.commonpath([os.path.dirname(path) for path in whole])  # noqa: PTH120
    below = {path: PurePosixPath(path).relative_to(root).parent.parts for path in whole}
    for depth in range(max(map(len, below.values())), 0, -1):
        cut = {path: "/".join(parts[:depth]) or "." for path, parts in below.items()}
        if len(set(cut.values())) <= MOST_ROWS:
            return cut
    return dict.fromkeys(whole, ".")


def suite(scripts: Sequence[dict[str, Any]]) -> tuple[Table, Table]:
    """Return the counts of each folder, and why scripts were skipped."""
    folders = by_folder(script["path"] for script in scripts)
    counts: dict[str, Counter[str]] = {}
    for script in scripts:
        counts.setdefault(folders[script["path"]], Counter())[script["outcome"]] += 1
    rows = [(f"`{folder}`", *_row(found)) for folder, found in sorted(counts.items())]
    total: Counter[str] = sum(counts.values(), Counter())
    reasons = Counter(script["reason"] for script in scripts if script["outcome"] == "skip")
    titles = ("Folder", "Scripts", *(word.capitalize() for word in _OUTCOMES.values()))
    needs = [(reason.removeprefix("needs "), str(count)) for reason, count in reasons.most_common()]
    return (titles, [*rows, ("all", *_row(total))]), (("Not done: what skipped scripts need", "Scripts"), needs)


def _row(counts: Counter[str]) -> tuple[str, ...]:
    return str(counts.total()), *(str(counts[outcome]) for outcome in _OUTCOMES)


TABLES: Final = {maker.__name__: maker for maker in (requirements, rfcs)}


class ConformanceDirective(SphinxDirective):
    """``{conformance} rfcs`` writes one of ``TABLES``."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Write it."""
        return [table(*TABLES[self.arguments[0]]())]


class RfcsDirective(SphinxDirective):
    """``{rfc-tests}``: a section an RFC, with its tests."""

    def run(self) -> list[nodes.Node]:
        """Write them."""
        from tests.conformance import shown, titles

        parts: list[nodes.Node] = []
        for rfc, tests in shown().items():
            part = _section(f"rfc-{rfc}", f"RFC {rfc}: {titles()[rfc]}")
            rows = [(each.section and f"§{each.section}", end_of([each.test]), in_words(each.test)) for each in tests]
            part += table(("Section", "Outcome", "Shown by"), rows)
            parts.append(part)
        return parts


class SuitesDirective(SphinxDirective):
    """``{script-suites}``: a section a suite, our own first."""

    def run(self) -> list[nodes.Node]:
        """Write them."""
        own = {path: end for path, end in ends().items() if path.endswith(".pkt")}
        rows = [{"path": path, "outcome": _spelt(end), "reason": ""} for path, end in own.items()]
        parts = [_suite("tulpen's own", rows)]
        for path in sorted(SUITES.glob("*.json")):
            parts.append(_suite(path.stem, json.loads(path.read_text(encoding="utf-8"))["scripts"]))
        return parts


def _spelt(end: str) -> str:
    return next(outcome for outcome, word in _OUTCOMES.items() if word == end)


def _suite(name: str, scripts: Sequence[dict[str, Any]]) -> nodes.section:
    part = _section(f"scripts-{nodes.make_id(name)}", name)
    counts, needs = suite(scripts)
    part += table(*counts)
    if needs[1]:
        part += table(*needs)
    return part


def _section(ident: str, title: str) -> nodes.section:
    section = nodes.section(ids=[ident], names=[title.lower()])
    section += nodes.title(text=title)
    return section


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directives."""
    app.add_directive("conformance", ConformanceDirective)
    app.add_directive("rfc-tests", RfcsDirective)
    app.add_directive("script-suites", SuitesDirective)
    return {"parallel_read_safe": True}
