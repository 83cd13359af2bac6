"""RFC 9293 §3.10.7.4 in SYN-RECEIVED, after a passive and after an active open."""

from __future__ import annotations

import errno

import pytest

from tests.rfc9293 import reach
from tests.rfc9293.cases import Case, case, check
from tulpen.tcp.state import CLOSE_WAIT, CLOSED, ESTABLISHED, FIN_WAIT_1, LISTEN, SYN_RECEIVED
from tulpen.tcp.trace import Reason

EITHER = [
    case(
        "first a segment left of the window is acknowledged",
        "P. seq=-5 data=abc",
        [". seq=+0 ack=+0"],
        SYN_RECEIVED,
        Reason.OUT_OF_WINDOW,
    ),
    case("the SYN again draws the SYN,ACK again", "S seq=-1", ["S. seq=+0 ack=+0"], SYN_RECEIVED),
    case("a RST out of the window is dropped", "R seq=-2", [], SYN_RECEIVED, Reason.RST_OUT_OF_WINDOW),
    case(
        "second a RST in the window is challenged", "R seq=+1", [". seq=+0 ack=+0"], SYN_RECEIVED, Reason.RST_NOT_NEXT
    ),
    case("fifth without ACK it is dropped", "P data=abc", [], SYN_RECEIVED, Reason.NO_ACK),
    case("an ACK of no SYN is reset", ". ack=-1", ["R seq=-1"], SYN_RECEIVED, Reason.ACK_OF_NO_SYN),
    case("an ACK beyond SND.NXT is reset", ". ack=+1", ["R seq=+1"], SYN_RECEIVED, Reason.ACK_OF_NO_SYN),
    case("the ACK of the SYN establishes", ".", [], ESTABLISHED),
    case("text with it is taken", "P. data=abc", [], ESTABLISHED),
    case("a FIN with it moves on to CLOSE-WAIT", "F.", [". seq=+0 ack=+0"], CLOSE_WAIT),
]


@pytest.mark.parametrize("row", EITHER)
def test_arrives_after_a_passive_open(row: Case) -> None:
    check(reach.syn_received(), row)


@pytest.mark.parametrize("row", EITHER)
def test_arrives_after_an_active_open(row: Case) -> None:
    check(reach.syn_received_actively(), row)


@pytest.mark.parametrize(
    "row",
    [
        case("second a RST returns to LISTEN", "R", [], LISTEN),
        case("fourth a SYN in the window returns to LISTEN", "S seq=+0", [], LISTEN),
        case("a SYN,ACK crosses no SYN of ours", "S. seq=-1", [". seq=+0 ack=+0"], SYN_RECEIVED, Reason.OUT_OF_WINDOW),
    ],
)
def test_arrives_only_after_a_passive_open(row: Case) -> None:
    check(reach.syn_received(), row)


@pytest.mark.parametrize(
    "row",
    [
        case("second a RST refuses", "R", [], CLOSED),
        case(
            "fourth a SYN in the window is challenged",
            "S",
            [". seq=+0 ack=+0"],
            SYN_RECEIVED,
            Reason.SYN_IN_SYNCHRONIZED,
        ),
        case("the SYN,ACK of a simultaneous open establishes", "S. seq=-1", [], ESTABLISHED),
    ],
)
def test_arrives_only_after_an_active_open(row: Case) -> None:
    check(reach.syn_received_actively(), row)


def test_a_refused_active_open_is_told() -> None:
    end = reach.syn_received_actively()
    end.arrives("R")
    assert end.tcp.error == errno.ECONNREFUSED


def test_a_refused_passive_open_is_not_told() -> None:
    end = reach.syn_received()
    end.arrives("R")
    assert end.signals() == []


def test_close_without_queued_text_sends_a_fin() -> None:
    end = reach.syn_received()
    assert end.shutdown() == ["F. seq=+1 ack=+0"]
    assert end.state is FIN_WAIT_1


def test_close_with_queued_text_waits_for_established() -> None:
    end = reach.syn_received()
    end.tcp.send(b"abc", end.now)
    assert end.shutdown() == []
    assert end.arrives(".") == ["FP. seq=+0 ack=+0 len=3"]
    assert [move.event.name for move in end.moves()[-2:]] == ["SYN_ACKED", "CLOSE"]


def test_fin_wait_1_from_here_still_needs_the_ack_of_the_syn() -> None:
    end = reach.syn_received()
    end.shutdown()
    assert end.arrives(". ack=-1") == []
    assert end.state is FIN_WAIT_1
    assert end.arrives(".") == []
    assert end.state.name == "FIN_WAIT_2"
