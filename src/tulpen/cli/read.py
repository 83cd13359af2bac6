"""``tulpen read``: captures told in TCP's own states."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tulpen.cli.group import examples

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from rich.console import Console

    from tulpen.capture.policy import Policy
    from tulpen.capture.reader import Progress
    from tulpen.capture.reading import Reading, Sink
    from tulpen.show.ladder import Ladder

_OF_ROWS = ("where", "number", "as_table", "sentences", "as_json", "html")
FEW = 24  # connections that are all listed without being asked for


@click.command(
    "read",
    epilog=examples(
        ("What happened in this capture?", "tulpen read capture.pcap"),
        ("Who closed connection 3, and why? Its ladder, states and evidence", "tulpen read capture.pcap --conn 3"),
        ("One sentence a connection", "tulpen read capture.pcap --why"),
        ("From another machine, as it happens", "ssh host tcpdump -U -w - tcp | tulpen read -"),
        ("Ten seconds of an interface", "tulpen read -i eth0 --seconds 10"),
        ("Resets after a minute of silence", """tulpen read capture.pcap --where "ended = 'reset' and idle > 60\""""),
        ("An archive, four captures at a time", "tulpen read --jobs 4 --parquet tables archive/"),
        ("A page with every ladder", "tulpen read capture.pcap --html capture.html"),
        ("Tables for DuckDB, pandas, polars", "tulpen read --parquet tables capture.pcap"),
    ),
)
@click.argument("files", nargs=-1, metavar="[FILE]...")
@click.option("-i", "--interface", metavar="NAME", help="Listen on an interface (any: on all) until Ctrl-C.")
@click.option("--seconds", type=click.FloatRange(min=0, min_open=True), help="Listen for so long.")
@click.option("--packets", type=click.IntRange(min=1), help="Listen for so many packets.")
@click.option("--conn", "number", type=click.IntRange(min=1), help="One connection: why, ladder, states, evidence.")
@click.option("--table", "as_table", is_flag=True, help="List every connection.")
@click.option("--why", "sentences", is_flag=True, help="Say of every connection what happened, in a sentence.")
@click.option("--all", "whole", is_flag=True, help="With --conn: draw every segment, fold nothing.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON: connections, moves, findings.")
@click.option("--where", metavar="SQL", help="Only connections for which this condition holds (DuckDB).")
@click.option(
    "--html", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write a page with everything."
)
@click.option("--parquet", metavar="DIR", help="Write connections, moves and findings to Parquet files as it reads.")
@click.option("--zeek", "as_zeek", is_flag=True, help="Write conn_state and history as Zeek's conn.log has them.")
@click.option(
    "--checksums",
    type=click.Choice(["auto", "strict", "ignore"]),
    default="auto",
    show_default=True,
    help="Whether a wrong TCP checksum counts: auto, once its sender has written right ones.",
)
@click.option("--vlans", is_flag=True, help="The same addresses and ports in two VLANs are two connections.")
@click.option(
    "--idle",
    type=click.FloatRange(min=0),
    default=0.0,
    metavar="SECONDS",
    help="After so much silence the same ports are another connection.",
)
@click.option(
    "--jobs", type=click.IntRange(min=1), metavar="N", help="Read every FILE by itself, N at a time, in processes."
)
@click.option(
    "--pass",
    "way",
    type=click.Choice(["auto", "exact", "compiled"]),
    default="auto",
    show_default=True,
    help="How files are read; both tell the same. auto: compiled (by numba) where they are large.",
)
def command(**options: Any) -> int:
    """Tell what happened to every TCP connection of a capture: states, who, why.

    FILE is pcap or pcapng, packed by gzip or zstd or not; - is standard input. Several
    are read as one, those of a directory each by itself, as with --jobs.
    Exit status 1: a connection failed, hung or lost text; 2: a file is damaged.
    """
    files = options["files"]
    if bool(files) == bool(options["interface"]):
        raise click.UsageError("name a FILE, or an interface with -i")
    if (options["seconds"] or options["packets"]) and not options["interface"]:
        raise click.UsageError("--seconds and --packets belong to -i")
    if options["parquet"] and any(options[name] for name in _OF_ROWS):
        raise click.UsageError("--parquet keeps no rows to choose from or to list: ask the Parquet files")
    if options["way"] == "compiled" and (options["interface"] or "-" in files or options["as_zeek"]):
        raise click.UsageError("--pass compiled reads files")
    if options["jobs"] and (options["interface"] or "-" in files):
        raise click.UsageError("--jobs reads files")
    if options["as_zeek"]:
        return _zeek(options)
    reading = _read(options)
    _write(reading, options)
    if options["html"] is not None:
        _save_page(reading, options)
    return _status(reading)


