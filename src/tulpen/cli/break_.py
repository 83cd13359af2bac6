"""``tulpen break``: run a program against a TCP that misbehaves, and see what it does."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from tulpen.cli.group import examples
from tulpen.cli.inside import TakesCommand, rest
from tulpen.errors import TulpenError

if TYPE_CHECKING:
    from rich.console import Console

    from tulpen.breaker.plan import Plan
    from tulpen.breaker.report import Report, Result

DEADLINE: Final = 10.0
SIZE: Final = 100_000
SAMPLE: Final = 4000  # octets of the page whose way is drawn: three segments


@click.command(
    "break",
    cls=TakesCommand,
    epilog=examples(
        ("What does Python's own HTTP client do?", "tulpen break"),
        ("And curl, with a timeout of its own?", "tulpen break -- curl -sS -m 5 {url}"),
        ("One fault, closely", "tulpen break --fault rst-at-byte:bytes=100 --ladder all -- curl -s {url}"),
        (
            "A real client of a real PostgreSQL",
            "tulpen break --upstream localhost:5432 -- psql -h {host} -c 'select 1'",
        ),
        ("In CI: a report, and a test that holds it", "tulpen break --junit r.xml --pin test_tcp.py -- ./app {url}"),
        ("A server, and bad clients", "tulpen break --server 8000 -- python3 -m http.server 8000"),
    ),
)
@click.option("--fault", "faults", multiple=True, metavar="NAME[:PARAMETER=NUMBER,...]", help="Only this; repeatable.")
@click.option("--list", "listing", is_flag=True, help="List the faults with their parameters, and leave.")
@click.option(
    "--deadline",
    type=click.FloatRange(0.1),
    default=DEADLINE,
    show_default=True,
    metavar="SECONDS",
    help="What is not finished by then hangs.",
)
@click.option(
    "--upstream", metavar="HOST:PORT", help="A real server behind the faults, instead of a small HTTP server."
)
@click.option(
    "--body", type=click.Path(exists=True, dir_okay=False), metavar="FILE", help="What the HTTP server serves."
)
@click.option(
    "--body-size", type=click.IntRange(0), default=SIZE, show_default=True, metavar="OCTETS", help="Serve so much text."
)
@click.option(
    "--type", "media_type", default="text/plain", show_default=True, help="The Content-Type of what is served."
)
@click.option(
    "--framing",
    type=click.Choice(["length", "chunked", "close"]),
    default="length",
    show_default=True,
    help="How the HTTP server tells the end of an answer.",
)
@click.option(
    "--env", "env", multiple=True, metavar="NAME=VALUE", help="Set a variable for the command; {url} is filled in."
)
@click.option("-4", "four", is_flag=True, help="IPv4 (as without it).")
@click.option("-6", "six", is_flag=True, help="IPv6.")
@click.option("--seed", type=int, default=1, show_default=True, help="Decides what is lost, delayed, damaged.")
@click.option("--jobs", type=click.IntRange(1), help="Faults at a time. [32; bad clients: 3]")
@click.option("--ladder", type=click.Choice(["none", "control", "all"]), help="Draw the conversations. [control]")
@click.option("--json", "json", is_flag=True, help="Write JSON to stdout, and nothing else.")
@click.option("--junit", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write JUnit's XML.")
@click.option(
    "--html", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write a page with everything."
)
@click.option("--pcap", type=click.Path(file_okay=False, path_type=Path), metavar="DIR", help="Keep the captures.")
@click.option(
    "--pin",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write a pytest test that repeats the run and expects the same.",
)
@click.option(
    "--server",
    type=click.IntRange(1, 65535),
    metavar="PORT",
    help="COMMAND is a server on PORT; its clients misbehave.",
)
@click.option(
    "--request",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="With --server: what a client asks, instead of HTTP; any answer will do.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(0.1),
    default=2.0,
    show_default=True,
    help="With --server: how long bad clients stay.",
)
@click.option("--device", type=click.Choice(["auto", "tun", "veth"]), default="auto", hidden=True)
@click.pass_context
def command(ctx: click.Context, /, **options: Any) -> int:
    """Run COMMAND once for every fault, in a private network where its server misbehaves.

    The server is a tulpen host: {url}, {host} and {port} in COMMAND become where it is
    (TULPEN_URL, TULPEN_HOST and TULPEN_PORT in its environment say the same), {out}
    becomes a file whose content counts as output. Without COMMAND the victim is
    Python's own HTTP client.

    Outcomes: ok; error (it said so); hang (still at it at the deadline); wrong (it said
    that all was well, and its output is not that of the run with a healthy server).

    Exit status: nothing hung, nothing was wrong and no error was out of place (0), or
    something was (1); 2 where tulpen could not try.
    """
    if options["listing"]:
        _list(server=options["server"] is not None)
        return 0
    if options["four"] and options["six"]:
        raise click.UsageError("-4 and -6 exclude each other")
    if options["server"] is None:
        return _break(options, rest(ctx))
    from tulpen.cli.siege import siege

    return siege(options, rest(ctx))


def _break(options: dict[str, Any], argv: list[str]) -> int:
    from rich.console import Console

    from tulpen.breaker.run import run

    plan = _plan(options, argv)
    console = Console(stderr=options["json"], highlight=False)
    progress = _Progress(console, plan, options)
    with progress:
        report = run(plan, progress.tell)
    _write(options, report, argv, console)
    return 1 if report.found else 0


def _plan(options: dict[str, Any], argv: list[str]) -> Plan:
    from tulpen.breaker.plan import BUILT_IN, Plan
    from tulpen.faults.catalogue import FAULTS, choose
    from tulpen.faults.http import Framing, Page, numbered_lines

    draw = not options["json"] and ladder(options) != "none"
    names = options["faults"] or [fault.name for fault in FAULTS]
    body = Path(options["body"]).read_bytes() if options["body"] else numbered_lines(options["body_size"])
    return Plan(
        choices=tuple(choose(name) for name in names),
        command=tuple(argv) or BUILT_IN,
        deadline=options["deadline"],
        family=6 if options["six"] else 4,
        upstream=_upstream(options["upstream"]),
        page=Page(body, options["media_type"]),
        framing=Framing[{"close": "UNTIL_CLOSE"}.get(options["framing"], options["framing"].upper())],
        draw=draw,
        sample=None if options["body"] or options["upstream"] or not draw else Page(numbered_lines(SAMPLE)),
        env=environment(options),
        seed=options["seed"],
        jobs=options["jobs"] or 32,
        pcap=options["pcap"],
        device=options["device"],
    )


def environment(options: dict[str, Any]) -> dict[str, str]:
    """Return what --env sets."""
    env = {}
    for setting in options["env"]:
        name, equals, value = setting.partition("=")
        if not (name and equals):
            raise click.UsageError(f"--env takes NAME=VALUE, not {setting!r}")
        env[name] = value
    return env


def _upstream(text: str | None) -> tuple[str, int] | None:
    """Return host and port, once it is known that somebody answers there."""
    if text is None:
        return None
    import socket

    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not (colon and host and port.isdigit()):
        raise click.UsageError(f"--upstream takes HOST:PORT, not {text!r}")
    try:
        with socket.create_connection((host, int(port)), timeout=5) as connection:
            found: str = connection.getpeername()[0]
    except OSError as error:
        raise TulpenError(
            f"nothing answers at {text}: {error.strerror or error}", "Start the real server first."
        ) from None
    return found, int(port)


def ladder(options: dict[str, Any]) -> str:
    """Return which conversations are drawn: the control's, unless faults were chosen."""
    asked: str | None = options["ladder"]
    return asked or ("none" if options["faults"] else "control")


