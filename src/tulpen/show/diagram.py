"""The state diagram from the rows of the table: as text, for Graphviz, for Mermaid.

Rows that many states share (RESET, GAVE UP and ABORT lead to CLOSED from nearly
everywhere) would hide the rest as arrows; ``notes`` gives them, and the rows that are
never taken, to be written under the picture, as RFC 9293 does under its Figure 5.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from tulpen.tcp.state import TRANSITIONS, Event, State

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tulpen.tcp.state import Transition

SHARED: Final = 4  # so many states with one event to one target are a note, not arrows


class Note(NamedTuple):
    """Rows that are said in words."""

    rows: tuple[Transition, ...]
    text: str


def _sharing(row: Transition) -> int:
    return sum(other.event is row.event and other.target is row.target for other in TRANSITIONS)


def arrows() -> tuple[Transition, ...]:
    """Return the rows that are drawn, in the order of the table."""
    return tuple(row for row in TRANSITIONS if not row.never and _sharing(row) < SHARED)


def notes() -> tuple[Note, ...]:
    """Return the rows that are not drawn, in words."""
    drawn = set(arrows())
    groups: dict[tuple[Event, State, str], list[Transition]] = {}
    for row in TRANSITIONS:
        if row not in drawn:
            groups.setdefault((row.event, row.target, row.never), []).append(row)
    return tuple(Note(tuple(rows), _words(rows)) for rows in groups.values())


def _words(rows: list[Transition]) -> str:
    first = rows[0]
    if first.never:
        move = f"{first.source.title} to {first.target.title} on {first.event.title}"
        return f"{move} (§{first.section}) is a row that is never taken: {first.never}."
    sources = {row.source for row in rows}
    others = [state for state in State if state not in sources and state is not first.target]
    but = f" but {' and '.join(state.title for state in others)}" if others else ""
    sends = _sends(rows)
    return f"{first.event.title} leads from every state{but} to {first.target.title}{sends}."


def _sends(rows: list[Transition]) -> str:
    silent = [row.source.title for row in rows if not row.sends]
    sent = {row.sends for row in rows if row.sends}
    if not sent:
        return ""
    return f" and sends {' or '.join(sorted(sent))}" + (f", not from {', '.join(silent)}" if silent else "")


def as_text() -> str:
    """Return every row, under the state it leaves."""
    return "\n".join(_text_lines()).rstrip() + "\n"


def _text_lines() -> Iterator[str]:
    for state in State:
        yield state.title
        for row in TRANSITIONS:
            if row.source is state:
                sends = f"sends {row.sends}" if row.sends else ""
                never = "  (never taken)" if row.never else ""
                yield f"  {row.event.title:<14}{row.target.title:<14}{sends:<15} §{row.section}{never}"
        yield ""


def as_dot() -> str:
    """Return the diagram in Graphviz's language."""
    lines = ["digraph tcp {", "  node [shape=box, style=rounded];"]
    lines += [f'  "{state.title}";' for state in State]
    lines += [
        f'  "{row.source.title}" -> "{row.target.title}" [label="{_label(row, chr(92) + "n")}"];' for row in arrows()
    ]
    lines += [f"  // {note.text}" for note in notes()]
    return "\n".join([*lines, "}"]) + "\n"


def as_mermaid() -> str:
    """Return the diagram in Mermaid's language."""
    lines = ["stateDiagram-v2"]
    lines += [f"  {state.name}: {state.title}" for state in State]
    lines += [f"  {row.source.name} --> {row.target.name}: {_label(row, ', ')}" for row in arrows()]
    lines += [f"  %% {note.text}" for note in notes()]
    return "\n".join(lines) + "\n"


def _label(row: Transition, between: str) -> str:
    return row.event.title + (f"{between}sends {row.sends}" if row.sends else "")
