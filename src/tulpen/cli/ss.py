"""``tulpen ss``: the kernel's TCP sockets, whose they are, and how many of which kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from tulpen.cli.group import examples

if TYPE_CHECKING:
    from tulpen.kernel.snapshot import Snapshot, Wanted

_UDP = "TCP alone is shown: UDP has no states"
_WAYS = ("state", "peer", "port", "process", "user", "netns")


@click.command(
    "ss",
    epilog=examples(
        ("Every TCP socket and the processes that hold them", "tulpen ss -p"),
        ("Who leaks CLOSE-WAIT?", "tulpen ss --by process state close-wait"),
        ("Which state are they all in?", "tulpen ss --by state"),
        ("The clients of a server, the most frequent first", "tulpen ss --by peer sport = :443"),
        ("Timers, memory, tcp_info of the connections to one network", "tulpen ss -pomi dst 10.0.0.0/8"),
        ("Listeners, their accept queues, backlogs and drops", "tulpen ss -lp --sort drops"),
        ("Every container", "tulpen ss --all-netns -p state established"),
        ("What one program has open", "tulpen ss -p process = nginx and not dport = :5432"),
        ("Every two seconds, the longest receive queues", "tulpen ss --watch 2 --sort recv-q --top 20"),
        ("For a program", "tulpen ss --json state established | jq '.sockets[0]'"),
    ),
)
@click.argument("words", nargs=-1, metavar="[FILTER]...")
@click.option("-p", "--processes", is_flag=True, help="Who holds each socket: name, pid, descriptor.")
@click.option("-o", "--timers", is_flag=True, help="The timer, when it runs out, how often it has.")
@click.option("-e", "--extended", is_flag=True, help="The user, the inode, the cookie.")
@click.option("-m", "--memory", is_flag=True, help="The buffers, their limits, what was dropped.")
@click.option("-i", "--info", is_flag=True, help="tcp_info and the congestion control.")
@click.option("-l", "--listening", is_flag=True, help="Listeners alone: RECV-Q is the accept queue, SEND-Q its limit.")
@click.option("-4", "--ipv4", "family", flag_value="4", help="Sockets of IPv4 alone.")
@click.option("-6", "--ipv6", "family", flag_value="6", help="Sockets of IPv6 alone.")
@click.option(
    "-N", "--net", "namespace", metavar="NAME", default="", help="Another network namespace: its name, or a pid."
)
@click.option("--all-netns", "everywhere", is_flag=True, help="All network namespaces of this machine, in one table.")
@click.option("--by", type=click.Choice(_WAYS), help="Count the sockets instead of listing them.")
@click.option("-s", "--summary", is_flag=True, help="Totals: sockets in use, orphans, TIME-WAIT, memory; and by state.")
@click.option("--sort", "order", metavar="COLUMN", help="Sort by a column, the largest first; -COLUMN: the smallest.")
@click.option("--top", type=click.IntRange(1), metavar="N", help="Show so many lines at most.")
@click.option("--watch", type=click.FloatRange(0.1), metavar="SECONDS", help="Again and again, until interrupted.")
@click.option("--bpf/--no-bpf", default=None, help="Who holds them: by BPF, or from /proc. [as is cheaper]")
@click.option("-H", "--no-header", is_flag=True, help="No line of titles.")
@click.option("--json", "json", is_flag=True, help="Write JSON to stdout; with --watch, one line each time.")
@click.option("-t", "-a", "-n", "--all", "--numeric", "_", is_flag=True, hidden=True, help="As always here.")
@click.option("-u", "--udp", "udp", is_flag=True, hidden=True, help="UDP: there is none here, which a note says.")
@click.pass_context
def command(ctx: click.Context, /, **options: Any) -> int:
    """List the TCP sockets of this machine's kernel, of all users.

    A filter is what ss takes: `state close-wait`, `exclude time-wait`, `dport = :443`,
    `sport < 1024`, `src` and `dst` with an address, a prefix or a port, `and`, `or`,
    `not`, parentheses (quoted for the shell); and beside that `process = nginx`,
    `pid = 42`, `user = www-data`, `inode = 7`, `dev = eth0`.

    No privilege is needed for the table. What lacks a right, the processes of other
    users, stands as `?`, and a note on stderr says so.

    Exit status: shown (0), a filter or an environment it cannot work with (2).
    """
    from tulpen.kernel.snapshot import Source

    source = Source(_wanted(options))
    try:
        if options["watch"]:
            return _watch(ctx, source.take, options)
        _show(ctx, source.take(), options)
    finally:
        source.close()
    return 0


def _wanted(options: dict[str, Any]) -> Wanted:
    import socket

    from tulpen.kernel.dump import BOTH, EVERY_STATE, LISTENERS
    from tulpen.kernel.selection import selection
    from tulpen.kernel.snapshot import Wanted

    return Wanted(
        selection(options["words"]),
        LISTENERS if options["listening"] else EVERY_STATE,
        {"4": int(socket.AF_INET), "6": int(socket.AF_INET6)}.get(options["family"], BOTH),
        details=(options["memory"] or options["info"]) and not options["by"],
        processes=options["processes"] or options["by"] == "process" or options["order"] in ("process", "-process"),
        bpf=options["bpf"],
        everywhere=options["everywhere"],
        namespace=options["namespace"],
    )


def _show(ctx: click.Context, snapshot: Snapshot, options: dict[str, Any]) -> None:
    """Write one snapshot."""
    if options["json"]:
        import json

        document = _as_json(snapshot, options)
        click.echo(json.dumps(document, indent=None if options["watch"] else 1))
        return
    _write(ctx, _lines(snapshot, options), titled=not options["no_header"])
    for note in [_UDP] * options["udp"] + snapshot.notes:
        click.echo(click.style(note, dim=True), err=True, color=ctx.color)


def _lines(snapshot: Snapshot, options: dict[str, Any]) -> list[str]:
    header, top = not options["no_header"], options["top"]
    if options["summary"]:
        from tulpen.kernel.summary import summary_lines

        return summary_lines(snapshot.views)
    if options["by"]:
        from tulpen.kernel.tally import tally, tally_lines

        return tally_lines(tally(snapshot.views, options["by"]), options["by"], header=header, limit=top)
    from tulpen.kernel.listing import columns, lines

    shown = columns(
        everywhere=options["everywhere"],
        timers=options["timers"],
        extended=options["extended"],
        processes=options["processes"],
    )
    return list(
        lines(
            snapshot.views,
            shown,
            header=header,
            memory=options["memory"],
            info=options["info"],
            order=_order(snapshot, options),
            limit=top,
        )
    )


def _order(snapshot: Snapshot, options: dict[str, Any]) -> list[int] | None:
    if not options["order"]:
        return None
    from tulpen.kernel.listing import column, ranking

    key = options["order"]
    return ranking(snapshot.views, column(key.removeprefix("-")), largest_first=not key.startswith("-"))


def _as_json(snapshot: Snapshot, options: dict[str, Any]) -> dict[str, Any]:
    rest: dict[str, Any] = {"notes": snapshot.notes}
    if snapshot.processes is not None:
        rest["processes_from"] = snapshot.processes.how
    if options["summary"]:
        from tulpen.kernel.summary import summary

        return {**summary(snapshot.views), **rest}
    if options["by"]:
        from tulpen.kernel.tally import tally

        counts = tally(snapshot.views, options["by"])[: options["top"]]
        return {"by": options["by"], "counts": [count.as_json() for count in counts], **rest}
    from tulpen.kernel.records import as_json

    rows = [(view, row) for view in snapshot.views for row in view.rows]
    order = _order(snapshot, options)
    chosen = rows if order is None else [rows[place] for place in order]
    return {"sockets": [as_json(view, row) for view, row in chosen[: options["top"]]], **rest}


def _write(ctx: click.Context, lines: list[str], *, titled: bool) -> None:
    """Write lines at once; what could steer a terminal is written as an escape."""
    if not all(map(str.isprintable, lines)):
        from tulpen.show.label import printable

        lines = [printable(line) for line in lines]
    if titled and lines:
        lines[0] = click.style(lines[0], bold=True)
    if lines:
        click.echo("\n".join(lines), color=ctx.color)


def _watch(ctx: click.Context, take: Any, options: dict[str, Any]) -> int:
    """Write a snapshot again and again: over the last one on a terminal, after it elsewhere."""
    import shutil
    import sys
    import time

    from tulpen.kernel.table import quicken

    screen = sys.stdout.isatty() and not options["json"]
    try:
        while True:
            snapshot = take()
            if sum(len(view.table) for view in snapshot.views) > 10_000:
                quicken()
            if screen:
                height = max(shutil.get_terminal_size().lines, 4)
                sys.stdout.write("\x1b[H\x1b[J")  # home, and clear: no colour, so NO_COLOR does not take it out
                fitting = {**options, "top": min(options["top"] or height - 2, height - 2)}
            _show(ctx, snapshot, fitting if screen else options)
            if not screen and not options["json"]:
                click.echo()
            sys.stdout.flush()
            time.sleep(options["watch"])
    except KeyboardInterrupt:
        return 0
