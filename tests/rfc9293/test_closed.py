"""RFC 9293 §3.10.7.1: SEGMENT ARRIVES in CLOSED."""

from __future__ import annotations

import pytest

from tests.rfc9293 import reach
from tests.rfc9293.cases import Case, case, check
from tulpen.tcp.state import CLOSED
from tulpen.tcp.trace import Reason


@pytest.mark.parametrize(
    "row",
    [
        case("a RST is discarded", "R seq=5", [], CLOSED, Reason.RST_TO_RST),
        case("a SYN is reset", "S seq=5", ["R. seq=-100 ack=+6"], CLOSED, Reason.NO_CONNECTION),
        case(
            "text and FIN count in the ACK of the reset",
            "FP seq=5 data=abc",
            ["R. seq=-100 ack=+9"],
            CLOSED,
            Reason.NO_CONNECTION,
        ),
        case("an ACK is reset at its own number", ". seq=5 ack=700", ["R seq=+600"], CLOSED, Reason.NO_CONNECTION),
        case("a SYN,ACK is reset at its own number", "S. seq=5 ack=700", ["R seq=+600"], CLOSED, Reason.NO_CONNECTION),
    ],
)
def test_arrives(row: Case) -> None:
    check(reach.closed(), row)
