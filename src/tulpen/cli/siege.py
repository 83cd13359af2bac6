"""``tulpen break --server``: the program is a server, and its clients misbehave."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from tulpen.cli.break_ import environment, save

if TYPE_CHECKING:
    from rich.console import Console

    from tulpen.breaker.siege.plan import SiegePlan
    from tulpen.breaker.siege.report import SiegeReport, SiegeResult

NOT_HERE = ("upstream", "body")


def siege(options: dict[str, Any], argv: list[str]) -> int:
    """Run the server under each kind of bad client; return the exit status."""
    from rich.console import Console

    from tulpen.breaker.siege.run import run

    if not argv:
        raise click.UsageError("--server needs the server's command after --")
    for name in NOT_HERE:
        if options[name] is not None:
            raise click.UsageError(f"--{name} is of no use with --server")
    plan = _plan(options, argv)
    console = Console(stderr=options["json"], highlight=False)
    status = console.status("the server alone ...") if console.is_terminal else None
    done = 0

    def tell(result: SiegeResult) -> None:
        nonlocal done
        done += 1
        if status is not None:
            status.update(f"{done} of {len(plan.choices)} kinds of bad clients ...")

    if status is not None:
        status.start()
    try:
        report = run(plan, tell)
    finally:
        if status is not None:
            status.stop()
    _write(options, report, argv, console)
    return 1 if report.found else 0


def _plan(options: dict[str, Any], argv: list[str]) -> SiegePlan:
    from tulpen.breaker.siege.plan import SiegePlan
    from tulpen.faults.clients.catalogue import CLIENTS, choose

    names = options["faults"] or [client.name for client in CLIENTS]
    return SiegePlan(
        choices=tuple(choose(name) for name in names),
        command=tuple(argv),
        port=options["server"],
        request=options["request"].read_bytes() if options["request"] else None,
        deadline=options["deadline"],
        seconds=options["seconds"],
        family=6 if options["six"] else 4,
        env=environment(options),
        seed=options["seed"],
        jobs=options["jobs"] or 3,
        pcap=options["pcap"],
        device=options["device"],
    )


def _write(options: dict[str, Any], report: SiegeReport, argv: list[str], console: Console) -> None:
    from tulpen.breaker.siege import outputs
    from tulpen.breaker.siege.table import show

    if options["json"]:
        click.echo(outputs.as_json(report))
    else:
        show(report, console)
    if options["junit"] is not None:
        save(options["junit"], outputs.as_junit(report))
    if options["html"] is not None:
        save(options["html"], outputs.as_page(report, options["html"]))
    if options["pin"] is not None:
        save(options["pin"], outputs.as_test(report, _arguments(options), argv))


def _arguments(options: dict[str, Any]) -> list[str]:
    """Return the options that a repetition needs."""
    argv = [f"--server={options['server']}", f"--deadline={options['deadline']:g}", f"--seed={options['seed']}"]
    argv += [f"--seconds={options['seconds']:g}"]
    argv += [f"--request={options['request'].resolve()}"] if options["request"] else []
    argv += [f"--env={setting}" for setting in options["env"]]
    return argv + (["-6"] if options["six"] else [])
