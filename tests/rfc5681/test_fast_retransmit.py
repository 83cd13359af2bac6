"""RFC 5681 §2 and §3.2, RFC 3042: duplicate acknowledgments, Limited Transmit, fast retransmit, fast recovery."""

from __future__ import annotations

import pytest

from tests.rfc9293 import reach
from tests.rfc9293.notation import End

DUPLICATE = f". ack={101}"
AGAIN = ". seq=+0 ack=+0 len=1000"


def state(end: End) -> tuple[int, int]:
    status = end.tcp.status()
    return status.snd_cwnd, status.snd_ssthresh


def test_the_third_duplicate_sends_the_segment_again() -> None:
    end = reach.sending(8)
    assert end.arrives(DUPLICATE) == []
    assert end.arrives(DUPLICATE) == []
    assert end.arrives(DUPLICATE) == [AGAIN]
    assert end.tcp.status().snd_ssthresh == 4000
    assert end.stack.counters["TCPRenoRecovery"] == 1


@pytest.mark.parametrize(
    ("because", "arrives"),
    [
        ("it has text", f"P. ack={101} data=abc"),
        ("its window differs", f". ack={101} wnd=60000"),
        ("it is older", f". ack={100}"),
        ("it has a FIN", f"F. ack={101}"),
    ],
)
def test_what_is_no_duplicate(because: str, arrives: str) -> None:
    """§2."""
    end = reach.sending(8)
    end.arrives(DUPLICATE)
    end.arrives(DUPLICATE)
    assert AGAIN not in end.arrives(arrives), because


def test_where_nothing_is_outstanding_nothing_is_a_duplicate() -> None:
    end = reach.established("mss=1000")
    for _ in range(5):
        assert end.arrives(".") == []
    end.send(bytes(1000))
    assert end.arrives(DUPLICATE) == []


def test_an_acknowledgment_of_something_new_begins_the_count_anew() -> None:
    end = reach.sending(8)
    end.arrives(DUPLICATE)
    end.arrives(DUPLICATE)
    end.arrives(f". ack={1101}")
    assert end.arrives(f". ack={1101}") == []


def test_the_first_two_duplicates_let_a_new_segment_out_each() -> None:
    """RFC 3042."""
    end = reach.sending(8, more=10_000)
    assert end.arrives(DUPLICATE) == [". seq=+8000 ack=+0 len=1000"]
    assert end.arrives(DUPLICATE) == [". seq=+9000 ack=+0 len=1000"]
    assert end.arrives(DUPLICATE) == [AGAIN]


def test_limited_transmit_keeps_to_the_window_of_the_peer() -> None:
    end = reach.sending(8, more=10_000, offer="wnd=8500")
    assert end.arrives(". ack=101 wnd=8500") == []


def test_what_limited_transmit_sent_does_not_count_in_ssthresh() -> None:
    end = reach.sending(8, more=10_000)
    for _ in range(3):
        end.arrives(DUPLICATE)
    assert state(end)[1] == 4000


def test_each_second_further_duplicate_lets_one_out() -> None:
    """§3.2, steps 3 to 5, evenly over the round trip (RFC 9937 §6.2): ssthresh is half of the window."""
    end = reach.sending(8, more=10_000, tcp_initial_cwnd=8)
    sent = [end.arrives(DUPLICATE) for _ in range(9)]
    new = [[f". seq=+{place}000 ack=+0 len=1000"] for place in range(8, 13)]
    # and one for one when no more than that is in flight
    assert sent == [new[0], new[1], [AGAIN], [], new[2], [], [], new[3], new[4]]


def test_an_acknowledgment_of_all_deflates_it() -> None:
    """§3.2, step 6."""
    end = reach.sending(8, more=10_000)
    for _ in range(9):
        end.arrives(DUPLICATE)
    end.arrives(f". ack={101 + 13_000}")
    assert state(end) == (5000, 4000)  # and a window's worth was acknowledged in congestion avoidance
    assert end.tcp.status().unacked == 5000


def test_ssthresh_is_never_less_than_two_segments() -> None:
    end = reach.sending(4, tcp_reordering=1)
    end.arrives(f". ack={101 + 1000}")
    end.arrives(f". ack={101 + 1000}")
    assert state(end)[1] == 2000


def test_no_more_duplicates_count_than_could_have_left_the_network() -> None:
    """Of three segments one must be missing: the third duplicate is the network's own."""
    end = reach.sending(3)
    for _ in range(5):
        assert end.arrives(DUPLICATE) == []
    assert end.stack.counters["TCPRenoReorder"] > 0


def test_a_segment_lost_again_waits_for_the_timeout() -> None:
    end = reach.sending(8)
    for _ in range(3):
        end.arrives(DUPLICATE)
    for _ in range(6):
        assert end.arrives(DUPLICATE) == []
    assert end.next_timeout()[1] == [AGAIN]
    assert state(end) == (1000, 4000)


def test_duplicates_after_a_timeout_start_nothing() -> None:
    """RFC 6582 §4: they are of segments that arrived twice."""
    end = reach.sending(8)
    end.next_timeout()
    for _ in range(5):
        assert end.arrives(DUPLICATE) == []
    assert state(end) == (1000, 4000)