def _policy(options: dict[str, Any]) -> Policy:
    from tulpen.capture.policy import Checksums, Policy

    return Policy(checksums=Checksums(options["checksums"]), vlans=options["vlans"], idle=options["idle"])


def _read(options: dict[str, Any]) -> Reading:
    with _telling() as progress:
        if not options["parquet"]:
            reading = _rows(options, progress)
            return reading if options["where"] is None else reading.where(options["where"])
        from tulpen.capture.parquet import ParquetFiles

        with ParquetFiles(options["parquet"]) as into:
            return _rows(options, progress, into)


def _rows(options: dict[str, Any], progress: Progress | None, into: Sink | None = None) -> Reading:
    from tulpen.capture.reader import Reader
    from tulpen.capture.reading import Reading, read
    from tulpen.capture.way import Way

    if _is_archive(options):
        return _each(options, progress, into)
    ladders: Iterable[int] = [options["number"]] if options["number"] else []
    if options["html"] and _passes_once(options):
        from tulpen.capture.page import DRAWN

        ladders = {*range(1, DRAWN + 1), *ladders}
    if not options["interface"]:
        return read(
            *options["files"], policy=_policy(options), ladders=ladders, progress=progress, into=into,
            most=None if any(options[name] for name in _OF_ROWS) else FEW, way=Way(options["way"]),
        )  # fmt: skip
    from tulpen.capture.live import frames

    reading = Reading(into)
    reading.begin(options["interface"])
    reader = Reader(reading, _policy(options), ladders)
    live = frames(options["interface"], seconds=options["seconds"] or 0.0, count=options["packets"] or 0)
    with contextlib.suppress(KeyboardInterrupt):  # enough: what was heard is told
        reader.take(live, progress)
    reader.finish()
    return reading


def _is_archive(options: dict[str, Any]) -> bool:
    """Say whether every file is read by itself."""
    return bool(options["jobs"]) or any(Path(file).is_dir() for file in options["files"])


def _each(options: dict[str, Any], progress: Progress | None, into: Sink | None) -> Reading:
    from tulpen.capture.archive import read_each
    from tulpen.capture.workers import processes

    with processes(options["jobs"] or 1) as pool:
        return read_each(*options["files"], executor=pool, policy=_policy(options), progress=progress, into=into)


def _again(reading: Reading, numbers: list[int], options: dict[str, Any]) -> Mapping[int, Ladder]:
    """Read files a second time, for the ladders of some connections."""
    if _is_archive(options):
        from tulpen.capture.archive import draw

        return draw(reading, numbers, _policy(options))
    from tulpen.capture.reading import read
    from tulpen.capture.way import Way

    with _telling() as progress:
        return read(
            *options["files"], policy=_policy(options), ladders=numbers, progress=progress, way=Way(options["way"])
        ).ladders


def _passes_once(options: dict[str, Any]) -> bool:
    """Say whether what is read cannot be read again."""
    return bool(options["interface"]) or not all(
        Path(file).is_file() or Path(file).is_dir() for file in options["files"]
    )


def _save_page(reading: Reading, options: dict[str, Any]) -> None:
    from tulpen.capture.page import capture_page, to_draw

    chosen = to_draw(reading.connections)
    ladders = reading.ladders
    if not _passes_once(options):  # which are the worst is known only now
        ladders = _again(reading, chosen, options)
    drawn = {number: ladders[number] for number in chosen if number in ladders}
    options["html"].write_text(capture_page(reading, drawn), encoding="utf-8")


@contextlib.contextmanager
def _telling() -> Iterator[Progress | None]:
    """Show how far it has got, where somebody looks."""
    import sys

    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console

    with Console(stderr=True).status("reading") as status:
        yield lambda frames, octets: status.update(f"{frames:,} packets, {octets / 1e6:,.1f} MB")


def _write(reading: Reading, options: dict[str, Any]) -> None:
    if options["as_json"]:
        _write_json(reading, options["number"])
    else:
        from rich.console import Console

        console = Console(highlight=False)
        if options["number"]:
            _one(reading, options, console)
        elif options["sentences"]:
            for row in reading:
                click.echo(f"#{row.number} {row.why}")
        else:
            _everything(reading, options, console)
    for damage in reading.damage:
        click.echo(f"tulpen: {damage.name}: {damage.what}, at byte {damage.offset:,}", err=True)
    if reading.damage:
        click.echo(f"  What stands before it was read: {reading.counts.frames:,} packets.", err=True)


