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
