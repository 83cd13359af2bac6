"""RFC 9293 §3.10.7.4 in ESTABLISHED, with RFC 5961."""

from __future__ import annotations

import errno

import pytest

from tests.rfc9293 import reach
from tests.rfc9293.cases import Case, case, check
from tests.rfc9293.notation import SECOND
from tulpen.tcp.signals import Signal
from tulpen.tcp.state import CLOSE_WAIT, CLOSED, ESTABLISHED
from tulpen.tcp.trace import Reason

ACK = [". seq=+0 ack=+0"]


@pytest.mark.parametrize(
    "row",
    [
        case(
            "first old text is acknowledged and dropped", "P. seq=-3 data=abc", ACK, ESTABLISHED, Reason.OUT_OF_WINDOW
        ),
        case("text beyond the window too", "P. seq=+65535 data=abc", ACK, ESTABLISHED, Reason.OUT_OF_WINDOW),
        case("an old ACK too", ". seq=-1", ACK, ESTABLISHED, Reason.OUT_OF_WINDOW),
        case("an ACK at the right edge passes", ". seq=+65535", [], ESTABLISHED),
        case("beyond it it does not", ". seq=+65536", ACK, ESTABLISHED, Reason.OUT_OF_WINDOW),
        case("text that straddles the left edge is trimmed", "P. seq=-2 data=abcd", [], ESTABLISHED),
        case("second a RST at RCV.NXT resets", "R", [], CLOSED),
        case("a RST,ACK too", "R.", [], CLOSED),
        case("a RST elsewhere in the window is challenged", "R seq=+1", ACK, ESTABLISHED, Reason.RST_NOT_NEXT),
        case("a RST left of the window is dropped", "R seq=-1", [], ESTABLISHED, Reason.RST_OUT_OF_WINDOW),
        case("a RST at the right edge is dropped", "R seq=+65535", [], ESTABLISHED, Reason.RST_OUT_OF_WINDOW),
        case("fourth a SYN in the window is challenged", "S", ACK, ESTABLISHED, Reason.SYN_IN_SYNCHRONIZED),
        case("the SYN,ACK again is acknowledged", "S. seq=-1", ACK, ESTABLISHED, Reason.OUT_OF_WINDOW),
        case("a SYN out of the window is acknowledged", "S seq=-1000", ACK, ESTABLISHED, Reason.OUT_OF_WINDOW),
        case("fifth without ACK it is dropped", "P data=abc", [], ESTABLISHED, Reason.NO_ACK),
        case("an ACK of data never sent draws an ACK", "P. ack=+1 data=abc", ACK, ESTABLISHED, Reason.ACK_OF_UNSENT),
        case(
            "an ACK of long ago draws an ACK", "P. ack=-70000 data=abc", ACK, ESTABLISHED, Reason.ACK_TOO_OLD, "MAY-12"
        ),
        case("an ACK of less long ago is ignored and its text taken", "P. ack=-1 data=abc", [], ESTABLISHED),
        case("seventh text in order is taken and its ACK delayed", "P. data=abc", [], ESTABLISHED, None, "SHLD-18"),
        case(
            "text beyond a hole draws an ACK at once",
            "P. seq=+3 data=abc",
            ["." + " seq=+0 ack=+0"],
            ESTABLISHED,
            None,
            "MAY-13",
        ),
        case("eighth a FIN in order moves to CLOSE-WAIT", "F.", ACK, CLOSE_WAIT),
        case("with text before it too", "FP. data=abc", ACK, CLOSE_WAIT),
        case("a FIN beyond a hole waits", "F. seq=+5", ACK, ESTABLISHED),
    ],
)
def test_arrives(row: Case) -> None:
    check(reach.established(), row)


def test_what_the_trimmed_segment_leaves_is_read() -> None:
    end = reach.established()
    end.arrives("P. data=ab")
    end.arrives("P. seq=-2 data=abcd")
    assert bytes(end.tcp.receive(99)) == b"abcd"


@pytest.mark.requirement("SHLD-31")
def test_text_beyond_a_hole_is_held_until_it_is_filled() -> None:
    end = reach.established()
    end.arrives("P. seq=+3 data=def")
    assert end.tcp.readable == 0
    assert end.arrives("P. data=abc") == ACK
    assert bytes(end.tcp.receive(99)) == b"abcdef"


def test_a_fin_beyond_a_hole_is_taken_when_it_is_filled() -> None:
    end = reach.established()
    end.arrives("FP. seq=+3 data=def")
    assert end.arrives("P. data=abc") == ACK
    assert end.state is CLOSE_WAIT
    assert bytes(end.tcp.receive(99)) == b"abcdef"
    assert end.tcp.eof


@pytest.mark.parametrize("order", ["abc", "acb", "bac", "bca", "cab", "cba"])
def test_overlapping_segments_in_any_order_give_the_same_text(order: str) -> None:
    pieces = {"a": "P. seq=301 data=abcde", "b": "P. seq=304 data=defgh", "c": "P. seq=307 data=ghij"}
    end = reach.established()
    for letter in order:
        end.arrives(pieces[letter])
    assert bytes(end.tcp.receive(99)) == b"abcdefghij"


def test_text_after_a_fin_is_not_taken() -> None:
    end = reach.established()
    end.arrives("F. seq=+3")
    end.arrives("P. seq=+0 data=abcdef")
    assert bytes(end.tcp.receive(99)) == b"abc"
    assert end.state is CLOSE_WAIT


def test_a_fin_in_its_order_counts_whatever_another_beyond_a_hole_has_said() -> None:
    """Or one forged FIN anywhere in the window would keep the connection from ever ending."""
    end = reach.established()
    assert end.arrives("F. seq=+100") == ACK
    assert end.arrives("F. seq=+0") == [". seq=+0 ack=+0"]
    assert end.state is CLOSE_WAIT
    assert end.tcp.eof


def test_a_fin_before_text_that_is_held_does_not() -> None:
    end = reach.established()
    end.arrives("P. seq=+2 data=cd")
    end.arrives("F. seq=+0")
    assert end.state is ESTABLISHED
    end.arrives("P. seq=+0 data=ab")
    assert bytes(end.tcp.receive(99)) == b"abcd"


@pytest.mark.requirement("MUST-12")
def test_a_reset_is_told_as_an_error_and_a_fin_is_not() -> None:
    reset, closed = reach.established(), reach.established()
    reset.signals(), closed.signals()
    reset.arrives("R")
    closed.arrives("F.")
    assert (reset.signals(), reset.tcp.error) == ([Signal.CLOSED], errno.ECONNRESET)
    assert (closed.signals(), closed.tcp.error) == ([Signal.READABLE, Signal.EOF], 0)


def test_challenges_are_limited() -> None:
    end = reach.established()
    assert end.arrives("R seq=+1") == ACK
    assert end.arrives("R seq=+2") == []
    assert end.arrives("S") == []
    assert end.reasons()[-1] is Reason.RATE_LIMITED
    end.wait(SECOND // 2)
    assert end.arrives("R seq=+3") == ACK


def test_challenges_of_the_whole_host_are_limited() -> None:
    end = reach.established(tcp_challenge_ack_limit=1, tcp_invalid_ratelimit=0)
    assert [end.arrives("S"), end.arrives("S")] == [ACK, []]
    end.wait(SECOND)
    assert end.arrives("S") == ACK
