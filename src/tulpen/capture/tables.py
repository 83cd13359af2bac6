"""The tables of ``tulpen read``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tulpen.capture.kinds import CAUSE, ENDING, FINDING, OPENING, Weight, Word
from tulpen.capture.record import Connection, Finding, Move
from tulpen.show.table import Column, Table, Tone

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Sequence

    from tulpen.capture.reading import Reading
    from tulpen.capture.summary import Summary

TONES: Final = {Weight.BAD: Tone.BAD, Weight.ODD: Tone.ODD, Weight.NOTE: Tone.PLAIN}
_TONE_OF: Final = {"bad": Tone.BAD, "odd": Tone.ODD}


def connections_table(rows: Sequence[Connection]) -> Table[Connection]:
    """Return the table of connections."""
    return Table(
        [
            Column("number", "#", lambda row: row.number, right=True),
            Column("client", "client", lambda row: endpoint(row.client, row.client_port), least=12),
            Column("server", "server", lambda row: endpoint(row.server, row.server_port), least=12),
            Column("duration", "seconds", lambda row: row.duration, right=True),
            Column("opened", "opened", lambda row: row.opened, tone=lambda row: TONES[OPENING[row.opened].weight]),
            Column("ended", "ended", lambda row: row.ended, tone=lambda row: TONES[ENDING[row.ended].weight]),
            Column("by", "by", lambda row: row.by),
            Column("cause", "cause", lambda row: row.cause),
            Column("time_wait", "TIME-WAIT", lambda row: row.time_wait),
            Column("bytes", "octets", lambda row: row.client_bytes + row.server_bytes, right=True),
            Column(
                "findings", "found", _found, under=True, least=24, tone=lambda row: _TONE_OF.get(row.worst, Tone.PLAIN)
            ),
        ],
        rows,
    )


def _found(row: Connection) -> str:
    return row.findings.replace(",", ", ")


def endpoint(address: str, port: int) -> str:
    """Return an address and port as people write them."""
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def moves_table(rows: Sequence[Move], start: int) -> Table[Move]:
    """Return the table of transitions; times count from ``start``."""
    return Table(
        [
            Column("frame", "frame", lambda row: row.frame or None, right=True),
            Column("when", "seconds", lambda row: f"{(row.when - start) / 1e9:.6f}", right=True),
            Column("end", "end", lambda row: row.end),
            Column("source", "from", lambda row: row.source),
            Column("event", "event", lambda row: row.event or "?"),
            Column("target", "to", lambda row: row.target),
            Column(
                "known",
                "known",
                lambda row: row.known + (f" by {row.proof}" if row.proof not in (0, row.frame) else ""),
            ),
        ],
        rows,
    )


def findings_table(rows: Sequence[Finding]) -> Table[Finding]:
    """Return the table of what was found."""
    order = {weight.value: place for place, weight in enumerate((Weight.BAD, Weight.ODD, Weight.NOTE))}
    return Table(
        [
            Column("kind", "found", lambda row: row.kind, tone=lambda row: _TONE_OF.get(row.weight, Tone.PLAIN)),
            Column("end", "by", lambda row: row.end),
            Column("count", "times", lambda row: row.count, right=True),
            Column("frames", "frames", _frames),
            Column("clause", "clause", lambda row: row.clause),
            Column("text", "what it means", lambda row: row.text, under=True, least=30),
        ],
        sorted(rows, key=lambda row: order[row.weight]),
    )


def _frames(row: Finding) -> str:
    return ", ".join(map(str, row.frames[:4])) + (" ..." if row.count > 4 else "")


def headline(reading: Reading) -> str:
    """Return how much was read, in a sentence."""
    counts = reading.counts
    lasted = (counts.last - counts.first) / 1e9
    return f"{counts.frames:,} packets in {lasted:,.3f} s, {counts.segments:,} of TCP in {len(reading):,} connections"


def summary_tables(summary: Summary) -> list[Table[Any]]:
    """Return how many connections opened and ended how, and what was found in how many."""
    return [
        _counted("opened", summary.opened, OPENING),
        _counted("ended", summary.ended, ENDING),
        _counted("reset, probably because", summary.cause, CAUSE),
        _counted("found in connections", summary.found, FINDING),
    ]


def _counted(title: str, counts: Counter[str], words: dict[str, Word]) -> Table[tuple[str, int]]:
    order = {weight: place for place, weight in enumerate((Weight.BAD, Weight.ODD, Weight.NOTE))}
    rows = sorted(counts.items(), key=lambda item: (order[words[item[0]].weight], -item[1], item[0]))
    return Table(
        [
            Column("count", "", lambda row: row[1], right=True),
            Column("word", title, lambda row: row[0], tone=lambda row: TONES[words[row[0]].weight]),
            Column("meaning", "", lambda row: words[row[0]].meaning, least=30, under=True),
        ],
        rows,
    )
