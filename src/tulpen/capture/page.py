"""What was read as one page that needs nothing else, and as a notebook shows it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from tulpen.capture.kinds import ENDING
from tulpen.capture.tables import (
    TONES,
    connections_table,
    endpoint,
    findings_table,
    headline,
    moves_table,
    summary_tables,
)
from tulpen.show.report import Block, Drawing, Folded, Prose, Report, Section, page
from tulpen.show.table import Tone
from tulpen.show.timeline import Lane, Timeline

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    from tulpen.capture.reading import Reading
    from tulpen.capture.record import Connection
    from tulpen.show.ladder import Ladder

DRAWN: Final = 200  # connections with a part of their own
LONGEST: Final = 20_000  # segments of a ladder
SEGMENTS: Final = 200_000  # of all ladders
LANES: Final = 40
LISTED: Final = 2_000
SHOWN: Final = 100  # rows in a notebook

_TONE: Final = {"bad": Tone.BAD, "odd": Tone.ODD}
_ORDER: Final = {"bad": 0, "odd": 1}


def to_draw(rows: Sequence[Connection]) -> list[int]:
    """Return the numbers of the connections that a page draws: the worst first, as far as there is room."""
    room = SEGMENTS
    numbers: list[int] = []
    for row in _worst_first(rows):
        packets = row.client_packets + row.server_packets
        if packets <= min(LONGEST, room) and len(numbers) < DRAWN:
            numbers.append(row.number)
            room -= packets
    return numbers


def read_drawn(path: Path) -> tuple[Reading, Mapping[int, Ladder]]:
    """Read a capture, and once more for the ladders of its worst connections, which are known only then."""
    from tulpen.capture.reading import read

    reading = read(path)
    return reading, read(path, ladders=to_draw(reading.connections)).ladders


def capture_page(reading: Reading, ladders: Mapping[int, Ladder]) -> str:
    """Return the page of what was read; the connections of ``ladders`` have a part each."""
    chart = Section("Timeline", [timeline(reading.connections, ladders)])
    sections = [Section("Overview", _overview(reading)), chart, *connections(reading, ladders)]
    return page(Report(f"tulpen read {', '.join(reading.names)}", headline(reading), sections))


def connections(
    reading: Reading, ladders: Mapping[int, Ladder], title: str = "Connections", within: str = ""
) -> list[Section]:
    """Return the table of connections and a part for each of ``ladders``, for this page or another that has a capture.

    ``within``: what tells the names of its parts from those of another capture on the same page.
    """
    rows = reading.connections
    listed = _worst_first(rows)[:LISTED]
    table = Section(title, [*_left_out(rows, listed, ladders), _linked(listed, ladders, within)])
    return [table, *(_one(reading, row, ladders[row.number], within) for row in rows if row.number in ladders)]


def notebook(reading: Reading) -> str:
    """Return the overview, the timeline and the first connections, the worst first."""
    rows = _worst_first(reading.connections)[:SHOWN]
    parts = [table.to_html() for table in summary_tables(reading.summary) if table.rows]
    more = f"<p>The worst {len(rows)} of {len(reading):,}:</p>" if len(rows) < len(reading) else ""
    chart = timeline(reading.connections, ())._repr_html_()
    return f"<p>{headline(reading)}</p>{''.join(parts)}{chart}{more}{connections_table(rows).to_html()}"


def timeline(rows: Sequence[Connection], drawn: Collection[int]) -> Timeline:
    """Return when connections began, and how long the worst of them lasted; those ``drawn`` lead to their part."""
    chosen = sorted(_worst_first(rows)[:LANES], key=lambda row: (row.start, row.number))
    lanes = [
        Lane(
            f"#{row.number}",
            row.start,
            row.end,
            row.ended + (f": {row.cause}" if row.cause else f" by {row.by}" if row.by else ""),
            _tone(row),
            anchor(row.number) if row.number in drawn else "",
        )
        for row in chosen
    ]
    which = "each of them" if len(chosen) == len(rows) else f"the worst {len(chosen)} of them"
    words = f"How many connections began when, and below, how long {which} lasted"
    return Timeline(lanes, [(row.start, _tone(row)) for row in rows], words)


def _overview(reading: Reading) -> list[Block]:
    blocks: list[Block] = [table for table in summary_tables(reading.summary) if table.rows]
    if reading.counts.passed:
        passed = ", ".join(f"{count:,} {why}" for why, count in reading.counts.passed.items())
        blocks.append(Prose(f"Passed over: {passed}."))
    blocks += [
        Prose(f"{damage.name}: {damage.what}, at byte {damage.offset:,}. What stands before it was read.")
        for damage in reading.damage
    ]
    rows, count = reading.summary.worst()
    if rows:
        blocks.append(Prose("\n\n".join(f"#{row.number} {row.why}" for row in rows)))
    if count > len(rows):
        blocks.append(Prose(f"... and {count - len(rows):,} more."))
    return blocks


def _left_out(rows: Sequence[Connection], listed: Sequence[Connection], ladders: Collection[int]) -> list[Block]:
    words = []
    if len(listed) < len(rows):
        words.append(f"The worst {len(listed):,} of {len(rows):,} are listed.")
    if len(ladders) < len(listed):
        words.append(f"{len(ladders):,} are drawn below; `tulpen read FILE --conn N` draws any other.")
    return [Prose(" ".join(words))] if words else []


def _linked(rows: Sequence[Connection], drawn: Collection[int], within: str) -> Block:
    table = connections_table(sorted(rows, key=lambda row: row.number))
    number, *others = table.columns
    table.columns = [
        replace(number, link=lambda row: anchor(row.number, within) if row.number in drawn else ""),
        *others,
    ]
    return table


def _one(reading: Reading, row: Connection, ladder: Ladder, within: str) -> Section:
    title = f"#{row.number} {endpoint(row.client, row.client_port)} to {endpoint(row.server, row.server_port)}"
    inside: list[Block] = [Drawing(ladder), moves_table(reading.moves_of(row.number), row.start)]
    findings = reading.findings_of(row.number)
    if findings:
        inside.append(findings_table(findings))
    return Section(
        title,
        [Prose(row.why), Folded("Ladder, states and evidence", inside)],
        anchor=anchor(row.number, within)[1:],
        verdict=row.ended,
        tone=TONES[ENDING[row.ended].weight],
        listed=False,
    )


def _worst_first(rows: Sequence[Connection]) -> list[Connection]:
    return sorted(rows, key=lambda row: (_ORDER.get(row.worst, 2), row.number))


def _tone(row: Connection) -> Tone:
    return _TONE.get(row.worst, Tone.PLAIN)


def anchor(number: int, within: str = "") -> str:
    """Return where on the page connection ``number`` has its part."""
    return f"#{within}-connection-{number}" if within else f"#connection-{number}"
