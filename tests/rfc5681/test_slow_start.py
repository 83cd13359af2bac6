"""RFC 5681 §3.1, §4.1 and RFC 6928: the initial window, slow start, congestion avoidance, idle restart."""

from __future__ import annotations

import pytest

from tests.rfc9293 import reach
from tests.rfc9293.notation import MS, SECOND, End
from tulpen.tcp.congestion import INFINITE


def cwnd(end: End) -> int:
    return end.tcp.status().snd_cwnd


def after_a_timeout(segments: int) -> End:
    """``segments`` were lost: one is sent again, with slow start up to half of them ahead."""
    end = reach.sending(segments, more=200_000)
    assert end.next_timeout()[1] == [". seq=+0 ack=+0 len=1000"]
    assert (cwnd(end), end.tcp.status().snd_ssthresh) == (1000, segments * 500)
    return end


@pytest.mark.parametrize(
    ("mss", "segments"), [(100, 10), (536, 10), (1460, 10), (1500, 9.7333), (2000, 7.3), (7300, 2), (8960, 2)]
)
def test_initial_window(mss: int, segments: float) -> None:
    """RFC 6928 §2: min(10 MSS, max(2 MSS, 14600))."""
    end = reach.established(f"mss={mss}", mss=9000)
    assert cwnd(end) == pytest.approx(segments * mss, abs=1)
    assert end.tcp.status().snd_ssthresh == INFINITE


@pytest.mark.parametrize(("timeouts", "segments"), [(0, 10), (1, 10), (2, 1), (3, 1)])
def test_it_is_one_segment_where_the_syn_was_lost_more_than_once(timeouts: int, segments: int) -> None:
    """RFC 6928 §2."""
    end = reach.syn_sent()
    for _ in range(timeouts):
        assert end.next_timeout()[1] == ["S seq=+0"]
    end.arrives("S. seq=300 mss=1000")
    assert cwnd(end) == segments * 1000


def test_slow_start_adds_what_is_acknowledged() -> None:
    end = reach.sending(4, more=100_000)
    end.arrives(". ack=-3000")
    assert cwnd(end) == 5000
    end.arrives(f". ack={101 + 4000}")
    assert cwnd(end) == 8000


def test_a_window_that_was_not_used_does_not_grow() -> None:
    end = reach.established("mss=1000")
    for _ in range(20):
        end.send(b"x")
        end.arrives(".")
    assert cwnd(end) == 10_000


def test_nothing_is_sent_beyond_it() -> None:
    end = reach.established("mss=1000", tcp_initial_cwnd=3)
    assert len(end.send(bytes(9000))) == 3
    assert end.tcp.status().unacked == 3000


def test_a_timeout_leaves_one_segment_and_half_the_flight() -> None:
    """Equation 4."""
    after_a_timeout(8)


def test_half_the_flight_is_never_less_than_two_segments() -> None:
    end = reach.sending(3)
    end.next_timeout()
    assert end.tcp.status().snd_ssthresh == 2000


def test_a_second_timeout_of_the_same_segment_leaves_ssthresh() -> None:
    end = after_a_timeout(8)
    assert end.next_timeout()[1] == [". seq=+0 ack=+0 len=1000"]
    assert (cwnd(end), end.tcp.status().snd_ssthresh) == (1000, 4000)


def test_a_timeout_of_another_segment_does_not() -> None:
    end = after_a_timeout(8)
    end.arrives(f". ack={101 + 1000}")
    end.next_timeout()
    assert end.tcp.status().snd_ssthresh < 4000


def test_slow_start_after_a_timeout_adds_what_is_acknowledged() -> None:
    """As before one, as on Linux; RFC 3465 §2.3 would have a segment an ACK."""
    end = after_a_timeout(8)
    end.arrives(f". ack={101 + 3000}")
    assert cwnd(end) == 4000


def test_what_was_lost_is_sent_again_as_slow_start_allows() -> None:
    end = after_a_timeout(8)
    assert end.arrives(f". ack={101 + 1000}") == [". seq=+0 ack=+0 len=1000", ". seq=+1000 ack=+0 len=1000"]
    assert end.arrives(f". ack={101 + 2000}") == [". seq=+1000 ack=+0 len=1000", ". seq=+2000 ack=+0 len=1000"]


def test_congestion_avoidance_adds_a_segment_for_each_window_acknowledged() -> None:
    end = after_a_timeout(8)
    at = 101
    while cwnd(end) < 4000:
        at += 1000
        end.arrives(f". ack={at}")
    end.arrives(f". ack={101 + 8000}")  # recovery is over
    assert cwnd(end) == 5000
    grown = []
    at = end.tcp.status().snd_una
    for _ in range(9):
        at += 1000
        end.arrives(f". ack={at}")
        grown.append(cwnd(end))
    assert grown == [5000, 5000, 5000, 6000, 6000, 6000, 6000, 6000, 6000]


@pytest.mark.parametrize(("on", "after"), [(True, 10_000), (False, 20_000)])
def test_after_an_idle_rto_it_starts_again_from_the_initial_window(on: bool, after: int) -> None:
    """§4.1."""
    end = reach.sending(10, more=10_000, tcp_slow_start_after_idle=on)
    end.arrives(". ack=+0")
    end.arrives(". ack=+0")
    assert cwnd(end) == 20_000
    end.wait(SECOND)
    assert len(end.send(bytes(30_000))) == after // 1000
    assert cwnd(end) == after


def test_less_than_an_rto_is_not_idle() -> None:
    end = reach.sending(10, more=10_000)
    end.arrives(". ack=+0")
    end.arrives(". ack=+0")
    end.wait(100 * MS)
    assert len(end.send(bytes(30_000))) == 20
