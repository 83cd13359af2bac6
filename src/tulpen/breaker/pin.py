"""Writes a test that repeats a run and holds the program to what came of it."""

from __future__ import annotations

import shlex
from pprint import pformat
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tulpen.breaker.report import Report

_TEST = '''"""What this program does when TCP goes wrong:

    {command}

Written by ``tulpen break --pin`` (tulpen {version}, {kernel}), {started}.
Needs pytest and tulpen.  After a change that was meant, write it anew or edit SEEN.
"""

import json
import subprocess
import sys

import pytest

TULPEN = [sys.executable, "-m", "tulpen", "break", "--json"]
ARGUMENTS = {arguments}
COMMAND = {argv}
SEEN = {seen}


@pytest.fixture(scope="module")
def results():
    faults = [word for fault in SEEN for word in ("--fault", fault)]
    argv = [*TULPEN, *ARGUMENTS, *faults, *(["--", *COMMAND] if COMMAND else [])]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    return {{each["spelling"]: each for each in json.loads(done.stdout)["results"]}}


@pytest.mark.parametrize("fault", SEEN)
def test_outcome(results, fault):
    result = results[fault]
    assert result["{key}"] == SEEN[fault], f"{{result['summary']}} {{result['last_words']}}"
'''


def as_test(report: Report, arguments: Sequence[str], command: Sequence[str]) -> str:
    """Return the test's source; ``arguments`` are those of the run without its faults and outputs."""
    seen = {result.choice.spelling: result.outcome.value for result in report.results}
    return pinned(report, arguments, command, seen, key="outcome")


class Header(Protocol):
    """What a test says of where it comes from."""

    @property
    def program(self) -> str:
        """The program's name."""

    @property
    def version(self) -> str:
        """Tulpen's version."""

    @property
    def kernel(self) -> str:
        """The kernel."""

    @property
    def started(self) -> str:
        """When the run began."""


def pinned(
    report: Header, arguments: Sequence[str], command: Sequence[str], seen: Mapping[str, str], *, key: str
) -> str:
    """Return a test that holds the field ``key`` of every result to what was ``seen``."""
    shown = shlex.join(command) if command else f"(the built-in client, {report.program})"
    return _TEST.format(
        command=shown.replace("\\", "\\\\").replace('"', "'"),
        version=report.version,
        kernel=report.kernel,
        started=report.started[:10],
        arguments=pformat(list(arguments), width=100),
        argv=pformat(list(command), width=100),
        seen=_table(seen),
        key=key,
    )


def _table(seen: Mapping[str, str]) -> str:
    return "{\n" + "".join(f'    "{name}": "{outcome}",\n' for name, outcome in seen.items()) + "}"
