"""What STATUS tells of what was sent, and of what kept more from being sent."""

from __future__ import annotations

from tests.rfc9293.notation import MS, End
from tests.rfc9293.reach import established
from tulpen.tcp.config import SocketOptions
from tulpen.tcp.outgo import Limit


def times(end: End) -> tuple[int, ...]:
    """Milliseconds of each limit."""
    outgo = end.tcp.status().outgo
    return tuple(outgo.time(limit, end.now) // MS for limit in (Limit.BUSY, Limit.WINDOW, Limit.BUFFER))


def test_idle_time_is_nobodys() -> None:
    end = established()
    end.wait(100 * MS)
    assert times(end) == (0, 0, 0)


def test_the_network_then_the_window() -> None:
    end = established("mss=1000")
    end.send(bytes(1000))
    end.wait(30 * MS)
    end.arrives(". wnd=10")
    end.wait(50 * MS)
    assert times(end) == (30, 0, 0)
    end.send(bytes(1000))
    end.wait(100 * MS)
    assert times(end) == (30, 100, 0)
    end.arrives(". wnd=2000")
    end.wait(20 * MS)
    end.arrives(". wnd=2000")
    end.wait(70 * MS)
    assert times(end) == (50, 100, 0)


def test_a_congestion_window_is_the_network() -> None:
    end = established("mss=1000", tcp_initial_cwnd=2)
    end.send(bytes(9000))
    end.wait(10 * MS)
    assert times(end) == (10, 0, 0)


def test_the_send_buffer() -> None:
    end = established("mss=1000", options=SocketOptions(so_sndbuf=5000))
    taken = end.tcp.send(bytes(100_000), end.now)
    end.sent()
    end.wait(10 * MS)
    end.arrives(". ack=10101")
    end.wait(10 * MS)
    assert len(end.arrives(". ack=30101")) == (taken - 30_000) // 1000
    end.wait(30 * MS)
    assert times(end) == (20, 0, 30)
    end.arrives(f". ack={taken + 101}")
    end.send(bytes(1000))
    end.wait(10 * MS)
    assert times(end) == (30, 0, 30)


def test_counts() -> None:
    end = established("mss=1000")
    before = end.tcp.status().outgo.segments
    end.send(bytes(2500))
    end.next_timeout()
    outgo = end.tcp.status().outgo
    assert (outgo.segments - before, outgo.text_segments, outgo.octets) == (4, 4, 3500)
    assert (outgo.resent_segments, outgo.resent_octets) == (1, 1000)
    end.arrives(". ack=+0")
    assert end.tcp.status().acknowledged == 2500 + (not end.tcp.tcb.passive)


def test_a_device_cuts_segments_that_are_counted_one_by_one() -> None:
    end = established("mss=1000")
    end.tcp.tcb.gso_max = 65_000
    assert len(end.send(bytes(4500))) < 5
    assert end.tcp.status().outgo.text_segments == 5
