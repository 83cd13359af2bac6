"""RFC 9293 §3.10.7.2: SEGMENT ARRIVES in LISTEN."""

from __future__ import annotations

import pytest

from tests.rfc9293 import reach
from tests.rfc9293.cases import Case, case, check
from tulpen.tcp.state import LISTEN, SYN_RECEIVED
from tulpen.tcp.trace import Reason


@pytest.mark.parametrize(
    "row",
    [
        case("first a RST is ignored", "R seq=5", [], LISTEN, Reason.RST_IN_LISTEN),
        case("a RST,ACK too", "R. seq=5", [], LISTEN, Reason.RST_IN_LISTEN),
        case("second an ACK is reset", ". seq=5 ack=700", ["R seq=+600"], LISTEN, Reason.ACK_IN_LISTEN),
        case("a SYN,ACK too", "S. seq=5 ack=700", ["R seq=+600"], LISTEN, Reason.ACK_IN_LISTEN),
        case("third a SYN is answered", "S seq=300 mss=1460", ["S. seq=+0 ack=+0"], SYN_RECEIVED),
        case(
            "a SYN with text is answered and its text comes again",
            "S seq=300 data=abc",
            ["S. seq=+0 ack=+0"],
            SYN_RECEIVED,
        ),
        case("a SYN with FIN is dropped", "SF seq=300", [], LISTEN, Reason.SYN_FIN),
        case("fourth anything else is dropped", "P seq=300 data=abc", [], LISTEN, Reason.NO_SYN),
        case("a FIN alone is dropped", "F seq=300", [], LISTEN, Reason.NO_SYN),
    ],
)
def test_arrives(row: Case) -> None:
    check(reach.listen(), row)


@pytest.mark.requirement("MUST-11")
def test_syn_received_remembers_that_it_came_from_listen() -> None:
    passive, active = reach.syn_received(), reach.syn_received_actively()
    assert passive.arrives("R") == []
    assert active.arrives("R") == []
    assert (passive.state.name, active.state.name) == ("LISTEN", "CLOSED")


def test_back_in_listen_it_takes_the_next_syn() -> None:
    end = reach.syn_received()
    end.arrives("R")
    assert end.arrives("S seq=9000") == ["S. seq=+0 ack=+0"]
    assert end.arrives(".") == []
    assert end.state.name == "ESTABLISHED"
