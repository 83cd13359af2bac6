"""RFC 9293 §3.10.7.4 in TIME-WAIT, with RFC 6191 and RFC 1337."""

from __future__ import annotations

import pytest

from tests.rfc9293 import reach
from tests.rfc9293.cases import Case, case, check
from tests.rfc9293.notation import SECOND
from tulpen.tcp.state import CLOSED, TIME_WAIT
from tulpen.tcp.trace import Reason

ACK = [". seq=+0 ack=+0"]


@pytest.mark.parametrize(
    "row",
    [
        case("first their FIN again is acknowledged", "F. seq=-1", ACK, TIME_WAIT, Reason.OUT_OF_WINDOW),
        case("old text is acknowledged", "P. seq=-4 data=abc", ACK, TIME_WAIT, Reason.OUT_OF_WINDOW),
        case("second a RST ends it", "R", [], CLOSED),
        case("a RST elsewhere is challenged", "R seq=+1", ACK, TIME_WAIT, Reason.RST_NOT_NEXT),
        case("fourth a SYN below RCV.NXT is acknowledged", "S seq=-5", ACK, TIME_WAIT, Reason.OUT_OF_WINDOW),
        case("a SYN,ACK in the window is challenged", "S.", ACK, TIME_WAIT, Reason.SYN_IN_SYNCHRONIZED),
        case("a SYN above RCV.NXT may reopen", "S seq=+1000", [], CLOSED, None, "MAY-2"),
        case("fifth an ACK changes nothing", ".", [], TIME_WAIT),
        case("seventh text is ignored", "P. data=abc", ACK, TIME_WAIT, Reason.NOT_RECEIVING),
    ],
)
def test_arrives(row: Case) -> None:
    check(reach.time_wait(), row)


@pytest.mark.requirement("MUST-13")
def test_it_lasts_two_msl() -> None:
    end = reach.time_wait()
    end.wait(60 * SECOND - 1)
    assert end.state is TIME_WAIT
    end.wait(1)
    assert end.state.name == "CLOSED"


def test_their_fin_again_restarts_two_msl() -> None:
    end = reach.time_wait()
    end.wait(59 * SECOND)
    end.arrives("F. seq=-1")
    end.wait(59 * SECOND)
    assert end.state is TIME_WAIT
    end.wait(SECOND)
    assert end.state.name == "CLOSED"


def test_rfc_1337_ignores_a_reset() -> None:
    end = reach.time_wait(tcp_rfc1337=True)
    assert end.arrives("R") == []
    assert end.state is TIME_WAIT
    assert end.reasons() == [Reason.RST_IN_TIME_WAIT]


@pytest.mark.requirement("SHLD-4")
@pytest.mark.parametrize(
    ("syn", "reopens"),
    [
        ("S seq=-5 ts=51/0", True),  # a newer timestamp outweighs the sequence number
        ("S seq=+1000 ts=49/0", False),  # an older one too
        ("S seq=+1000 ts=50/0", True),
        ("S seq=-5 ts=50/0", False),
    ],
)
def test_timestamps_decide_whether_a_syn_reopens(syn: str, reopens: bool) -> None:
    end = reach.closed(tcp_timestamps=1)
    end.tcp.open_active(end.now)
    end.sent()
    end.arrives("S. seq=300 ts=50/0")
    end.shutdown()
    end.arrives("F. ts=50/0")
    end.arrives(syn)
    assert end.state is (CLOSED if reopens else TIME_WAIT)