def _write_json(reading: Reading, number: int | None) -> None:
    from tulpen.show.table import json_text

    chosen = {row.number for row in reading} if number is None else {_known(reading, number)}
    click.echo(
        json_text(
            {
                "files": reading.names,
                "counts": reading.counts,
                "damage": reading.damage,
                "connections": [row for row in reading.connections if row.number in chosen],
                "moves": [row for row in reading.moves if row.connection in chosen],
                "findings": [row for row in reading.findings if row.connection in chosen],
            }
        )
    )


def _known(reading: Reading, number: int) -> int:
    try:
        return reading.connection(number).number
    except LookupError:
        raise click.BadParameter(f"there are {len(reading)} connections", param_hint="--conn") from None


def _one(reading: Reading, options: dict[str, Any], console: Console) -> None:
    from tulpen.capture.tables import findings_table, moves_table
    from tulpen.show.ladder_text import LadderText
    from tulpen.show.table_text import print_table

    row = reading.connection(_known(reading, options["number"]))
    console.print(row.why, markup=False)
    if options["sentences"]:
        return
    console.print()
    ladders = _again(reading, [row.number], options) if _is_archive(options) else reading.ladders
    console.print(LadderText(ladders[row.number], show_all=options["whole"]))
    console.print()
    print_table(moves_table(reading.moves_of(row.number), row.start), console)
    findings = reading.findings_of(row.number)
    if findings:
        console.print()
        print_table(findings_table(findings), console)


def _everything(reading: Reading, options: dict[str, Any], console: Console) -> None:
    from tulpen.capture.tables import connections_table, summary_tables
    from tulpen.show.table_text import print_table

    if not options["as_table"]:
        _headline(reading, console)
        for table in summary_tables(reading.summary):
            if table.rows:
                console.print()
                print_table(table, console)
    if options["as_table"] or 0 < len(reading) <= FEW:
        if not options["as_table"]:
            console.print()
        print_table(connections_table(reading.connections), console)
    if not options["as_table"]:
        _worst(reading, console)


def _headline(reading: Reading, console: Console) -> None:
    from tulpen.capture.tables import headline

    counts = reading.counts
    console.print(headline(reading), markup=False)
    if counts.wrong_checksums:
        console.print(f"{counts.wrong_checksums:,} with a wrong checksum count for nothing", markup=False)
    if counts.passed:
        console.print("passed over: " + ", ".join(f"{n:,} {why}" for why, n in counts.passed.items()), style="dim")


def _worst(reading: Reading, console: Console) -> None:
    rows, count = reading.summary.worst()
    if not rows:
        return
    console.print()
    for row in rows:
        console.print(f"#{row.number} {row.why}", markup=False)
    if count > len(rows):
        console.print(f"... and {count - len(rows):,} more: --why has a sentence for each", style="dim")


def _status(reading: Reading) -> int:
    if reading.damage:
        return 2
    return 1 if reading.summary.weights["bad"] else 0


def _zeek(options: dict[str, Any]) -> int:
    """Write what Zeek would say."""
    from tulpen.capture.dissect import Dissector
    from tulpen.capture.frame import Damaged
    from tulpen.capture.frames import frames
    from tulpen.capture.octets import Octets
    from tulpen.capture.zeek import Row, ZeekLog

    if options["interface"]:
        raise click.UsageError("--zeek reads files")
    if _is_archive(options):
        raise click.UsageError("--zeek reads files, as one log")
    log, dissector, status = ZeekLog(checksums=options["checksums"] != "ignore"), Dissector(), 0
    for file in options["files"]:
        with Octets(file) as octets:
            try:
                for frame in frames(octets):
                    seg = dissector.segment(frame)
                    if seg is not None:
                        log.take(seg)
            except Damaged as damage:
                click.echo(f"tulpen: {octets.name}: {damage}", err=True)
                status = 2
    if options["as_json"]:
        from tulpen.show.table import json_text

        click.echo(json_text([row._asdict() for row in log.rows()]))
        return status
    click.echo("#fields\t" + "\t".join(Row._fields))
    for row in log.rows():
        click.echo("\t".join(f"{value:.6f}" if isinstance(value, float) else str(value) for value in row))
    return status
