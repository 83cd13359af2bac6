"""``tulpen compare``: the same words to tulpen's engine and to Linux at once."""

from __future__ import annotations

import contextlib
import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tulpen.cli.group import examples
from tulpen.cli.inside import TakesCommand, filled, rest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import Console

    from tulpen.compare.report import Followed
    from tulpen.compare.run import Findings


@click.command(
    "compare",
    cls=TakesCommand,
    epilog=examples(
        ("Ten seconds of it", "tulpen compare"),
        ("An hour, with other words, and every kind of known difference", "tulpen compare --seconds 3600 --seed 7 -v"),
        ("In CI", "tulpen compare --words 20000 --seed 1 --json > compare.json"),
        (
            "Would tulpen have been allowed to do what Linux does here?",
            "tulpen compare --serve 'python3 -m http.server' -- curl -s {host}:8000",
        ),
        ("The same of a capture that was made on 10.0.0.1", "tulpen compare --trace web.pcap --as 10.0.0.1"),
        ("One word", "tulpen compare --word 'CONNECT SYN ACK_NA'"),
    ),
)
@click.option("--seconds", type=click.FloatRange(0.1), metavar="N", help="Stop after that time. [10]")
@click.option("--words", type=click.IntRange(1), metavar="N", help="Stop after so many words.")
@click.option("--length", type=click.IntRange(2, 100), default=12, show_default=True, help="Inputs in a word, at most.")
@click.option("--seed", type=int, metavar="N", help="Where the words come from. [another every time]")
@click.option("--word", "single", metavar="WORD", help="Put one word to both, and show what each says.")
@click.option(
    "--known", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="FILE",
    help="Other explanations than tulpen's own: a CSV file of the same columns.",
)  # fmt: skip
@click.option(
    "--serve", metavar="COMMAND", help="Follow real programs: this server, and the COMMAND after -- as its client."
)
@click.option(
    "--repeat", type=click.IntRange(1, 1000), default=1, metavar="N", help="--serve: so many clients at once."
)
@click.option(
    "--trace", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="FILE",
    help="Follow what was captured: pcap or pcapng.",
)  # fmt: skip
@click.option("--as", "host", metavar="ADDRESS", help="--trace: the host where it was captured.")
@click.option("-v", "--verbose", is_flag=True, help="List the known kinds too, and what did not show again.")
@click.option("--json", "json", is_flag=True, help="Write JSON to stdout, and nothing else.")
@click.pass_context
def command(ctx: click.Context, /, **options: Any) -> int:
    """Put random words of segments and calls to tulpen's engine and to the Linux that runs here.

    Words that lead to a pair of transitions not seen before are kept, and others grow
    out of them. At the first difference a word ends. A difference that the table of
    known ones explains is counted; any other is asked again, made as short as can be,
    and shown. Linux runs in a private network, tulpen in virtual time.

    With --serve two Linuxes in two private networks talk to each other, and tulpen's
    engine follows both ends of every connection: at every packet, would it have been
    allowed to do that, and is it in the state that the kernel says?

    Exit status: nothing new (0), a difference that nothing explains, or a packet that
    tulpen would not have sent (1).
    """
    if options["trace"]:
        return _read(options)
    if rest(ctx) or options["serve"]:
        return _follow(rest(ctx), options)
    from rich.console import Console

    from tulpen.compare.known import known
    from tulpen.compare.report import as_json, lines
    from tulpen.compare.run import Limits, compare
    from tulpen.compare.sides import Sides
    from tulpen.learn.engine import Engine
    from tulpen.learn.linux import Linux

    rows = known(options["known"])
    console = Console(stderr=options["json"], highlight=False)
    seed = random.randrange(1 << 32) if options["seed"] is None else options["seed"]
    seconds = options["seconds"] or (0.0 if options["words"] else 10.0)
    limits = Limits(words=options["words"] or 0, seconds=seconds, length=options["length"])
    word = _word(options["single"]) if options["single"] is not None else ()
    with contextlib.closing(Sides(Engine(), Linux())) as sides:
        names = (sides.one.name, sides.other.name)
        if word:
            return _show(sides.one, sides.other, word, console)
        with _telling(console) as tell:
            findings = compare(sides, rows, limits, seed, tell)
    if options["json"]:
        import json

        click.echo(json.dumps({"seed": seed, **as_json(findings, *names)}, indent=1))
    else:
        for line in lines(findings, rows, *names, verbose=options["verbose"]):
            console.print(line, soft_wrap=True, markup=False)
        console.print(f"seed {seed}", style="dim")
    return 1 if findings.new else 0


def _follow(client: list[str], options: dict[str, Any]) -> int:
    """Follow a server and its clients."""
    import shlex

    from tulpen.compare.live import CLIENT, SERVER, Cable

    if not (client and options["serve"]):
        raise click.UsageError("--serve takes a server, and the client's command stands after --")
    places = {"host": SERVER, "client": CLIENT}
    server = filled(shlex.split(options["serve"]), places)
    with contextlib.closing(Cable()) as cable:
        followed = cable.run(server, [filled(client, places)] * options["repeat"], seconds=options["seconds"] or 60.0)
    if not followed:
        raise click.ClickException("there was no connection: does the server listen on {host}?")
    return _tell(followed, options)


def _read(options: dict[str, Any]) -> int:
    """Follow what was captured."""
    from tulpen.compare.capture import followed
    from tulpen.wire.address import address

    if not options["host"]:
        raise click.UsageError("--trace needs --as ADDRESS: whose packets are to be judged?")
    try:
        host = address(options["host"])
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--as") from None
    return _tell(followed(options["trace"], host), options)


def _tell(followed: Followed, options: dict[str, Any]) -> int:
    """Show what was accepted and what was not; return the exit status."""
    from rich.console import Console

    from tulpen.compare.report import followed_as_json, followed_lines

    if options["json"]:
        import json

        click.echo(json.dumps(followed_as_json(followed), indent=1))
    else:
        console = Console(highlight=False)
        for line in followed_lines(followed, verbose=options["verbose"]):
            console.print(line, soft_wrap=True, markup=False)
    return 1 if any(follower.refusals for _, follower in followed) else 0


def _word(text: str) -> tuple[str, ...]:
    from tulpen.learn.alphabet import EVERYTHING

    word = tuple(text.split())
    for letter in word:
        if letter not in EVERYTHING:
            raise click.BadParameter(f"{letter!r} is none of {', '.join(EVERYTHING)}", param_hint="--word")
    if not word:
        raise click.BadParameter("a word has at least one letter", param_hint="--word")
    return word


def _show(one: Any, other: Any, word: tuple[str, ...], console: Console) -> int:
    """Write what both say to one word, to its end."""
    console.print(f"{'':<10} {one.name:<40} {other.name}", markup=False)
    differs = False
    one.begin()
    other.begin()
    for letter in word:
        mine, theirs = (f"{side.step(letter)}  {side.state()}" for side in (one, other))
        mark = "" if mine == theirs else "  <"
        differs = differs or mine != theirs
        console.print(f"{letter:<10} {mine:<40} {theirs}{mark}", markup=False, soft_wrap=True)
    one.end()
    other.end()
    return 1 if differs else 0


@contextlib.contextmanager
def _telling(console: Console) -> Iterator[Callable[[Findings], None]]:
    """Show how far it has got, where there is a terminal."""
    if not console.is_terminal:
        yield lambda _: None
        return
    with console.status("comparing") as status:
        yield lambda findings: status.update(
            f"{findings.words:,} words, {findings.pairs:,} pairs of transitions, {len(findings.new)} new"
        )
