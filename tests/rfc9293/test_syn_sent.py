"""RFC 9293 §3.10.7.3: SEGMENT ARRIVES in SYN-SENT."""

from __future__ import annotations

import errno

import pytest

from tests.rfc9293 import reach
from tests.rfc9293.cases import Case, case, check
from tulpen.tcp.signals import Signal
from tulpen.tcp.state import CLOSE_WAIT, CLOSED, ESTABLISHED, SYN_RECEIVED, SYN_SENT
from tulpen.tcp.trace import Reason


@pytest.mark.parametrize(
    "row",
    [
        case("first an ACK of nothing is reset", ". seq=300 ack=-1", ["R seq=-1"], SYN_SENT, Reason.ACK_OF_NO_SYN),
        case("an ACK beyond SND.NXT is reset", "S. seq=300 ack=+1", ["R seq=+1"], SYN_SENT, Reason.ACK_OF_NO_SYN),
        case("such an ACK with RST is dropped", "R. seq=300 ack=+1", [], SYN_SENT, Reason.RST_WITHOUT_ACK),
        case("second a RST that acknowledges the SYN ends it", "R. seq=0", [], CLOSED),
        case("a RST without ACK is dropped", "R seq=300", [], SYN_SENT, Reason.RST_WITHOUT_ACK),
        case("fourth SYN,ACK establishes", "S. seq=300 mss=1460", [". seq=+0 ack=+0"], ESTABLISHED),
        case("a SYN alone is the simultaneous open", "S seq=300", ["S. seq=+0 ack=+0"], SYN_RECEIVED, None, "MUST-10"),
        case("text with the SYN,ACK is taken", "S. seq=300 data=abc", [". seq=+0 ack=+0"], ESTABLISHED),
        case("a FIN with the SYN,ACK is taken too", "SF. seq=300", [". seq=+0 ack=+0"], CLOSE_WAIT),
        case("fifth neither SYN nor RST is dropped", ". seq=300", [], SYN_SENT, Reason.NO_SYN),
    ],
)
def test_arrives(row: Case) -> None:
    check(reach.syn_sent(), row)


@pytest.mark.requirement("MUST-12")
def test_refused_is_told_as_such() -> None:
    end = reach.syn_sent()
    end.arrives("R. seq=0")
    assert end.signals() == [Signal.CLOSED]
    assert end.tcp.error == errno.ECONNREFUSED


def test_text_with_the_syn_ack_can_be_read() -> None:
    end = reach.syn_sent()
    end.arrives("SP. seq=300 data=hello")
    assert end.tcp.receive(99) == b"hello"
