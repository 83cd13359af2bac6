"""RFC 9293 §3.8.5: urgent data."""

from __future__ import annotations

import pytest

from tests.rfc9293 import reach
from tulpen.tcp.signals import Signal
from tulpen.wire.segment import URG


@pytest.mark.requirement("MUST-30", "MUST-62")
def test_the_pointer_points_behind_the_last_urgent_octet() -> None:
    end = reach.established()
    end.tcp.send(b"abc", end.now, urgent=True)
    (segment,) = end.tcp.segments_to_send(end.now)
    assert segment.flags & URG
    assert segment.urg == 3


@pytest.mark.requirement("MUST-31")
def test_urgent_data_longer_than_a_segment() -> None:
    end = reach.established()
    end.tcp.send(bytes(5000), end.now, urgent=True)
    sent = end.tcp.segments_to_send(end.now)
    assert len(sent) > 1
    assert {segment.seq + segment.urg for segment in sent if segment.flags & URG} == {end.iss + 1 + 5000}


@pytest.mark.requirement("MUST-30", "MUST-32")
def test_the_application_is_told_when_the_pointer_moves_ahead() -> None:
    end = reach.established()
    end.signals()
    end.arrives("P.U urg=10 data=abc")
    assert Signal.URGENT in end.signals()
    end.arrives("P.U urg=7 data=def")  # the same octet
    assert Signal.URGENT not in end.signals()
    end.arrives("P.U urg=20 data=ghi")
    assert Signal.URGENT in end.signals()


@pytest.mark.requirement("MUST-33")
def test_the_application_learns_how_much_is_left() -> None:
    end = reach.established()
    end.arrives("P.U urg=10 data=abcd")
    assert end.tcp.urgent == 10
    assert end.tcp.receive(3) == b"abc"
    assert end.tcp.urgent == 7
    end.arrives("P. data=efghijkl")
    end.tcp.receive(100)
    assert end.tcp.urgent == 0


@pytest.mark.requirement("MUST-66")
def test_the_pointer_counts_while_the_window_is_zero() -> None:
    end = reach.established(tcp_rmem=(4096, 2000, 4096))
    end.arrives("P. len=1460")
    end.arrives("P. len=540")
    assert end.tcp.status().rcv_wnd == 0
    end.signals()
    end.arrives(".U urg=5")
    assert Signal.URGENT in end.signals()


@pytest.mark.requirement("MUST-66")
def test_a_rst_counts_while_the_window_is_zero() -> None:
    end = reach.established(tcp_rmem=(4096, 2000, 4096))
    end.arrives("P. len=1460")
    end.arrives("P. len=540")
    end.arrives("R")
    assert end.state.title == "CLOSED"


@pytest.mark.requirement("MUST-62")
def test_every_segment_up_to_the_end_of_it_has_the_pointer() -> None:
    end = reach.established("mss=1000", show="urg")
    end.tcp.send(bytes(1500), end.now, urgent=True)
    end.tcp.send(bytes(1500), end.now)
    assert end.sent() == [
        ".U seq=+0 ack=+0 len=1000 urg=1500",
        ".U seq=+1000 ack=+0 len=1000 urg=500",
        "P. seq=+2000 ack=+0 len=1000 urg=0",
    ]


def test_a_pointer_too_far_ahead_is_told_as_far_as_16_bits_reach() -> None:
    end = reach.established("mss=1000 ws=4", tcp_window_scaling=True, show="urg")
    end.tcp.send(bytes(70_000), end.now, urgent=True)
    assert end.sent()[0] == ".U seq=+0 ack=+0 len=1000 urg=65535"


def test_a_closed_window_does_not_hold_it_back() -> None:
    """§3.8.5: the pointer goes ahead of the text, with a probe or whatever is sent."""
    end = reach.established("mss=1000", show="urg")
    end.arrives(". wnd=0")
    end.tcp.send(b"stop", end.now, urgent=True)
    assert end.sent() == []
    assert end.next_timeout()[1] == [".U seq=-1 ack=+0 urg=5"]
    assert end.arrives("P. wnd=0 data=x") == []
    end.wait(40_000_000)
    assert end.arrives(". seq=-1 wnd=0") == [".U seq=+0 ack=+0 urg=4"]


def test_it_is_sent_again_with_its_text() -> None:
    end = reach.established(show="urg")
    end.tcp.send(b"abc", end.now, urgent=True)
    end.sent()
    assert end.next_timeout()[1] == ["P.U seq=+0 ack=+0 len=3 urg=3"]


def test_once_acknowledged_it_is_past() -> None:
    end = reach.established(show="urg")
    end.tcp.send(b"abc", end.now, urgent=True)
    end.sent()
    end.arrives(".")
    assert end.send(b"def") == ["P. seq=+0 ack=+0 len=3 urg=0"]


@pytest.mark.requirement("MUST-32")
@pytest.mark.parametrize(
    ("because", "arrives", "left"),
    [
        ("a segment whose beginning is old", "PU. seq=-2 urg=5 data=abcdef", 3 + 4),
        ("a segment beyond a hole", "PU. seq=+10 urg=5 data=xyz", 15 + 4),
        ("a segment that reaches beyond the window", "PU. urg=50 len=70000", 50 + 4),
        ("no text at all", "U. urg=9", 9 + 4),
        ("a pointer beyond what has come", "PU. urg=1000 data=abc", 1000 + 4),
        ("a pointer into what is received and not read", "U. seq=+0 urg=0", 4),
    ],
)
def test_what_is_left_counts_from_what_was_read(because: str, arrives: str, left: int) -> None:
    """Four octets wait unread."""
    end = reach.established()
    end.arrives("P. data=1234")
    end.signals()
    end.arrives(arrives)
    assert end.tcp.urgent == left, because
    assert Signal.URGENT in end.signals()


@pytest.mark.parametrize(
    "arrives",
    ["U. seq=-1 urg=9", "U. seq=+70000 urg=9", "PU. ack=+9 urg=5 data=abc", "U urg=5", "U. seq=+0 urg=0"],
)
def test_what_points_at_nothing_is_not_told(arrives: str) -> None:
    """Not acceptable, or behind what has been read."""
    end = reach.established()
    end.arrives(arrives)
    assert end.tcp.urgent == 0
    assert end.signals() == []


def test_after_their_fin_nothing_is_urgent() -> None:
    """§3.10.7.4, sixth: in CLOSE-WAIT and after it the bit is ignored."""
    end = reach.close_wait()
    end.signals()
    end.arrives("U. urg=9")
    assert (end.tcp.urgent, end.signals()) == (0, [])


def test_urgent_text_that_ends_with_the_fin() -> None:
    end = reach.established()
    end.arrives("FPU. data=abc urg=3")
    assert end.tcp.urgent == 3
    end.tcp.receive(2)
    assert end.tcp.urgent == 1
    end.tcp.receive(2)
    assert (end.tcp.urgent, end.tcp.eof) == (0, True)


def test_with_the_syn_ack() -> None:
    """The pointer counts from the SYN's own number."""
    end = reach.syn_sent()
    end.arrives("SU. seq=300 urg=4 data=abc")
    assert end.tcp.urgent == 3
