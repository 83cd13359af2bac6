"""The shortest ways from one state to another, for who saw both ends of a way and not what lay between.

Linux's tracepoint shows FIN-WAIT-2 and then CLOSED; a capture may begin in midstream.
The rows of ``TRANSITIONS`` say what must have happened in between.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from tulpen.tcp.state import TRANSITIONS, Event, State, Transition

Route = tuple[Transition, ...]

ALL_EVENTS: Final = frozenset(Event)
# The events of a connection that opens, carries data and closes as both ends want it.
ORDERLY: Final = ALL_EVENTS - {Event.ABORT, Event.RESET, Event.REFUSED, Event.GAVE_UP}


def routes(source: State, target: State, events: Collection[Event] = ALL_EVENTS) -> tuple[Route, ...]:
    """Return every shortest route by ``events`` alone, in the order of the table; () where there is none.

    The route from a state to itself is the empty one.
    """
    here: dict[State, list[Route]] = {source: [()]}
    seen = {source}
    while here:
        if target in here:
            return tuple(here[target])
        there: dict[State, list[Route]] = {}
        for row in TRANSITIONS:
            if row.source in here and row.target not in seen and row.event in events and not row.never:
                there.setdefault(row.target, []).extend((*before, row) for before in here[row.source])
        seen.update(there)
        here = there
    return ()


def route(source: State, target: State, events: Collection[Event] = ALL_EVENTS) -> Route | None:
    """Return the first of the shortest routes, or None."""
    return next(iter(routes(source, target, events)), None)
