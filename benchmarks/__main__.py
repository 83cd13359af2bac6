"""Run the benchmarks and print one table."""

from __future__ import annotations

import argparse
import json
import platform
import sys
from collections.abc import Callable
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from benchmarks.bulk import BULK
from benchmarks.case import Case, Result, ratio, run
from benchmarks.connections import CONNECTIONS
from benchmarks.engine import ENGINE
from benchmarks.memory import MEMORY
from benchmarks.namespaces import NAMESPACES
from benchmarks.table import TABLE

CASES: list[Case] = [*ENGINE, *BULK, *CONNECTIONS, *MEMORY, *NAMESPACES, *TABLE]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("only", nargs="*", help="parts of the names of groups or cases")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    cases = [case for case in CASES if matches(case, options.only)]
    if not cases:
        parser.error("no case is named so")
    results = run(cases, options.rounds, teller())
    if options.json:
        print(json.dumps({"machine": machine(), "results": [as_dict(each, results) for each in results]}, indent=2))
    else:
        show(results, options.rounds)
    return 0


def matches(case: Case, only: list[str]) -> bool:
    return not only or any(word in f"{case.group} {case.name}" for word in only)


def teller() -> Callable[[str], None]:
    """Return what shows progress: a line that is overwritten, on a terminal alone."""
    if not sys.stderr.isatty():
        return lambda _: None
    return lambda line: print(f"\r\x1b[K{line}", end="", file=sys.stderr, flush=True)


def as_dict(result: Result, results: list[Result]) -> dict[str, object]:
    case = result.case
    about: dict[str, object] = {"group": case.group, "name": case.name, "unit": case.unit}
    if result.missing:
        return about | {"missing": result.missing}
    return about | {
        "median": result.median,
        "spread": result.spread,
        "rounds": result.rounds,
        "beside": case.beside or None,
        "ratio": ratio(result, results),
    }


def show(results: list[Result], rounds: int) -> None:
    if sys.stderr.isatty():
        print("\r\x1b[K", end="", file=sys.stderr)
    title = "One round" if rounds == 1 else f"Medians of {rounds} rounds"
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD)
    table.add_column("", no_wrap=True)
    table.add_column("median", justify="right", no_wrap=True)
    table.add_column("")
    table.add_column("spread", justify="right", no_wrap=True)
    table.add_column("beside", no_wrap=True)
    group = ""
    for result in results:
        if result.case.group != group:
            group = result.case.group
            table.add_row(f"[bold]{group}")
        table.add_row(*row(result, results))
    console = Console()
    console.print(table)
    console.print(machine(), highlight=False)


def row(result: Result, results: list[Result]) -> tuple[str, str, str, str, str]:
    case = result.case
    if result.missing:
        return f"  {case.name}", "-", result.missing, "", ""
    beside = ratio(result, results)
    compared = "" if beside is None else f"{beside:.2f}x {case.beside}"
    spread = f"± {100 * result.spread:.0f} %" if len(result.rounds) > 1 else ""
    return f"  {case.name}", number(result.median), case.unit, spread, compared


def number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:,.1f}"


def machine() -> str:
    model = "unknown processor"
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        models = [line.partition(":")[2].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        model = f"{len(models)} x {models[0]}" if models else model
    return f"{platform.python_implementation()} {platform.python_version()}, Linux {platform.release()}, {model}"


if __name__ == "__main__":
    sys.exit(main())
