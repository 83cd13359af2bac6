"""The states an end went through, in one line: ``SYN-SENT > ESTABLISHED > FIN-WAIT-1``."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from tulpen.show.ladder import Standing
from tulpen.show.style import state_class
from tulpen.tcp.state import State

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# Shorter names, where the RFC's do not fit: those of ss(8) first, then those of the literature.
_SS: Final[dict[State, str]] = {State.ESTABLISHED: "ESTAB", State.SYN_RECEIVED: "SYN-RECV"}
_SHORT: Final[dict[State, str]] = {
    State.CLOSED: "CLOSED",
    State.LISTEN: "LISTEN",
    State.SYN_SENT: "SYN-S",
    State.SYN_RECEIVED: "SYN-R",
    State.ESTABLISHED: "EST",
    State.FIN_WAIT_1: "FW-1",
    State.FIN_WAIT_2: "FW-2",
    State.CLOSE_WAIT: "CL-W",
    State.CLOSING: "CLG",
    State.LAST_ACK: "L-ACK",
    State.TIME_WAIT: "TIME-W",
}
ELLIPSIS: Final = "..."


def path_text(states: Iterable[State | Standing | None], width: int | None = None) -> str:
    """Return the states joined by ``>``, in names short enough for ``width`` columns.

    The RFC's names are kept as long as they fit; then come ss's names, then short ones,
    and at last the middle of the path is left out, never its end.  That an end was
    CLOSED before it did anything goes without saying.
    """
    path = _shown(states)
    if not path:
        return ""
    text = ""
    for short in ({}, _SS, _SHORT):
        names = [_name(standing, short) for standing in path]
        for joint in (" > ", ">") if short is _SHORT else (" > ",):
            text = joint.join(names)
            if width is None or len(text) <= width:
                return text
    assert width is not None
    return _elided([_name(standing, _SHORT) for standing in path], width)


def path_html(states: Iterable[State | Standing | None]) -> str:
    """Return the states as HTML, each in its colour and unbroken."""
    parts = (
        f'<span class="{state_class(standing)}">{escape(_name(standing, {}))}</span>' for standing in _shown(states)
    )
    return " &gt; ".join(parts)


def state_text(standing: Standing, width: int) -> str:
    """Return one standing in at most ``width`` columns."""
    return path_text([standing], width)[:width]


def _shown(states: Iterable[State | Standing | None]) -> list[Standing]:
    path = [s if isinstance(s, Standing) else Standing(s) for s in states]
    if len(path) > 1 and path[0].state is State.CLOSED:
        del path[0]
    return path


def _name(standing: Standing, short: dict[State, str]) -> str:
    if standing.state is None:
        return "?"
    name = short.get(standing.state, standing.state.title)
    return f"{name}?" if standing.inferred else name


def _elided(names: Sequence[str], width: int) -> str:
    # The last state says how it ended, the first how it began; what stood between yields, nearest the start first.
    for dropped in range(1, len(names) - 1):
        text = ">".join((names[0], ELLIPSIS, *names[1 + dropped :]))
        if len(text) <= width:
            return text
    text = f"{ELLIPSIS}>{names[-1]}" if len(names) > 1 else names[0]
    return text if len(text) <= width else names[-1][:width]
