"""RFC 9293 §3.8.6: the window of the peer, open, closed and shrunk; ours; delayed acknowledgments."""

from __future__ import annotations

from itertools import pairwise

import pytest

from tests.rfc9293 import reach
from tests.rfc9293.notation import MS, SECOND, End
from tulpen.tcp.state import ESTABLISHED
from tulpen.tcp.trace import Reason

PROBE = ". seq=-1 ack=+0"
ACK = ". seq=+0 ack=+0"
DAY = 86_400 * SECOND


def shut(**sysctls: object) -> End:
    """The peer's window is closed, and there is something to send."""
    end = reach.established(**sysctls)
    end.arrives(". wnd=0")
    assert end.send(b"abc") == []
    return end


# theirs


@pytest.mark.requirement("MUST-1", "REC-1")
def test_the_window_is_an_unsigned_number() -> None:
    end = reach.established(tcp_initial_cwnd=100)
    end.arrives(". wnd=65535")
    end.send(bytes(100_000))
    assert end.tcp.status().snd_wnd == 65_535
    assert end.tcp.status().unacked > 32_767


@pytest.mark.requirement("REC-1")
def test_a_scaled_window_needs_more_than_16_bits() -> None:
    end = reach.syn_sent(tcp_window_scaling=True)
    end.arrives(f"S. seq={reach.IRS} mss=1460 ws=14")
    end.arrives(". wnd=65535")
    assert end.tcp.status().snd_wnd == 65_535 << 14


@pytest.mark.requirement("MUST-36", "SHLD-29", "SHLD-30")
def test_a_closed_window_is_probed_after_an_rto_and_then_ever_more_rarely() -> None:
    end = shut()
    rto = end.tcp.status().rto
    times = []
    for _ in range(5):
        elapsed, sent = end.next_timeout()
        assert sent == [PROBE]
        end.arrives(". wnd=0")
        times.append(elapsed)
    assert times[0] == rto
    assert all(later == 2 * earlier for earlier, later in pairwise(times))


@pytest.mark.requirement("MUST-37")
def test_a_window_may_stay_closed_as_long_as_probes_are_answered() -> None:
    end = shut()
    for _ in range(200):
        _, sent = end.next_timeout()
        assert sent == [PROBE]
        end.arrives(". wnd=0")
    assert end.state is ESTABLISHED
    assert end.arrives(". wnd=1000") == ["P. seq=+0 ack=+0 len=3"]


@pytest.mark.requirement("MUST-34", "SHLD-15", "SHLD-16", "MAY-7")
def test_a_window_that_shrinks() -> None:
    end = reach.established()
    assert len(end.send(bytes(4 * 1460))) == 4
    assert end.arrives(". ack=-4380 wnd=1000") == []  # three segments are out; 1000 octets would be let in
    assert end.send(b"abc") == []
    _, again = end.next_timeout()
    assert again == [". seq=+0 ack=+0 len=1460"]


@pytest.mark.requirement("MUST-34", "SHLD-17")
def test_what_lies_beyond_a_window_that_shrank_ends_nothing() -> None:
    end = reach.established()
    end.send(bytes(2 * 1460))
    for _ in range(60):
        end.arrives(". ack=-2920 wnd=0")
        end.next_timeout()
    assert end.state is ESTABLISHED
    assert end.arrives(". ack=+0 wnd=5000") == []


@pytest.mark.requirement("MUST-35")
def test_a_window_that_shrinks_to_zero_is_probed() -> None:
    end = reach.established()
    end.send(bytes(1460))
    end.arrives(". wnd=0")
    assert end.send(b"abc") == []
    assert end.next_timeout()[1] == [PROBE]


@pytest.mark.requirement("MUST-38")
def test_the_sender_does_not_fill_a_small_opening() -> None:
    end = reach.established()
    end.arrives(". wnd=0")
    end.send(bytes(5000))
    assert end.arrives(". wnd=100") == []
    assert end.arrives(". wnd=1460") == [". seq=+0 ack=+0 len=1460"]


@pytest.mark.requirement("MUST-38")
def test_nor_does_it_wait_for_ever() -> None:
    end = reach.established()
    end.arrives(". wnd=0")
    end.send(bytes(5000))
    end.arrives(". wnd=100")
    assert end.wait(2 * SECOND)[0] == ". seq=+0 ack=+0 len=100"


# ours


@pytest.mark.requirement("MUST-39", "SHLD-14")
def test_our_window_opens_by_large_steps_and_never_shrinks() -> None:
    end = reach.established(tcp_rmem=(4096, 8000, 8000))
    edge = end.tcp.status().rcv_nxt + end.tcp.status().rcv_wnd
    windows = []
    for step in range(200):
        if end.tcp.status().rcv_wnd >= 500:
            end.arrives("P. len=500")
        end.tcp.receive(70 if step % 3 else 900)
        end.sent()
        status = end.tcp.status()
        assert status.rcv_nxt + status.rcv_wnd >= edge
        if status.rcv_nxt + status.rcv_wnd > edge:
            windows.append(status.rcv_nxt + status.rcv_wnd - edge)
        edge = status.rcv_nxt + status.rcv_wnd
    assert windows
    assert min(windows) >= min(1460, 8000 // 2)


@pytest.mark.requirement("MUST-40", "SHLD-18")
def test_an_ack_waits_less_than_half_a_second() -> None:
    end = reach.established()
    assert end.arrives("P. data=abc") == []
    elapsed, sent = end.next_timeout()
    assert sent == [ACK]
    assert 0 < elapsed < 500 * MS


@pytest.mark.requirement("SHLD-19", "MUST-58")
def test_every_second_full_segment_is_acknowledged() -> None:
    end = reach.established()
    answers = [end.arrives(". len=1460") for _ in range(8)]
    assert answers == [[], [ACK]] * 4


@pytest.mark.requirement("MUST-58", "MUST-59")
def test_one_ack_answers_all_that_came_before_anything_is_sent() -> None:
    end = reach.established()
    for _ in range(5):
        end.tcp.segment_arrives(end.arriving(". len=1460"), end.now)
    assert end.sent() == [ACK]


@pytest.mark.requirement("SHLD-31")
def test_what_comes_out_of_order_is_kept() -> None:
    end = reach.established()
    end.arrives("P. seq=+3 data=def")
    end.arrives("P. data=abc")
    assert bytes(end.tcp.receive(3)) + bytes(end.tcp.receive(3)) == b"abcdef"


@pytest.mark.requirement("SHLD-3", "MAY-1")
def test_a_close_with_data_unread_resets() -> None:
    end = reach.established()
    end.arrives("P. data=abc")
    assert end.close()[0].startswith("R")


@pytest.mark.requirement("SHLD-3", "MAY-1")
def test_data_after_a_close_that_lets_go_resets() -> None:
    end = reach.established()
    end.close()
    assert end.arrives("P. data=abc")[-1].startswith("R")
    assert end.reasons() == [Reason.DATA_AFTER_CLOSE]


@pytest.mark.requirement("SHLD-2")
def test_a_rst_may_have_data() -> None:
    end = reach.established()
    end.arrives("R. data=out_of_memory")
    assert end.state.title == "CLOSED"
