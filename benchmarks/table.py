"""The results as one table, or as JSON."""

from __future__ import annotations

import platform
import sys
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from benchmarks.case import Result, compared
from tulpen.tcp import arrives


def show(results: list[Result], rounds: int) -> None:
    """Print the table, and what it was measured on."""
    title = "One round" if rounds == 1 else f"Medians of {rounds} rounds"
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD)
    table.add_column("", no_wrap=True, min_width=34)
    table.add_column("median", justify="right", no_wrap=True, min_width=6)
    table.add_column("", no_wrap=True, min_width=6)
    table.add_column("spread", justify="right", no_wrap=True, min_width=6)
    table.add_column("CPU s/GB", justify="right", no_wrap=True, min_width=8)
    table.add_column("compared", overflow="fold")
    group = ""
    for result in results:
        if result.case.group != group:
            group = result.case.group
            table.add_row(f"[bold]{group}")
        table.add_row(*row(result, results))
    console = Console()
    if not console.is_terminal:
        console = Console(width=120)
    console.print(table)
    console.print(machine(), highlight=False)


def row(result: Result, results: list[Result]) -> tuple[str, str, str, str, str, str]:
    """Return the cells of one case."""
    case = result.case
    if result.missing:
        return f"  {case.name}", "-", "", "", "", result.missing
    spread = f"± {100 * result.spread:.0f} %" if len(result.rounds) > 1 else ""
    cpu = result.cpu_median
    return (
        f"  {case.name}",
        number(result.median),
        case.unit,
        spread,
        "" if cpu is None else f"{cpu:.2f}",
        comparison(result, results),
    )


def comparison(result: Result, results: list[Result]) -> str:
    """Say how a case stands to another: "tulpen is 0.8x, CPU 2.0x" of a peer, "1.2x tulpen" of a variant."""
    case, found = result.case, compared(result, results)
    if found is None:
        return ""
    cpu = "" if found.cpu is None else f", CPU {times(found.cpu)}"
    return f"{case.ours} is {times(found.value)}{cpu}" if case.ours else f"{times(found.value)} {case.beside}{cpu}"


def as_dict(result: Result, results: list[Result]) -> dict[str, object]:
    """Return what JSON tells of a case."""
    case = result.case
    about: dict[str, object] = {"group": case.group, "name": case.name, "unit": case.unit}
    if result.missing:
        return about | {"missing": result.missing}
    found = compared(result, results)
    return about | {
        "median": result.median,
        "spread": result.spread,
        "rounds": result.rounds,
        "cpu_seconds_per_gb": result.cpu_median,
        "cpu_rounds": result.cpu,
        "beside": case.beside or None,
        "ours": case.ours or None,
        "ratio": found and found.value,
        "cpu_ratio": found and found.cpu,
    }


def times(ratio: float) -> str:
    return f"{ratio:,.0f}x" if ratio >= 20 else f"{ratio:.2f}x"


def number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:,.1f}"


def machine() -> str:
    """Return the interpreter, the build of the engine, the kernel and the processor."""
    model = "unknown processor"
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        models = [line.partition(":")[2].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        model = f"{len(models)} x {models[0]}" if models else model
    build = "pure Python" if arrives.__file__.endswith(".py") else "compiled with mypyc"
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"tulpen's engine {build}, {python}, {sys.platform} {platform.release()}, {model}"
