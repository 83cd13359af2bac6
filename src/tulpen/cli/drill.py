"""``tulpen drill``: run packetdrill scripts against tulpen's TCP, in virtual time."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from tulpen.cli.group import examples

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from tulpen.drill.drill import Plan
    from tulpen.drill.second import Difference
    from tulpen.drill.verdict import Verdict

_VERSIONS: Final = {"four": "ipv4", "six": "ipv6", "mapped": "ipv4-mapped-ipv6"}
_MANY: Final = 20  # scripts; from here on, those that pass are counted and not listed


@click.command(
    "drill",
    context_settings={"ignore_unknown_options": True},  # packetdrill's own, which come among the scripts
    epilog=examples(
        ("One script, and where it fails", "tulpen drill handshake.pkt"),
        ("A folder of them, on all processors", "tulpen drill tests/drill"),
        ("FreeBSD's scripts", "tulpen drill --profile bsd tcp-testsuite"),
        ("Names that a script leaves open", "tulpen drill -D TFO_COOKIE=3021b9d889017eeb fastopen.pkt"),
        ("Scripts of IPv4 over IPv6, as packetdrill's runner has them", "tulpen drill -6 gtests/net/tcp"),
        ("With packetdrill's own options", "tulpen drill --ip_version=ipv6 --mtu=1520 handshake.pkt"),
        ("What does Linux do with the same script?", "tulpen drill --kernel handshake.pkt"),
        ("Where do we and packetdrill judge differently?", "tulpen drill --with packetdrill --compare scripts"),
        ("In CI", "tulpen drill --junit drill.xml scripts"),
    ),
)
@click.argument("scripts", nargs=-1, required=True, metavar="SCRIPT...")
@click.option("--profile", type=click.Choice(["linux", "bsd"]), default="linux", show_default=True, help="Whose TCP.")
@click.option("-D", "--define", "defined", multiple=True, metavar="NAME=VALUE", help="A name in scripts; repeatable.")
@click.option(
    "-O", "--option", "options", multiple=True, metavar="NAME=VALUE", help="As --NAME=VALUE at the top of a script."
)
@click.option("-4", "four", is_flag=True, help="IPv4 (as without it, but for *v6.pkt).")
@click.option("-6", "six", is_flag=True, help="IPv6; scripts of IPv4 get 20 octets more MTU.")
@click.option("--mapped", is_flag=True, help="IPv4 through IPv6 sockets.")
@click.option("-j", "--jobs", type=click.IntRange(1), metavar="N", help="Scripts at a time. [processors]")
@click.option("--ladder/--no-ladder", default=True, help="Draw the conversation of what fails.")
@click.option("--wanted", is_flag=True, help="List what skipped scripts need, and how many need it.")
@click.option("--kernel", is_flag=True, help="Run against this machine's Linux, in a private network and real time.")
@click.option("--shell", is_flag=True, help="Run the commands of scripts that are not understood. Look at them first!")
@click.option("--with", "program", metavar="PROGRAM", help="Let packetdrill's own program, at this path, judge tulpen.")
@click.option("--compare", is_flag=True, help="List where --with or --kernel and we do not agree.")
@click.option("-v", "--verbose", is_flag=True, help="List every script.")
@click.option("--json", "json", is_flag=True, help="Write JSON to stdout, and nothing else.")
@click.option("--junit", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write JUnit's XML.")
def command(**options: Any) -> int:
    """Run packetdrill SCRIPTs (files, or folders of *.pkt) against a tulpen host.

    Time is virtual: a script that spans minutes takes milliseconds, and gives the same
    answer every time. No privilege is needed, and no command of a script is run unless
    --shell is given: those that set up a host are understood (sysctl above all), others
    refused by name. packetdrill's own options may be given as packetdrill takes them.

    A script that needs what tulpen has not is skipped, and says what that is.

    Exit status: everything passed or was skipped (0), something failed (1), something
    is no script (2); with --compare: the two agree (0), or not (1).
    """
    from rich.console import Console

    from tulpen.drill.second import differences
    from tulpen.drill.suite import find

    if options["compare"] and not (options["program"] or options["kernel"]):
        raise click.UsageError("--compare needs --with or --kernel")
    if options["program"] and options["kernel"]:
        raise click.UsageError("--with and --kernel exclude each other")

    if options["shell"] and options["kernel"]:
        raise click.UsageError("--shell and --kernel exclude each other: commands would not run in the private network")
    options["scripts"], own = _apart(options["scripts"])
    options["options"] += own
    scripts = find(options["scripts"])
    plan = _plan(options)
    console = Console(stderr=options["json"], highlight=False)
    began = time.perf_counter()
    verdicts = list(_shown(_run(scripts, plan, options, console), scripts, options, console))
    verdicts.sort(key=lambda verdict: scripts.index(verdict.path))
    ours = (
        list(_run(scripts, replace(plan, program=None, kernel=False), options, console)) if options["compare"] else []
    )
    differing = differences(ours, verdicts)
    _write(verdicts, differing, time.perf_counter() - began, options, console)
    return int(bool(differing)) if options["compare"] else _status(verdicts)


def _apart(arguments: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Part the scripts from packetdrill's own options, which are returned as NAME or NAME=VALUE."""
    from tulpen.drill.conditions import OPTIONS

    scripts, own = [], []
    for each in arguments:
        if not each.startswith("-"):
            scripts.append(each)
        elif each.startswith("--") and each[2:].partition("=")[0] in OPTIONS:
            own.append(each[2:])
        else:
            name = each.partition("=")[0]
            known = [option for option in click.get_current_context().command.params if option.opts]
            near = get_close_matches(
                name, [*(word for option in known for word in option.opts), *map("--".__add__, OPTIONS)]
            )
            raise click.NoSuchOption(name, possibilities=near)
    if not scripts:
        raise click.UsageError("Missing argument 'SCRIPT...'.")
    return tuple(scripts), tuple(own)


