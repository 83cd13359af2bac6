"""Which tests show which RFC, read from their source, and how they ended, from pytest's report.

A test belongs to the RFC of its folder (``tests/rfc7413``), and to those that its docstring,
the comments above it or the docstring of its file name; a script to those of its comments.
``python -m tests.conformance`` prints the files with such tests, to be given to pytest.
"""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from collections.abc import Iterator

TESTS = Path(__file__).parent
_FOLDER = re.compile(r"rfc(\d+)")
_RFC = re.compile(r"RFC (\d{3,5})")
_SECTION = re.compile(r"(?:RFC (\d{3,5}) )?§ ?(\d+(?:\.\d+)*)")
_ENDS = {"failure": "fail", "error": "fail", "skipped": "skipped"}
_WORST_FIRST = ("fail", "pass", "skipped")


class Shown(NamedTuple):
    """A test that shows something of an RFC, as ``folder/test_x.py::test_y``; its section, if it names one."""

    rfc: int
    section: str
    test: str


class Source(NamedTuple):
    """A test with what is said of it: in its docstring, in comments above and inside; and of its file."""

    name: str
    said: str
    of_file: str


def titles() -> dict[int, str]:
    """Return the RFCs by number."""
    table = tomllib.loads((TESTS / "standards.toml").read_text(encoding="utf-8"))
    return {int(number): title for number, title in table.items()}


def shown(folder: Path = TESTS) -> dict[int, list[Shown]]:
    """Return the tests of every RFC that has some, but for RFC 9293, whose requirements have ids."""
    found: dict[int, list[Shown]] = {}
    for path in sorted(folder.rglob("test_*.py")):
        for source in sources(path, path.relative_to(folder.parent).as_posix()):
            for rfc in _rfcs(path, source):
                found.setdefault(rfc, []).append(Shown(rfc, _section(rfc, source), source.name))
    for path in sorted(folder.rglob("*.pkt")):
        source = Source(path.relative_to(folder.parent).as_posix(), _comments(path), "")
        for rfc in _rfcs(path, source):
            found.setdefault(rfc, []).append(Shown(rfc, _section(rfc, source), source.name))
    return {rfc: found[rfc] for rfc in sorted(found)}


def _comments(script: Path) -> str:
    lines = script.read_text(encoding="utf-8").splitlines()
    return "\n".join(line for line in lines if line.startswith(("//", "#")))


def sources(path: Path, name: str) -> Iterator[Source]:
    """Give the tests of a file."""
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    yield from _below(tree, name, ast.get_docstring(tree) or "", text.splitlines())


def _below(node: ast.AST, name: str, of_file: str, lines: list[str]) -> Iterator[Source]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef) and child.name.startswith("Test"):
            yield from _below(child, f"{name}::{child.name}", ast.get_docstring(child) or of_file, lines)
        elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) and child.name.startswith("test_"):
            yield Source(f"{name}::{child.name}", _said(child, lines), of_file)


def _said(test: ast.FunctionDef | ast.AsyncFunctionDef, lines: list[str]) -> str:
    first = min([test.lineno, *(each.lineno for each in test.decorator_list)]) - 1
    while first and lines[first - 1].startswith("#"):
        first -= 1
    return "\n".join(lines[first : test.end_lineno])


def _rfcs(path: Path, source: Source) -> list[int]:
    named = {int(number) for number in _RFC.findall(f"{source.said}\n{source.of_file}")}
    own = _FOLDER.fullmatch(path.parent.name)
    if own is not None:
        named.add(int(own[1]))
    return sorted((named & titles().keys()) - {9293})


def _section(rfc: int, source: Source) -> str:
    """Return the first section that is named of this RFC; one without a number is of the only RFC around."""
    for text in (source.said, source.of_file):
        for number, section in _SECTION.findall(text):
            if number == str(rfc) or (not number and set(_RFC.findall(f"{text}\n{source.of_file}")) <= {str(rfc)}):
                return str(section)
    return ""


def files() -> list[str]:
    """Return the files whose tests show something: of RFC 9293's requirements, or of another RFC."""
    from tests.rfc9293.conformance import marks

    names = [test for tests in marks().values() for test in tests]
    names += [each.test for tests in shown().values() for each in tests]
    return sorted({name.partition("::")[0] for name in names if "::" in name})


def outcomes(report: Path) -> dict[str, str]:
    """Return how each test ended: pass, fail or skipped; the worst of its cases, skipped only if all were."""
    ends: dict[str, set[str]] = {}
    for case in ET.parse(report).getroot().iter("testcase"):
        name = _name(case.get("classname", ""), case.get("name", ""))
        end = next((_ENDS[child.tag] for child in case if child.tag in _ENDS), "pass")
        ends.setdefault(name, set()).add(end)
    return {name: next(end for end in _WORST_FIRST if end in found) for name, found in ends.items()}


def _name(module: str, case: str) -> str:
    """Return pytest's own name of a test, from the two that its report has."""
    *folders, file = module.split(".")
    classes: list[str] = []
    while folders and not file.startswith("test_"):
        classes.insert(0, file)
        file = folders.pop()
    return "::".join(["/".join([*folders, f"{file}.py"]), *classes, case.partition("[")[0]])


if __name__ == "__main__":
    print(" ".join(files()))
