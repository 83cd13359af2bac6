"""``tulpen doctor``: what is wrong with this machine's TCP, what proves it, whose it is, and what mends it."""

from __future__ import annotations

from contextlib import AbstractContextManager, ExitStack, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tulpen.cli.group import examples

if TYPE_CHECKING:
    from tulpen.doctor.examine import Examination
    from tulpen.doctor.limits import Limits
    from tulpen.doctor.place import Place

_AWAKE = 0.5  # seconds


@click.command(
    "doctor",
    epilog=examples(
        ("What is wrong here? As root it names every process", "tulpen doctor"),
        ("A rare thing: look for ten minutes, every two seconds", "sudo tulpen doctor --for 600 --interval 2"),
        ("Every container of this machine, for a script", "sudo tulpen doctor --all-netns --json"),
        ("The namespace of one process", "sudo tulpen doctor --pid 812"),
        ("The load balancer forgets after 350 s", "sudo tulpen doctor --idle 350"),
        ("A page, with the ladders of what passes", "sudo tulpen doctor --html page.html --pcap now.pcapng"),
        ("For Prometheus", "sudo tulpen doctor --metrics :9477"),
    ),
)
@click.option(
    "--for", "seconds", type=click.FloatRange(0.1), default=5.0, metavar="SECONDS", help="How long to look. [5]"
)
@click.option("--interval", type=click.FloatRange(0.05), default=1.0, metavar="SECONDS", help="Between looks. [1]")
@click.option("--netns", metavar="NAME", help="A network namespace: by name, container id or file.")
@click.option("--pid", type=click.IntRange(1), metavar="PID", help="The network namespace of this process.")
@click.option("--all-netns", is_flag=True, help="Every network namespace of the machine.")
@click.option(
    "--idle", type=click.FloatRange(1), metavar="SECONDS", help="The NAT's or load balancer's idle limit. [240]"
)
@click.option("--html", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write a page.")
@click.option(
    "--pcap",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write what passes meanwhile; the page has its ladders.",
)
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
@click.option("--metrics", metavar="[ADDRESS]:PORT", help="Serve Prometheus metrics instead, until interrupted.")
@click.option(
    "--otlp",
    metavar="URL",
    help="Send OpenTelemetry metrics instead (OTLP over HTTP, every --for seconds), until interrupted.",
)
def command(**options: Any) -> int:
    """Say what is wrong with this machine's TCP sockets.

    Looks several times, since totals since boot accuse nobody. Each finding has its
    evidence, the process, since when, the fix, and what would show it false. No
    setting is ever changed: the command that would is printed.

    Exit status: nothing wrong (0), something found (1), it cannot look there (2).
    """
    places, missing = _places(options)
    if options["metrics"] or options["otlp"]:
        if options["html"] or options["pcap"]:
            raise click.UsageError("--html and --pcap belong to one examination, not to --metrics or --otlp.")
        _metrics(options)
        return 0
    if options["pcap"] and options["all_netns"]:
        raise click.UsageError("--pcap listens in one network namespace.")
    examination = _examine(places, options)
    examination = examination._replace(missing=(*missing, *examination.missing))
    if options["html"]:
        from tulpen.doctor.page import examination_page

        options["html"].write_text(examination_page(examination, options["pcap"]), encoding="utf-8")
    _tell(examination, as_json=options["as_json"])
    return 1 if examination.findings else 0


def _places(options: dict[str, Any]) -> tuple[list[Place], tuple[str, ...]]:
    from tulpen.doctor import places
    from tulpen.doctor.place import Here

    if sum(bool(options[name]) for name in ("netns", "pid", "all_netns")) > 1:
        raise click.UsageError("--netns, --pid and --all-netns exclude each other.")
    if options["all_netns"]:
        return places.everywhere()
    if options["netns"]:
        return [places.named(options["netns"])], ()
    if options["pid"]:
        return [places.of_process(options["pid"])], ()
    return [Here()], ()


def _limits(options: dict[str, Any]) -> Limits:
    from tulpen.doctor.limits import Limits

    return Limits(idle=options["idle"]) if options["idle"] else Limits()


def _examine(places: list[Place], options: dict[str, Any]) -> Examination:
    from rich.console import Console

    from tulpen.breaker.place import terminable
    from tulpen.doctor.examine import examine

    quiet = options["as_json"]
    with (
        terminable(),
        _hearing(places, options["pcap"]),
        nullcontext() if quiet else Console(stderr=True).status("") as status,
    ):

        def tell(left: float) -> None:
            if status is not None:
                status.update(f"looking: {left:.0f} s more")

        return examine(
            places, seconds=options["seconds"], interval=options["interval"], limits=_limits(options), tell=tell
        )


def _hearing(places: list[Place], path: Path | None) -> AbstractContextManager[object]:
    if path is None:
        return nullcontext()
    from tulpen.doctor.hearing import Hearing

    return Hearing(places[0], path)


def _tell(examination: Examination, *, as_json: bool) -> None:
    from tulpen.doctor import report

    if as_json:
        from tulpen.show.table import json_text

        click.echo(json_text(report.as_dict(examination)))
        return
    from rich.console import Console

    console = Console()
    for line in report.lines(examination, console.width if console.is_terminal else 0):
        console.print(line, soft_wrap=True)


def _metrics(options: dict[str, Any]) -> None:
    """Serve or send numbers until interrupted."""
    import signal
    import threading

    from tulpen.doctor.metrics.gauges import Gauges
    from tulpen.doctor.metrics.movements import Movements

    left = threading.Event()
    with ExitStack() as stack:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            stack.callback(signal.signal, number, signal.signal(number, lambda *_: left.set()))
        movements = Movements()
        stack.callback(movements.close)
        if movements.why_not:
            click.echo(f"tulpen: no transitions and no reasons of resets: {movements.why_not}", err=True)
        gauges = Gauges(lambda: _places(options)[0], _limits(options), [movements.measures])
        if options["metrics"]:
            from tulpen.doctor.metrics.prometheus import serve

            address, port = _address(options["metrics"])
            port, end = serve(gauges, address, port)
            stack.callback(end)
            click.echo(f"http://{address or 'localhost'}:{port}/metrics", err=True)
        if options["otlp"]:
            from tulpen.doctor.metrics.otlp import send

            stack.callback(send(gauges, options["otlp"], max(1.0, options["seconds"])))
        while not left.wait(_AWAKE):  # a signal just before the wait would not end it
            pass


def _address(text: str) -> tuple[str, int]:
    """Return what ``:9477`` or ``127.0.0.1:9477`` means."""
    address, colon, port = text.rpartition(":")
    if not colon or not port.isdecimal() or int(port) > 65_535:
        raise click.BadParameter(f"{text!r} is no [ADDRESS]:PORT, as :9477 is.", param_hint="--metrics")
    return address.strip("[]"), int(port)
