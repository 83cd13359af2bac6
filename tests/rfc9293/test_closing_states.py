"""RFC 9293 §3.10.7.4 in FIN-WAIT-1, FIN-WAIT-2, CLOSE-WAIT, CLOSING and LAST-ACK."""

from __future__ import annotations

import errno

import pytest

from tests.rfc9293 import reach
from tests.rfc9293.cases import Case, case, check
from tulpen.tcp.state import CLOSE_WAIT, CLOSED, CLOSING, FIN_WAIT_1, FIN_WAIT_2, LAST_ACK, TIME_WAIT
from tulpen.tcp.trace import Reason

ACK = [". seq=+0 ack=+0"]


@pytest.mark.parametrize(
    "row",
    [
        case("first what is old is acknowledged", ". seq=-1", ACK, FIN_WAIT_1, Reason.OUT_OF_WINDOW),
        case("second a RST resets", "R", [], CLOSED),
        case("a RST elsewhere is challenged", "R seq=+1", ACK, FIN_WAIT_1, Reason.RST_NOT_NEXT),
        case("fourth a SYN is challenged", "S", ACK, FIN_WAIT_1, Reason.SYN_IN_SYNCHRONIZED),
        case("fifth without ACK it is dropped", "F", [], FIN_WAIT_1, Reason.NO_ACK),
        case("the ACK of what came before our FIN changes nothing", ". ack=-1", [], FIN_WAIT_1),
        case("the ACK of our FIN moves to FIN-WAIT-2", ".", [], FIN_WAIT_2),
        case("an ACK beyond it is challenged", ". ack=+1", ACK, FIN_WAIT_1, Reason.ACK_OF_UNSENT),
        case("seventh text is still taken", "P. ack=-1 data=abc", [], FIN_WAIT_1),
        case("eighth a FIN alone moves to CLOSING", "F. ack=-1", ACK, CLOSING),
        case("a FIN with the ACK of ours moves to TIME-WAIT", "F.", ACK, TIME_WAIT),
        case("text with FIN and ACK too", "FP. data=abc", ACK, TIME_WAIT),
    ],
)
def test_fin_wait_1(row: Case) -> None:
    check(reach.fin_wait_1(), row)


@pytest.mark.parametrize(
    "row",
    [
        case("first what is old is acknowledged", "P. seq=-1 data=x", ACK, FIN_WAIT_2, Reason.OUT_OF_WINDOW),
        case("second a RST resets", "R", [], CLOSED),
        case("a RST elsewhere is challenged", "R seq=+9", ACK, FIN_WAIT_2, Reason.RST_NOT_NEXT),
        case("fourth a SYN is challenged", "S", ACK, FIN_WAIT_2, Reason.SYN_IN_SYNCHRONIZED),
        case("fifth an ACK changes nothing", ".", [], FIN_WAIT_2),
        case("seventh text is taken", "P. data=abc", [], FIN_WAIT_2),
        case("eighth a FIN moves to TIME-WAIT", "F.", ACK, TIME_WAIT),
        case("a FIN beyond a hole waits", "F. seq=+2", ACK, FIN_WAIT_2),
    ],
)
def test_fin_wait_2(row: Case) -> None:
    check(reach.fin_wait_2(), row)


@pytest.mark.parametrize(
    "row",
    [
        case("first their FIN again is acknowledged", "F. seq=-1", ACK, CLOSE_WAIT, Reason.OUT_OF_WINDOW),
        case("second a RST resets", "R", [], CLOSED),
        case("fourth a SYN is challenged", "S", ACK, CLOSE_WAIT, Reason.SYN_IN_SYNCHRONIZED),
        case("fifth an ACK is taken", ".", [], CLOSE_WAIT),
        case("sixth urgent data is ignored", "U. urg=3", [], CLOSE_WAIT),
        case("seventh text is ignored", "P. data=abc", [], CLOSE_WAIT, Reason.NOT_RECEIVING),
        case("eighth another FIN is ignored", "F.", [], CLOSE_WAIT),
    ],
)
def test_close_wait(row: Case) -> None:
    check(reach.close_wait(), row)


@pytest.mark.parametrize(
    "row",
    [
        case("first their FIN again is acknowledged", "F. seq=-1", ACK, CLOSING, Reason.OUT_OF_WINDOW),
        case("second a RST ends it", "R", [], CLOSED),
        case("fourth a SYN is challenged", "S", ACK, CLOSING, Reason.SYN_IN_SYNCHRONIZED),
        case("fifth the ACK of our FIN moves to TIME-WAIT", ".", [], TIME_WAIT),
        case("any other ACK changes nothing", ". ack=-1", [], CLOSING),
        case("seventh text is ignored", "P. ack=-1 data=abc", [], CLOSING, Reason.NOT_RECEIVING),
    ],
)
def test_closing(row: Case) -> None:
    check(reach.closing(), row)


@pytest.mark.parametrize(
    "row",
    [
        case("first their FIN again is acknowledged", "F. seq=-1", ACK, LAST_ACK, Reason.OUT_OF_WINDOW),
        case("second a RST ends it", "R", [], CLOSED),
        case("fourth a SYN is challenged", "S", ACK, LAST_ACK, Reason.SYN_IN_SYNCHRONIZED),
        case("fifth the ACK of our FIN ends it", ".", [], CLOSED),
        case("any other ACK changes nothing", ". ack=-1", [], LAST_ACK),
        case("seventh text is ignored", "P. ack=-1 data=abc", [], LAST_ACK, Reason.NOT_RECEIVING),
    ],
)
def test_last_ack(row: Case) -> None:
    check(reach.last_ack(), row)


def test_an_orderly_end_is_no_error() -> None:
    end = reach.last_ack()
    end.arrives(".")
    assert end.tcp.error == 0


def test_a_reset_in_close_wait_is_a_broken_pipe() -> None:
    end = reach.close_wait()
    end.arrives("R")
    assert end.tcp.error == errno.EPIPE


def test_half_close_goes_on_receiving() -> None:
    end = reach.fin_wait_2()
    for letter in "abc":
        end.arrives(f"P. data={letter}")
    end.arrives("F.")
    assert bytes(end.tcp.receive(99)) == b"abc"
    assert end.tcp.eof


def test_fin_and_ack_in_one_segment_from_established() -> None:
    """ESTABLISHED to LAST-ACK without a segment between: one answers both."""
    end = reach.established()
    end.tcp.segment_arrives(end.arriving("F."), end.now)
    assert end.shutdown() == ["F. seq=+0 ack=+0"]
    assert end.state is LAST_ACK