class _Progress:
    """Draws the control's conversation as soon as it is there, and counts the rest."""

    def __init__(self, console: Console, plan: Plan, options: dict[str, Any]) -> None:
        self._console = console
        self._total = len(plan.choices)
        self._done = 0
        self._ladder = ladder(options)
        self._quiet = options["json"]
        self._status = console.status("the control ...") if console.is_terminal else None

    def __enter__(self) -> None:
        if self._status is not None:
            self._status.start()

    def __exit__(self, *_: object) -> None:
        if self._status is not None:
            self._status.stop()

    def tell(self, result: Result) -> None:
        """One more is done."""
        from tulpen.breaker.table import conversations

        control = result.choice.fault.name == "healthy"
        if not self._quiet and (self._ladder == "all" or (self._ladder == "control" and control)):
            for line in conversations(result):
                self._console.print(line)
        self._done += not control
        if self._status is not None:
            self._status.update(f"{self._done} of {self._total} faults ...")


def _write(options: dict[str, Any], report: Report, argv: list[str], console: Console) -> None:
    if options["json"]:
        from tulpen.breaker.as_json import as_json

        click.echo(as_json(report))
    else:
        from tulpen.breaker.table import show

        show(report, console)
    if options["junit"] is not None:
        from tulpen.breaker.junit import as_junit

        save(options["junit"], as_junit(report))
    if options["html"] is not None:
        from tulpen.breaker.html import as_page

        save(options["html"], as_page(report, options["html"]))
    if options["pin"] is not None:
        from tulpen.breaker.pin import as_test

        save(options["pin"], as_test(report, _arguments(options), argv))


def save(path: Path, text: str) -> None:
    """Write a file that was asked for."""
    path.write_text(text, encoding="utf-8")
    click.echo(f"tulpen: wrote {path}", err=True)


def _arguments(options: dict[str, Any]) -> list[str]:
    """Return the options that a repetition needs."""
    argv = [f"--deadline={options['deadline']:g}", f"--seed={options['seed']}"]
    for name, default in (
        ("upstream", None),
        ("body", None),
        ("body_size", SIZE),
        ("media_type", "text/plain"),
        ("framing", "length"),
    ):
        if options[name] != default:
            value = str(Path(options[name]).resolve()) if name == "body" else options[name]
            argv.append(f"--{name.replace('media_', '').replace('_', '-')}={value}")
    argv += [f"--env={setting}" for setting in options["env"]]
    return argv + (["-6"] if options["six"] else [])


def _list(*, server: bool) -> None:
    from tulpen.faults.catalogue import FAULTS
    from tulpen.faults.clients.catalogue import CLIENTS

    for each in CLIENTS if server else FAULTS:
        click.echo(each.name)
        click.echo(f"    {each.says(each.values())}")
        for parameter in each.parameters:
            click.echo(f"    {parameter.name}={parameter.default:g}: {parameter.meaning}")