def _plan(options: dict[str, Any]) -> Plan:
    from tulpen.drill.drill import Plan
    from tulpen.drill.genuine.build import find_program
    from tulpen.drill.profile import PROFILES

    versions = [version for name, version in _VERSIONS.items() if options[name]]
    if len(versions) > 1:
        raise click.UsageError("-4, -6 and --mapped exclude each other")
    given = _pairs(options["options"], "-O", "")
    for version in versions:
        given["ip_version"] = version
    return Plan(
        profile=PROFILES[options["profile"]],
        defined=_pairs(options["defined"], "-D", "1"),
        options=given,
        as_long=options["six"],
        shell=options["shell"],
        ladder=options["ladder"],
        kernel=options["kernel"],
        program=None if options["program"] is None else find_program(options["program"]),
    )


def _pairs(given: tuple[str, ...], option: str, default: str) -> dict[str, str]:
    pairs = {}
    for each in given:
        name, equals, value = each.partition("=")
        if not name.isidentifier():
            raise click.UsageError(f"{option} takes NAME=VALUE, not {each!r}")
        pairs[name] = value if equals else default
    return pairs


def _run(scripts: list[str], plan: Plan, options: dict[str, Any], console: Console) -> Iterator[Verdict]:
    """Give the verdicts, behind a progress bar where there is a terminal."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from tulpen.drill.suite import run

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    hidden = not console.is_terminal or len(scripts) == 1
    with Progress(*columns, console=console, transient=True, disable=hidden) as progress:
        task = progress.add_task("drill", total=len(scripts))
        for verdict in run(scripts, plan, options["jobs"] or _processors()):
            progress.advance(task)
            yield verdict


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _shown(
    verdicts: Iterator[Verdict], scripts: list[str], options: dict[str, Any], console: Console
) -> Iterator[Verdict]:
    """Show each verdict as it comes, and hand it on."""
    from tulpen.drill.report import failure_of
    from tulpen.drill.verdict import Outcome

    for verdict in verdicts:
        listed = options["verbose"] or len(scripts) <= _MANY or verdict.bad
        if not options["json"] and (listed or verdict.outcome is Outcome.ERROR):
            for line in failure_of(verdict):
                console.print(line, soft_wrap=True)
            if options["verbose"]:
                for remark in verdict.remarks:
                    console.print(f"      {remark}", style="dim", markup=False)
        yield verdict


def _write(
    verdicts: list[Verdict], differing: list[Difference], seconds: float, options: dict[str, Any], console: Console
) -> None:
    from tulpen.drill.report import as_json, as_junit, reasons, summary
    from tulpen.drill.second import lines_of

    if options["json"]:
        click.echo(as_json(verdicts, seconds, differing if options["compare"] else None))
    else:
        if options["compare"]:
            for line in lines_of(differing):
                console.print(line, soft_wrap=True)
        if options["wanted"]:
            for line in reasons(verdicts):
                console.print(line)
        console.print(summary(verdicts, seconds))
    if options["junit"] is not None:
        options["junit"].write_text(as_junit(verdicts, seconds), encoding="utf-8")
        click.echo(f"tulpen: wrote {options['junit']}", err=True)
    sys.stdout.flush()


def _status(verdicts: list[Verdict]) -> int:
    from tulpen.drill.verdict import Outcome

    outcomes = {verdict.outcome for verdict in verdicts}
    if Outcome.ERROR in outcomes:
        return 2
    return 1 if Outcome.FAIL in outcomes else 0
