"""``tulpen lab``: an incident of TCP's life, made to happen, with its fix."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tulpen.cli.group import examples
from tulpen.errors import TulpenError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tulpen.lab.ground import Backend
    from tulpen.lab.incident import Account, Incident
    from tulpen.lab.run import Agreement


@click.command(
    "lab",
    epilog=examples(
        ("What incidents are there?", "tulpen lab"),
        ("One of them, in virtual time", "tulpen lab close"),
        ("On the Linux that runs here, in a private network", "tulpen lab simultaneous-open --on kernel"),
        ("Where tulpen and Linux agree", "tulpen lab close --on all"),
        ("The theory, with its sections", "tulpen lab handshake --explain"),
        ("With another setting", "tulpen lab close --set tcp_timestamps=0"),
        ("A page with ladders and plots; a capture", "tulpen lab close --html close.html --pcap close.pcapng"),
    ),
)
@click.argument("name", required=False, metavar="[INCIDENT]")
@click.option("--on", "where", type=click.Choice(["sim", "stack", "kernel", "all"]), default="sim", show_default=True,
              help="Virtual time; tulpen hosts in real time; Linux; or each in turn.")  # fmt: skip
@click.option("--set", "sets", multiple=True, metavar="NAME=VALUE", help="A sysctl of every machine.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of what is drawn by lot; sim repeats it exactly.")
@click.option("--full", is_flag=True, help="As large as in life, where that takes minutes.")
@click.option("--spoil", is_flag=True, help="Break something on purpose: a claim must fail.")
@click.option("--explain", is_flag=True, help="Tell the theory, and end.")
@click.option("--html", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write a page.")
@click.option("--pcap", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
              help="Write what the first machine sends and receives.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def command(name: str | None, **options: Any) -> int:
    """Make an incident happen, see what to look at, and what its fix changes.

    Without a name, list the incidents. Nothing leaves memory or a private network.

    Exit status: all claims held and no difference is unexplained (0), or not (1).
    """
    from tulpen.lab.catalogue import named

    if name is None:
        return _list(options["as_json"])
    incident = named(name)
    if options["explain"]:
        return _explain(incident)
    backends = _backends(incident, options["where"])
    from tulpen.breaker.place import terminable

    with terminable():
        accounts = [_run(incident, backend, options, len(backends) > 1) for backend in backends]
    from tulpen.lab.run import side_by_side

    rows = side_by_side(incident, accounts)
    _tell_all(incident, accounts, rows, options)
    return 0 if all(account.held for account in accounts) and all(row.fine for row in rows) else 1


def _list(as_json: bool) -> int:
    from rich.console import Console

    from tulpen.lab.catalogue import everything
    from tulpen.show.table import Column, Table, json_text

    columns: list[Column[Incident]] = [
        Column("name", "incident", lambda row: row.name),
        Column("backends", "on", lambda row: " ".join(backend.value for backend in row.backends)),
        Column("summary", "what happens", lambda row: row.summary, least=20),
    ]
    table = Table(columns, list(everything()))
    if as_json:
        click.echo(json_text(table))
    else:
        Console().print(table)
    return 0


def _explain(incident: Incident) -> int:
    import textwrap

    click.echo(f"{incident.name}: {incident.summary}\n")
    click.echo("\n\n".join(textwrap.fill(part, 80) for part in incident.theory.split("\n\n")))
    for fact, why in incident.explained.items():
        click.echo("\n" + textwrap.fill(f"Where backends differ: {fact}: {why}.", 80))
    return 0


def _backends(incident: Incident, where: str) -> tuple[Backend, ...]:
    from tulpen.lab.ground import Backend

    return incident.backends if where == "all" else (Backend(where),)


def _run(incident: Incident, backend: Backend, options: dict[str, Any], several: bool) -> Account:
    from functools import partial

    from rich.console import Console

    from tulpen.lab.run import run
    from tulpen.lab.tell import tell

    console = Console()
    quiet = options["as_json"]
    if several and not quiet:
        console.rule(f"{incident.name} on {backend.value}: {backend.words}", align="left")
    pcap = options["pcap"]
    if pcap is not None and several:
        pcap = pcap.with_stem(f"{pcap.stem}-{backend.value}")
    with Console(stderr=True).status("") as status:
        if not sys.stderr.isatty():
            status.stop()
        return run(
            incident, backend, seed=options["seed"], settings=_settings(options["sets"]), full=options["full"],
            spoiled=options["spoil"], tell=None if quiet else partial(tell, console), pcap=pcap,
            progress=lambda what, done, total: status.update(f"{what}: {done:,} of {total:,}"),
        )  # fmt: skip


def _settings(sets: tuple[str, ...]) -> dict[str, int | str | bool | tuple[int, ...]]:
    found: dict[str, int | str | bool | tuple[int, ...]] = {}
    for each in sets:
        name, equals, value = each.partition("=")
        if not equals or not name.strip():
            raise TulpenError(f"--set {each}: that is no NAME=VALUE", "for example --set tcp_tw_reuse=1")
        found[name.strip().rpartition(".")[2]] = value.strip()
    return found


def _tell_all(
    incident: Incident, accounts: Sequence[Account], rows: Sequence[Agreement], options: dict[str, Any]
) -> None:
    if options["html"] is not None:
        from tulpen.lab.page import report

        options["html"].write_text(report(incident, accounts, rows), encoding="utf-8")
    if options["as_json"]:
        from tulpen.lab.as_json import as_dict
        from tulpen.show.table import json_text

        click.echo(json_text(as_dict(incident, accounts, rows)))
    elif len(accounts) > 1:
        from rich.console import Console

        from tulpen.lab.tell import agreements

        Console().print(agreements(accounts, rows))
