"""``tulpen learn``: find out what automaton a TCP is."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tulpen.cli.group import examples

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from tulpen.learn.alphabet import Alphabet
    from tulpen.learn.learner import Tell
    from tulpen.learn.machine import Machine
    from tulpen.learn.subject import Subject


@click.command(
    "learn",
    epilog=examples(
        ("tulpen's own machine", "tulpen learn"),
        ("The Linux that runs here, every transition with its row", "tulpen learn linux --rows"),
        ("Old and future numbers, shutdown and abort as well", "tulpen learn linux --alphabet wide --save linux.json"),
        ("Where do the two differ?", "tulpen learn --diff tulpen linux"),
        ("Has it changed since?", "tulpen learn --diff linux.json linux"),
        ("Is tulpen the machine of its own table?", "tulpen learn --alphabet wide --diff tulpen table"),
        ("A server behind a TUN device", "tulpen learn far --tun tun0 --from 10.0.0.9 --to 10.0.0.1 --port 80"),
        ("A picture", "tulpen learn --svg machine.svg"),
    ),
)
@click.argument("subject", default="tulpen", metavar="[SUBJECT]")
@click.option("--alphabet", default=None, metavar="NAME", help="life, wide, time or far. [life; far: far]")
@click.option(
    "--extra", type=click.IntRange(0, 3), default=1, show_default=True, metavar="N", help="Hidden states looked for."
)
@click.option("--no-states", is_flag=True, help="Learn what is sent alone; the states are named afterwards.")
@click.option("--rows", is_flag=True, help="List every transition with the row that explains it.")
@click.option(
    "--diff", nargs=2, metavar="A B", help="Name the shortest word on which two differ: subjects, files, or table."
)
@click.option("--all", "every", is_flag=True, help="With --diff: a word for every difference.")
@click.option("--save", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write the machine.")
@click.option("--dot", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write it for Graphviz.")
@click.option("--svg", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Draw it.")
@click.option("--json", "json", is_flag=True, help="Write JSON to stdout, and nothing else.")
@click.option("--tun", metavar="NAME", help="far: the TUN device.")
@click.option("--from", "local", metavar="ADDRESS", help="far: the address that asks.")
@click.option("--to", "remote", metavar="ADDRESS", help="far: the server's address.")
@click.option("--port", type=click.IntRange(1, 65535), default=80, show_default=True, help="far: the server's port.")
@click.option(
    "--wait", type=click.IntRange(1), default=20, show_default=True, metavar="MS", help="far: silence ends an answer."
)
def command(**options: Any) -> int:
    """Learn the automaton of SUBJECT: tulpen, linux, far (a server behind a device), or read it from a file.

    Words of segments and calls are put to it, each on a connection of its own, until a
    machine is found that no test refutes (L# with the Wp method, by AALpy). Every
    transition is then held against a table: what RFC 9293 asks for, what it permits,
    what Linux does. tulpen is asked in virtual time, Linux in a private network.

    Exit status: every transition is explained, or no difference was found (0), one is
    not, or one was (1), it could not be learnt (2).
    """
    from rich.console import Console

    console = Console(stderr=options["json"], highlight=False)
    if options["diff"]:
        return _differ(options, console)
    from tulpen.learn.report import as_json, listing, summary
    from tulpen.learn.rows import explained

    machine = _machine(options["subject"], options, console)
    rows = explained(machine)
    _write(machine, options)
    if options["json"]:
        _dump(as_json(machine, rows))
    else:
        for line in (*summary(machine, rows), *(listing(machine, rows) if options["rows"] else ())):
            console.print(line, soft_wrap=True, markup=False)
    unexplained = [each for each in rows if each.row is None] if all(machine.states) else []
    if unexplained and not options["json"]:
        ways = machine.ways()
        for each in unexplained:
            word = " ".join((*ways[each.step.source], each.step.letter))
            console.print(f"  unexplained: {word}: {each.step.answer}, {each.after}", soft_wrap=True, markup=False)
    return 1 if unexplained else 0


def _differ(options: dict[str, Any], console: Console) -> int:
    from itertools import islice

    from tulpen.learn.expected import NAME
    from tulpen.learn.machine import differences
    from tulpen.learn.report import told

    one, other = (_machine(name, options, console) for name in options["diff"])
    answers = NAME not in (one.name, other.name)
    states = all(one.states) and all(other.states)
    found = list(islice(differences(one, other, states=states, answers=answers), None if options["every"] else 1))
    names = (one.name, other.name) if one.name != other.name else (f"{one.name} (A)", f"{other.name} (B)")
    if options["json"]:
        _dump(
            {
                "machines": list(names),
                "differences": [{"word": each.word, names[0]: each.one, names[1]: each.other} for each in found],
            }
        )
        return 1 if found else 0
    for each in found:
        for line in told(each, *names):
            console.print(line, soft_wrap=True, markup=False)
    if not found:
        console.print(f"{names[0]} and {names[1]} answer every word alike.", markup=False)
    return 1 if found else 0


def _machine(name: str, options: dict[str, Any], console: Console) -> Machine:
    """Learn a machine, read it from a file, or make it from the table."""
    from tulpen.learn.machine import loads

    if name in ("tulpen", "linux", "far"):
        return _learn(name, options, console)
    if name == "table":
        from tulpen.learn.expected import expected

        return expected(_alphabet("table", options))
    path = Path(name)
    if not path.exists():
        raise click.UsageError(f"{name!r} is neither tulpen, linux, far nor a file")
    return loads(path.read_text(encoding="utf-8"), name)


def _learn(name: str, options: dict[str, Any], console: Console) -> Machine:
    from tulpen.learn.learner import learn

    alphabet = _alphabet(name, options)
    if alphabet.timed and name != "tulpen":
        raise click.UsageError("time is virtual for tulpen alone: choose another alphabet")
    with contextlib.closing(_subject(name, options)) as subject, _telling(subject.name, console) as tell:
        named = not options["no_states"] and name != "far"
        return learn(subject, alphabet, extra=options["extra"], named=named, tell=tell)


def _alphabet(name: str, options: dict[str, Any]) -> Alphabet:
    from tulpen.learn.alphabet import ALPHABETS

    chosen = options["alphabet"] or ("far" if name == "far" else "life")
    if chosen not in ALPHABETS:
        raise click.BadParameter(f"{chosen!r} is none of {', '.join(ALPHABETS)}", param_hint="--alphabet")
    if name == "far" and chosen != "far":
        raise click.UsageError("nobody here can command a program far away: only the alphabet far has no calls")
    return ALPHABETS[chosen]


def _subject(name: str, options: dict[str, Any]) -> Subject:
    if name == "tulpen":
        from tulpen.learn.engine import Engine

        return Engine()
    if name == "linux":
        from tulpen.learn.linux import Linux

        return Linux()
    from tulpen.learn.far import Far
    from tulpen.link.devices import tun
    from tulpen.link.tun import Tun
    from tulpen.wire.address import address

    if not (options["tun"] and options["local"] and options["remote"]):
        raise click.UsageError("far needs --tun NAME, --from ADDRESS and --to ADDRESS")
    try:
        local, remote = address(options["local"]), address(options["remote"])
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    return Far(Tun(tun(options["tun"])), local, remote, options["port"], wait=options["wait"] / 1000)


@contextlib.contextmanager
def _telling(name: str, console: Console) -> Iterator[Tell]:
    """Show how far it has got, where there is a terminal."""
    if not console.is_terminal:
        yield lambda _: None
        return
    with console.status(f"{name}: asking") as status:
        yield lambda progress: status.update(
            f"{name}: {progress.states} states, {progress.queries:,} queries, {progress.tests:,} tests passed"
        )


def _write(machine: Machine, options: dict[str, Any]) -> None:
    from tulpen.learn.machine import dumps

    if options["save"]:
        options["save"].write_text(dumps(machine), encoding="utf-8")
    if options["dot"] or options["svg"]:
        from tulpen.learn.picture import as_dot, as_svg

        if options["dot"]:
            options["dot"].write_text(as_dot(machine), encoding="utf-8")
        if options["svg"]:
            options["svg"].write_text(as_svg(machine), encoding="utf-8")
    for kind in ("save", "dot", "svg"):
        if options[kind]:
            click.echo(f"tulpen: wrote {options[kind]}", err=True)


def _dump(value: object) -> None:
    import json

    click.echo(json.dumps(value, indent=1))
