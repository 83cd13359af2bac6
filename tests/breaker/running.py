"""Runs of tulpen break, as a library and as a command."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.link.rights import SOURCE, why_not
from tulpen.breaker.plan import Plan
from tulpen.breaker.report import Report, Result
from tulpen.breaker.run import run
from tulpen.breaker.siege.plan import SiegePlan
from tulpen.breaker.siege.report import SiegeReport, SiegeResult
from tulpen.breaker.siege.run import run as besiege
from tulpen.faults import catalogue
from tulpen.faults.clients import catalogue as clients

PROGRAMS = Path(__file__).with_name("programs")
needs_kernel = [pytest.mark.kernel, pytest.mark.root, pytest.mark.skipif(bool(why_not), reason=why_not)]


def program(name: str, *arguments: str) -> tuple[str, ...]:
    """The command line of one of the programs beside this file."""
    return (sys.executable, "-I", str(PROGRAMS / f"{name}.py"), *arguments)


def broken(faults: list[str], *command: str, **kwds: Any) -> dict[str, Result]:
    """Run a command under faults; the control's result is among those returned."""
    return {result.choice.spelling: result for result in report_of(faults, *command, **kwds).results}


def report_of(faults: list[str], *command: str, **kwds: Any) -> Report:
    plan = Plan(tuple(catalogue.choose(each) for each in ["healthy", *faults]), **kwds)
    if command:
        plan.command = command
    return run(plan, lambda result: None)


def besieged(bad: list[str], *command: str, port: int = 8000, **kwds: Any) -> dict[str, SiegeResult]:
    """Run a server under bad clients."""
    return {result.choice.spelling: result for result in siege_of(bad, *command, port=port, **kwds).results}


def siege_of(bad: list[str], *command: str, port: int = 8000, **kwds: Any) -> SiegeReport:
    choices = tuple(clients.choose(each) for each in ["healthy", *bad])
    return besiege(SiegePlan(choices, command, port, **kwds), lambda result: None)


def outcomes(results: dict[str, Result]) -> dict[str, str]:
    return {name: result.outcome.value for name, result in results.items()}


def tulpen_break(*arguments: str, **kwds: Any) -> subprocess.CompletedProcess[str]:
    """Run the command line."""
    argv = [sys.executable, "-m", "tulpen", "break", *arguments]
    env = os.environ | {"PYTHONPATH": str(SOURCE), "COLUMNS": "80"}
    return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=180, env=env, **kwds)
