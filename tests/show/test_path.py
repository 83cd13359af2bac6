"""A path of states in one line."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tulpen.show.ladder import Standing
from tulpen.show.path import path_html, path_text, state_text
from tulpen.tcp.state import State

CLIENT = (State.CLOSED, State.SYN_SENT, State.ESTABLISHED, State.FIN_WAIT_1, State.FIN_WAIT_2, State.TIME_WAIT)


def test_in_full() -> None:
    assert path_text(CLIENT) == "SYN-SENT > ESTABLISHED > FIN-WAIT-1 > FIN-WAIT-2 > TIME-WAIT"


def test_shorter_and_shorter() -> None:
    assert path_text(CLIENT, 58) == "SYN-SENT > ESTAB > FIN-WAIT-1 > FIN-WAIT-2 > TIME-WAIT"
    assert path_text(CLIENT, 50) == "SYN-S > EST > FW-1 > FW-2 > TIME-W"
    assert path_text(CLIENT, 30) == "SYN-S>EST>FW-1>FW-2>TIME-W"
    assert path_text(CLIENT, 25) == "SYN-S>...>FW-2>TIME-W"
    assert path_text(CLIENT, 10) == "...>TIME-W"
    assert path_text(CLIENT, 4) == "TIME"


def test_unknown_and_inferred() -> None:
    assert path_text([None, Standing(State.ESTABLISHED, inferred=True)]) == "? > ESTABLISHED?"


def test_closed_is_said_where_it_is_all() -> None:
    assert path_text([State.CLOSED]) == "CLOSED"
    assert path_text([State.CLOSED, State.SYN_SENT, State.CLOSED]) == "SYN-SENT > CLOSED"
    assert path_text([]) == ""


def test_a_single_state() -> None:
    assert state_text(Standing(State.SYN_RECEIVED, inferred=True), 13) == "SYN-RECEIVED?"
    assert state_text(Standing(State.SYN_RECEIVED), 8) == "SYN-RECV"


standings = st.builds(Standing, st.one_of(st.none(), st.sampled_from(State)), st.booleans())


@given(st.lists(standings), st.integers(1, 80))
def test_it_fits_and_tells_the_end(path: list[Standing], width: int) -> None:
    text = path_text(path, width)
    assert len(text) <= width
    if len(path) == 1 and width >= 13 and path[0].state is not None:
        assert text.startswith(path[0].title[:3])


@given(st.lists(standings))
def test_every_state_is_in_the_html(path: list[Standing]) -> None:
    assert path_html(path).count("<span") in (len(path), len(path) - 1)
