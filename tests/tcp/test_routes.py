"""Routes between states, from the rows of the table."""

from __future__ import annotations

import pytest

from tulpen.tcp.routes import ORDERLY, Route, route, routes
from tulpen.tcp.state import Event, State, follow


def events(found: Route | None) -> str:
    assert found is not None
    return ", ".join(row.event.title for row in found)


@pytest.mark.parametrize(
    ("source", "target", "expected"),
    [
        (State.CLOSED, State.ESTABLISHED, "OPEN ACTIVE, SYN ACKED"),
        (State.ESTABLISHED, State.TIME_WAIT, "CLOSE, FIN ACKED, FIN"),
        (State.FIN_WAIT_2, State.CLOSED, "FIN, LINGERED"),
        (State.CLOSE_WAIT, State.CLOSED, "CLOSE, FIN ACKED"),
        (State.SYN_RECEIVED, State.CLOSE_WAIT, "SYN ACKED, FIN"),
        (State.TIME_WAIT, State.TIME_WAIT, ""),
    ],
)
def test_orderly(source: State, target: State, expected: str) -> None:
    assert events(route(source, target, ORDERLY)) == expected


def test_a_reset_is_the_shortest_end() -> None:
    ends = {row.event for found in routes(State.ESTABLISHED, State.CLOSED) for row in found}
    assert ends == {Event.RESET, Event.GAVE_UP, Event.ABORT}


def test_every_shortest_route_is_returned() -> None:
    assert [events(found) for found in routes(State.ESTABLISHED, State.TIME_WAIT)] == [
        "CLOSE, FIN ACKED, FIN",
        "CLOSE, FIN, FIN ACKED",
    ]


def test_there_is_no_way_back() -> None:
    assert routes(State.ESTABLISHED, State.SYN_SENT, ORDERLY - {Event.OPEN_ACTIVE}) == ()
    assert route(State.ESTABLISHED, State.LISTEN, {Event.FIN}) is None


@pytest.mark.parametrize("source", State)
@pytest.mark.parametrize("target", State)
def test_a_route_can_be_followed(source: State, target: State) -> None:
    for found in routes(source, target):
        state = source
        for row in found:
            assert row.source is state
            assert not row.never
            state = follow(state, row.event)
        assert state is target
