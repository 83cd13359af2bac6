"""Accounts as plain values for JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tulpen.lab.incident import Claimed, Looked, Measured, Plotted, Said
from tulpen.show.table import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tulpen.lab.incident import Account, Event, Incident
    from tulpen.lab.run import Agreement


def as_dict(incident: Incident, accounts: Sequence[Account], rows: Sequence[Agreement]) -> dict[str, Any]:
    """Return the runs of an incident: claims, facts, figures, the story, and where the backends agree."""
    return {
        "incident": incident.name,
        "summary": incident.summary,
        "runs": [_account(account) for account in accounts],
        "agreement": [
            {"fact": row.fact, "values": plain(row.values), "agree": row.agree, "why": row.why} for row in rows
        ],
    }


def _account(account: Account) -> dict[str, Any]:
    return {
        "backend": account.backend.value,
        "seed": account.seed,
        "held": account.held,
        "settings": plain(account.settings),
        "claims": plain(account.claims),
        "facts": plain(account.facts),
        "story": [found for event in account.events if (found := _event(event))],
    }


def _event(event: Event) -> dict[str, Any]:
    if isinstance(event, Said):
        return {"at": event.now / 1e9, "said": event.words}
    if isinstance(event, Looked):
        return {"command": event.command, "answer": event.answer}
    if isinstance(event, Claimed):
        return {}
    if isinstance(event, Measured):
        return {"figures": event.title, "columns": list(event.columns), "rows": plain(event.rows)}
    if isinstance(event, Plotted):
        return {"plot": event.title, "x": event.x, "y": event.y, "curves": plain(event.curves)}
    return {"ladder": event.title, "segments": [_segment(rung) for rung in event.ladder.rungs]}


def _segment(rung: Any) -> dict[str, Any]:
    from tulpen.show.ladder import Arrow

    if not isinstance(rung, Arrow):
        return {"side": rung.side.value, "at": rung.now / 1e9, "what": rung.words}
    return {
        "from": rung.sender.value,
        "at": rung.sent / 1e9,
        "flags": rung.letters,
        "length": rung.length,
        "fate": rung.fate.value,
        "left": plain(rung.left),
        "right": plain(rung.right),
    }
