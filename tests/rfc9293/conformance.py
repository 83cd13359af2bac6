"""Which test shows which requirement of RFC 9293 Appendix B, read from the source of the tests.

Nothing is imported or run: an id that is given to a call, as in ``requirement("MUST-1")``
or as in a row of a table, counts for the test that it stands in or decorates.
"""

from __future__ import annotations

import ast
import csv
import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

ID = re.compile(r"(MUST|SHLD|MAY|REC)-\d+")
HERE = Path(__file__).parent
TESTS = HERE.parent


class Requirement(NamedTuple):
    """One row of Appendix B."""

    id: str
    level: str
    section: str
    feature: str


class Finding(NamedTuple):
    """What stands for a requirement: the names of tests, or a reason why there are none."""

    requirement: Requirement
    tests: tuple[str, ...]
    reason: str


def requirements() -> list[Requirement]:
    """Return the rows of requirements.tsv."""
    with (HERE / "requirements.tsv").open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        next(rows)
        return [Requirement(*row) for row in rows]


def reasons() -> dict[str, str]:
    """Return why a requirement has no test, by its id."""
    table: dict[str, str] = tomllib.loads((HERE / "not_applicable.toml").read_text(encoding="utf-8"))
    return table


def marks(folder: Path = TESTS) -> dict[str, list[str]]:
    """Return the tests of each id that is marked, as ``folder/test_x.py::test_y``."""
    found: dict[str, list[str]] = {}
    for path in sorted(folder.rglob("test_*.py")):
        name = path.relative_to(folder.parent).as_posix()
        for ident, test in _marks_in(ast.parse(path.read_text(encoding="utf-8")), name):
            tests = found.setdefault(ident, [])
            if test not in tests:
                tests.append(test)
    return found


def _marks_in(node: ast.AST, name: str) -> Iterator[tuple[str, str]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield from _marks_in(child, f"{name}::{child.name}")
            continue
        if isinstance(child, ast.Call):
            values = [arg.value for arg in child.args if isinstance(arg, ast.Constant)]
            yield from ((value, name) for value in values if isinstance(value, str) and ID.fullmatch(value))
        yield from _marks_in(child, name)


def findings() -> list[Finding]:
    """Return what stands for each requirement, in the order of requirements.tsv."""
    tests, why = marks(), reasons()
    return [Finding(row, tuple(tests.get(row.id, ())), why.get(row.id, "")) for row in requirements()]
