"""RFC 9293 §3.9.2.2, as one connection sees it: an ICMP error that quotes a segment of its own."""

from __future__ import annotations

import errno

import pytest

from tests.rfc9293 import reach
from tests.rfc9293.notation import End
from tulpen.tcp.config import SocketOptions
from tulpen.tcp.signals import Signal
from tulpen.tcp.state import CLOSED, CLOSING, ESTABLISHED, LAST_ACK, SYN_RECEIVED, SYN_SENT, State
from tulpen.tcp.trace import Reason
from tulpen.wire.seq import MASK, wrap

IN_FLIGHT = [SYN_SENT, SYN_RECEIVED, ESTABLISHED, State.FIN_WAIT_1, State.CLOSE_WAIT, CLOSING, LAST_ACK]


def in_flight(state: State, **given: object) -> End:
    end = reach.REACH[state](**given)
    if state in (ESTABLISHED, State.CLOSE_WAIT):
        end.send(b"abc")
    end.signals()
    return end


def error(end: End, number: int, *, hard: bool, place: int = 0) -> None:
    end.tcp.icmp_arrives(wrap(end.tcp.status().snd_una + place), number, end.now, hard=hard)


@pytest.mark.requirement("SHLD-25", "MUST-56", "MUST-47")
@pytest.mark.parametrize("state", IN_FLIGHT, ids=lambda state: state.title)
def test_a_soft_error_is_told_and_ends_nothing(state: State) -> None:
    end = in_flight(state)
    error(end, errno.ENETUNREACH, hard=False)
    assert end.state is state
    assert end.signals() == [Signal.TROUBLE]
    assert (end.tcp.soft_error, end.tcp.error) == (errno.ENETUNREACH, 0)


@pytest.mark.requirement("SHLD-26", "MUST-54")
@pytest.mark.parametrize("state", [SYN_SENT, SYN_RECEIVED], ids=lambda state: state.title)
def test_a_hard_error_ends_an_attempt(state: State) -> None:
    end = in_flight(state)
    error(end, errno.ECONNREFUSED, hard=True)
    assert (end.state, end.tcp.error) == (CLOSED, errno.ECONNREFUSED)
    assert end.signals() == [Signal.CLOSED]
    assert end.stack.counters["AttemptFails"] == 1


@pytest.mark.parametrize("state", [state for state in IN_FLIGHT if state not in (SYN_SENT, SYN_RECEIVED)])
def test_on_an_open_connection_it_counts_as_soft(state: State) -> None:
    """RFC 5461 §4.1: it may be forged, and R2 is soon enough."""
    end = in_flight(state)
    error(end, errno.ECONNREFUSED, hard=True)
    assert end.state is state
    assert end.tcp.soft_error == errno.ECONNREFUSED


@pytest.mark.requirement("SHLD-20")
def test_who_does_not_want_to_hear_does_not() -> None:
    end = in_flight(ESTABLISHED, options=SocketOptions(ip_recverr=False))
    error(end, errno.ENETUNREACH, hard=False)
    assert end.signals() == []


@pytest.mark.parametrize(("place", "believed"), [(-1, False), (0, True), (2, True), (3, False), (1 << 31, False)])
def test_only_about_what_is_in_flight(place: int, believed: bool) -> None:
    """RFC 5927 §4.1."""
    end = in_flight(ESTABLISHED)
    error(end, errno.ENETUNREACH, hard=False, place=place)
    assert (end.tcp.soft_error != 0) is believed
    assert end.reasons() == ([] if believed else [Reason.ICMP_OUT_OF_WINDOW])
    assert end.tcp.in_flight(wrap(end.tcp.status().snd_una + place)) is believed


@pytest.mark.parametrize("state", [CLOSED, State.LISTEN, State.FIN_WAIT_2, State.TIME_WAIT])
def test_where_nothing_is_in_flight_nothing_is_believed(state: State) -> None:
    end = reach.REACH[state]()
    error(end, errno.ECONNREFUSED, hard=True)
    assert end.state is state
    assert end.signals() in ([], [Signal.CONNECTED, Signal.WRITABLE]) or Signal.TROUBLE not in end.signals()


def test_numbers_that_wrap() -> None:
    end = in_flight(ESTABLISHED, iss=MASK - 1)
    end.send(bytes(10))
    error(end, errno.ENETUNREACH, hard=False, place=2)
    assert end.tcp.soft_error == errno.ENETUNREACH


# RFC 1191, RFC 8201: the packet was too big


def test_a_smaller_path_sends_again_at_once_what_was_too_large() -> None:
    end = reach.sending(3)
    end.tcp.path_mss(600, end.now)
    sizes = [(int(text.split("seq=")[1].split()[0]), int(text.rpartition("=")[2])) for text in end.sent()]
    assert sizes == [(0, 600), (600, 400), (1000, 600), (1600, 400), (2000, 600), (2600, 400)]
    assert end.tcp.status().snd_mss == 600


def test_it_is_no_sign_of_congestion() -> None:
    end = reach.sending(4)
    end.tcp.path_mss(500, end.now)
    end.sent()
    assert end.tcp.status().snd_cwnd == 4000
    end.arrives(".")
    assert end.tcp.status().snd_cwnd >= 4000


def test_what_is_acknowledged_of_it_asks_for_no_more() -> None:
    """It is no partial acknowledgment of a fast recovery."""
    end = reach.sending(3)
    end.tcp.path_mss(600, end.now)
    assert len(end.sent()) == 6
    assert end.arrives(". ack=-2400") == []
    assert end.arrives(". ack=-1400") == []


def test_what_was_small_enough_is_left_alone() -> None:
    end = reach.established("mss=1000", options=SocketOptions(tcp_nodelay=True))
    end.send(bytes(100))
    end.send(bytes(1000))
    end.tcp.path_mss(500, end.now)
    assert end.sent()[0] == ". seq=+100 ack=+0 len=500"


@pytest.mark.parametrize("mss", [1000, 1460, 9000])
def test_a_path_does_not_widen_that_way(mss: int) -> None:
    end = reach.sending(2)
    end.tcp.path_mss(mss, end.now)
    assert end.sent() == []
    assert end.tcp.status().snd_mss == 1000


@pytest.mark.parametrize("mss", [-100, 0, 1, 47])
def test_a_path_that_cannot_be(mss: int) -> None:
    """tcp_min_snd_mss is the floor."""
    end = reach.sending(2)
    end.tcp.path_mss(mss, end.now)
    assert end.tcp.status().snd_mss == 48
    assert end.sent()


def test_before_the_handshake_it_limits_what_follows() -> None:
    end = reach.syn_sent(tcp_nagle_small=False)
    end.tcp.path_mss(600, end.now)
    end.arrives("S. seq=300 mss=1460")
    assert end.send(bytes(700)) == [". seq=+0 ack=+0 len=600"]
