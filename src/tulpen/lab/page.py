"""Accounts as one page that needs nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tulpen.lab.incident import Claimed, Drawn, Event, Looked, Measured, Plotted, Said
from tulpen.lab.tell import agreements, table_of
from tulpen.show.report import (
    Block,
    Drawing,
    Facts,
    Figure,
    Link,
    Output,
    Prose,
    Report,
    Section,
    anchor_of,
    page,
)
from tulpen.show.table import Column, Table, Tone

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tulpen.lab.incident import Account, Incident
    from tulpen.lab.run import Agreement


def report(incident: Incident, accounts: Sequence[Account], rows: Sequence[Agreement]) -> str:
    """Return the page of an incident: its theory, the runs, and where they agree."""
    sections = [Section("What happens, and why", [Prose(incident.theory)])]
    if len(accounts) > 1:
        sections.append(Section("Side by side", [agreements(accounts, rows)], verdict=_verdict(rows), tone=_tone(rows)))
    for account in accounts:
        captured = [part for path in account.captures if path.exists() for part in _captured(path)]
        sections += [_run(account, captured), *captured]
    return page(Report(f"tulpen lab {incident.name}", incident.summary, sections))


def _captured(path: Path) -> list[Section]:
    """Return what ``tulpen read`` says of a capture: its connections, and the ladder of each."""
    from tulpen.capture.page import connections, read_drawn

    reading, ladders = read_drawn(path)
    return connections(reading, ladders, f"The capture {path.name}, read", anchor_of(path.stem))


def _run(account: Account, captured: Sequence[Section]) -> Section:
    facts = [*account.kinds.items(), *((name, str(value)) for name, value in account.settings.items())]
    seen = [("capture", Link(part.title, f"#{anchor_of(part.title)}")) for part in captured if part.listed]
    blocks: list[Block] = [Facts([*facts, ("seed", str(account.seed)), *seen])]
    for event in account.events:
        blocks += _blocks(event)
    blocks.append(_claims(account.claims))
    word, tone = ("all claims hold", Tone.GOOD) if account.held else ("a claim fails", Tone.BAD)
    return Section(account.backend.words, blocks, anchor=account.backend.value, verdict=word, tone=tone)


def _blocks(event: Event) -> list[Block]:
    if isinstance(event, Said):
        return [Prose(event.words)]
    if isinstance(event, Looked):
        return [Output(event.answer, f"`{event.command}`")]
    if isinstance(event, Drawn):
        return [Drawing(event.ladder, event.title)]
    if isinstance(event, Measured):
        return [table_of(event)]
    if isinstance(event, Plotted):
        from tulpen.lab.plots import svg

        return [Figure(svg(event), f"{event.y} over {event.x}: {', '.join(event.curves)}", event.title)]
    return []


def _claims(claims: Sequence[Claimed]) -> Table[Claimed]:
    columns: list[Column[Claimed]] = [
        Column("claim", "claim", lambda row: row.sentence),
        Column("seen", "seen", lambda row: row.seen),
        Column("held", "", lambda row: "holds" if row.held else "FAILS", tone=_held),
    ]
    return Table(columns, claims, caption="Claims")


def _held(row: Claimed) -> Tone:
    return Tone.GOOD if row.held else Tone.BAD


def _verdict(rows: Sequence[Agreement]) -> str:
    return "they agree" if all(row.agree for row in rows) else "differences"


def _tone(rows: Sequence[Agreement]) -> Tone:
    return Tone.GOOD if all(row.agree for row in rows) else Tone.ODD if all(row.fine for row in rows) else Tone.BAD
