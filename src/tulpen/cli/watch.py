"""``tulpen watch``: every transition of this machine's TCP, and how each connection ended."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import time
from typing import TYPE_CHECKING, Any, Final

import click

from tulpen.cli.group import examples

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tulpen.tcp.state import State
    from tulpen.watch.chosen import Chosen
    from tulpen.watch.ended import Ended
    from tulpen.watch.source import Source
    from tulpen.watch.verdict import Ending

_FRAME: Final = 0.5  # seconds between two drawings of the screen
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@click.command(
    "watch",
    epilog=examples(
        ("A live screen of the machine", "sudo tulpen watch"),
        ("A line for each connection of port 443 that ends", "sudo tulpen watch --lines --port 443"),
        ("Those that did not end well, for ten seconds", "sudo tulpen watch --bad --for 10"),
        ("Connections of nginx, as JSON", "sudo tulpen watch --process nginx --json | jq .ending"),
        ("Without privileges: what the kernel tells everybody", "tulpen watch --closes"),
    ),
)
@click.option("--port", "ports", type=click.IntRange(1, 65535), multiple=True, metavar="PORT", help="At either end.")
@click.option("--process", "processes", multiple=True, metavar="NAME|PID", help="Connections of this process.")
@click.option("--state", "states", multiple=True, metavar="STATE", help="Those that were in this state.")
@click.option("--ending", "endings", multiple=True, metavar="WORDS", help='Those that ended so: "reset by peer".')
@click.option("--bad", is_flag=True, help="Those that did not end with both FINs.")
@click.option("--for", "seconds", type=click.FloatRange(min=0), metavar="SECONDS", help="Stop after so long.")
@click.option("--count", type=click.IntRange(1), metavar="N", help="Stop after N connections.")
@click.option("--lines", is_flag=True, help="A line for each connection that ends, and no screen.")
@click.option("--json", "as_json", is_flag=True, help="A line of JSON for each connection that ends.")
@click.option("--closes", is_flag=True, help="What the kernel tells everybody: closes alone, no tracing.")
@click.option("--no-octets", is_flag=True, help="Do without octets: less work for the machine.")
def command(**options: Any) -> int:
    """Tell each TCP connection that ends on this machine: how it opened, how it ended, and whose it was.

    Tracepoints tell every transition, in all network namespaces; what they hide, TIME-WAIT
    above all, is put in from the table of the state machine and bears a question mark. Each
    end of a connection is told by itself. A connection that was there before has no
    beginning. The trace instance that is made for this is removed at the end.

    Without privileges the kernel still tells of every socket that it destroys in this
    network namespace, and its last numbers.

    Exit status: all was told (0), the kernel had no room for some events, and says for how
    many (1), it cannot be watched here (2).
    """
    chosen = _chosen(options)
    with _stop() as stop:
        source = _source(options, chosen)
        try:
            for note in source.notes:
                click.echo(f"tulpen: {note}", err=True)
            with _shower(options, source) as show:
                told = _watch(source, chosen, stop, show, options)
        finally:
            source.close()
    return _say_goodbye(source, told)


def _watch(
    source: Source,
    chosen: Chosen,
    stop: Callable[[float, list[int]], bool],
    show: Callable[[list[Ended]], None],
    options: dict[str, Any],
) -> int:
    """Poll until it is enough; return how many connections were told."""
    until = None if options["seconds"] is None else time.monotonic() + options["seconds"]
    count, told = options["count"], 0
    while True:
        left = 0.2 if until is None else min(0.2, until - time.monotonic())
        last = left <= 0 or stop(left, source.descriptors)
        ended = (source.finish if last else source.poll)(chosen.wants)
        ended = [each for each in ended if chosen.takes(each)]
        if count is not None and told + len(ended) >= count:
            ended, last = ended[: count - told], True
        told += len(ended)
        show(ended)
        if last:
            source.refresh()
            return told


def _chosen(options: dict[str, Any]) -> Chosen:
    from tulpen.watch.chosen import Chosen
    from tulpen.watch.verdict import Ending

    endings = frozenset(_ending(words) for words in options["endings"])
    if options["bad"]:
        endings |= frozenset(Ending) - {Ending.ORDERLY, Ending.HALF_CLOSED}
    return Chosen(
        frozenset(options["ports"]),
        frozenset(options["processes"]),
        frozenset(_state(name) for name in options["states"]),
        endings,
    )


def _state(name: str) -> State:
    from tulpen.tcp.state import State

    wanted = name.upper().replace("-", "_")
    wanted = {"ESTAB": "ESTABLISHED", "SYN_RECV": "SYN_RECEIVED", "CLOSE": "CLOSED"}.get(wanted, wanted)
    wanted = wanted.replace("FIN_WAIT1", "FIN_WAIT_1").replace("FIN_WAIT2", "FIN_WAIT_2")
    if wanted not in State.__members__:
        names = ", ".join(state.title.lower() for state in State)
        raise click.BadParameter(f"{name!r} is none of {names}", param_hint="--state")
    return State[wanted]


def _ending(words: str) -> Ending:
    from tulpen.watch.verdict import Ending

    for ending in Ending:
        if words.lower().replace("-", " ") == ending.value.replace("-", " "):
            return ending
    names = ", ".join(f'"{ending.value}"' for ending in Ending)
    raise click.BadParameter(f"{words!r} is none of {names}", param_hint="--ending")


def _source(options: dict[str, Any], chosen: Chosen) -> Source:
    from tulpen.kernel.tracefs import CannotTrace
    from tulpen.watch.closes import Closes
    from tulpen.watch.traced import Traced

    if options["closes"]:
        return Closes()
    try:
        return Traced(ports=chosen.ports, octets=not options["no_octets"])
    except CannotTrace as error:
        source = Closes()
        source.notes.insert(0, f"{error}: {error.remedy}")
        return source


@contextlib.contextmanager
def _shower(options: dict[str, Any], source: Source) -> Iterator[Callable[[list[Ended]], None]]:
    """Give what shows connections that ended, and whatever else there is to see."""
    out = sys.stdout
    if not (options["as_json"] or options["lines"]) and out.isatty():
        with _screen(source) as show:
            yield show
    elif options["as_json"]:

        def as_json(ended: list[Ended]) -> None:
            out.write("".join([each.as_json() + "\n" for each in ended]))
            out.flush()

        yield as_json
    else:

        def as_lines(ended: list[Ended]) -> None:
            out.write("".join([printable(each.as_line()) + "\n" for each in ended]))
            out.flush()

        from tulpen.show.label import printable

        yield as_lines


@contextlib.contextmanager
def _screen(source: Source) -> Iterator[Callable[[list[Ended]], None]]:
    from rich.console import Console
    from rich.live import Live

    from tulpen.watch.activity import Activity
    from tulpen.watch.screen import Screen

    activity, drawn = Activity(), 0.0
    try:
        with Live(console=Console(), screen=True, auto_refresh=False) as live:

            def show(ended: list[Ended]) -> None:
                nonlocal drawn
                activity.add(ended)
                if time.monotonic() - drawn > _FRAME:
                    source.refresh()
                    activity.look(source.tally)
                    live.update(Screen(activity, source.tally, source.notes), refresh=True)
                    drawn = time.monotonic()

            yield show
    finally:
        activity.close()
    for ending, number in activity.endings.most_common():
        click.echo(f"{number:>9,}  {ending}")


@contextlib.contextmanager
def _stop() -> Iterator[Callable[[float, list[int]], bool]]:
    """Give a function that waits so many seconds, or until a descriptor is ready; it says whether a signal came."""
    reader, writer = os.pipe()
    before = {number: signal.signal(number, lambda *_: os.write(writer, b"!") and None) for number in _SIGNALS}
    try:
        yield lambda seconds, more: reader in select.select([reader, *more], [], [], seconds)[0]
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(reader)
        os.close(writer)


def _say_goodbye(source: Source, told: int) -> int:
    tally = source.tally
    words = f"{told:,} {'end' if told == 1 else 'ends'} of connections, {tally.events:,} events"
    if tally.lost:
        words += f"; {tally.lost:,} events were lost, so some ends are missing or incomplete"
    click.echo(f"tulpen: {words}", err=True)
    return 1 if tally.lost else 0
