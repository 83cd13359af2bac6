"""Every row of the transition table is taken by the engine, and leads where it says."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.rfc9293 import reach
from tests.rfc9293.notation import SECOND, End
from tulpen.tcp.state import TRANSITIONS, Event, State, Transition

Deed = Callable[[End], object]

# What makes the event happen in a state reached as tests.rfc9293.reach does.
DEEDS: dict[Event, Deed] = {
    Event.OPEN_PASSIVE: lambda end: end.tcp.open_passive(end.now),
    Event.OPEN_ACTIVE: lambda end: end.tcp.open_active(end.now),
    Event.CLOSE: lambda end: end.shutdown(),
    Event.ABORT: lambda end: end.abort(),
    Event.SYN: lambda end: end.arrives("S seq=300"),
    Event.SYN_ACKED: lambda end: end.arrives("S. seq=300" if end.state is State.SYN_SENT else "."),
    Event.FIN_ACKED: lambda end: end.arrives("."),
    Event.FIN: lambda end: end.arrives("F. ack=-1" if end.state is State.FIN_WAIT_1 else "F."),
    Event.RESET: lambda end: end.arrives("R. seq=300" if end.state is State.SYN_SENT else "R"),
    Event.REFUSED: lambda end: end.arrives("R"),
    Event.GAVE_UP: lambda end: end.wait(100_000 * SECOND),
    Event.LINGERED: lambda end: end.wait(60 * SECOND),
}


def _reached(row: Transition) -> End:
    if row.source is State.SYN_RECEIVED and row.event is Event.RESET:
        return reach.syn_received_actively()  # after a passive open it is REFUSED
    if row.event is Event.GAVE_UP:
        return _with_something_to_wait_for(row.source)
    return reach.REACH[row.source]()


def _with_something_to_wait_for(state: State) -> End:
    end = reach.REACH[state]()
    if state in (State.ESTABLISHED, State.CLOSE_WAIT):
        end.send(b"never acknowledged")
    if state is State.FIN_WAIT_2:
        end.close()  # nobody is left to wait for their FIN
    return end


@pytest.mark.parametrize(
    "row", [row for row in TRANSITIONS if not row.never], ids=lambda r: f"{r.source.name}-{r.event.name}"
)
def test_the_engine_takes_the_row(row: Transition) -> None:
    end = _reached(row)
    assert end.state is row.source
    taken = len(end.moves())
    DEEDS[row.event](end)
    move = end.moves()[taken]
    assert (move.before, move.event, move.after) == (row.source, row.event, row.target)


def test_rows_never_taken_say_why() -> None:
    assert [(row.source, row.event) for row in TRANSITIONS if row.never] == [(State.SYN_RECEIVED, Event.FIN)]


def test_fin_in_syn_received_comes_after_the_ack() -> None:
    """The row that is never taken: a FIN that carries the ACK of our SYN is two events."""
    end = reach.syn_received()
    end.arrives("F.")
    assert [(m.event, m.after) for m in end.moves()[-2:]] == [
        (Event.SYN_ACKED, State.ESTABLISHED),
        (Event.FIN, State.CLOSE_WAIT),
    ]
