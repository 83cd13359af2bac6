"""RFC 9293 §3.8.6: silly windows, zero windows with a FIN behind them, windows that shrink."""

from __future__ import annotations

import pytest

from tests.rfc9293 import reach
from tests.rfc9293.notation import MS, SECOND, End
from tulpen.tcp.config import SocketOptions
from tulpen.tcp.state import CLOSED, ESTABLISHED, FIN_WAIT_1, LAST_ACK, State
from tulpen.tcp.trace import Reason

PROBE = ". seq=-1 ack=+0"
ACK = ". seq=+0 ack=+0"
DAY = 86_400 * SECOND


def shut(waiting: int = 5000, **given: object) -> End:
    """The peer's window is closed; so many octets wait."""
    end = reach.established("mss=1000", **given)
    end.arrives(". wnd=0")
    assert end.send(bytes(waiting)) == []
    return end


# the sender


@pytest.mark.requirement("MUST-38")
@pytest.mark.parametrize(
    ("because", "window", "sent"),
    [
        ("less than a segment and less than half of the largest window", 999, []),
        ("a segment", 1000, [1000]),
        ("a segment and something", 1999, [1000]),
        ("two", 2000, [1000, 1000]),
    ],
)
def test_what_an_opening_window_lets_out(because: str, window: int, sent: list[int]) -> None:
    assert [int(text.rpartition("=")[2]) for text in shut().arrives(f". wnd={window}")] == sent, because


@pytest.mark.requirement("MUST-38")
def test_the_last_octets_fit_whole() -> None:
    """Rule 2: D =< U, and they are pushed."""
    assert shut(300).arrives(". wnd=300") == ["P. seq=+0 ack=+0 len=300"]
    assert shut(300).arrives(". wnd=299") == []


@pytest.mark.requirement("MUST-38")
def test_half_of_the_largest_window() -> None:
    """Rule 3: a peer whose buffer holds less than a segment."""
    end = reach.established("mss=1000 wnd=600")
    assert end.send(bytes(5000)) == [". seq=+0 ack=+0 len=600"]
    assert end.arrives(". wnd=299") == []
    assert end.arrives(". wnd=300") == [". seq=+0 ack=+0 len=300"]


@pytest.mark.requirement("MUST-38")
def test_the_override_timer() -> None:
    """Rule 4; and a peer that keeps telling the same small window does not put it off."""
    end = shut()
    end.arrives(". wnd=100")
    at = end.tcp.next_deadline()
    for _ in range(5):
        end.wait(20 * MS)
        assert end.arrives(". wnd=100") == []
    assert end.tcp.next_deadline() == at
    assert 100 * MS <= (at or 0) - (end.now - 100 * MS) <= SECOND
    assert end.next_timeout()[1] == [". seq=+0 ack=+0 len=100"]


def test_it_is_a_second_at_most_whatever_the_rto() -> None:
    end = reach.syn_sent()
    end.next_timeout()
    end.arrives("S. seq=300 mss=1000 wnd=100")
    assert end.tcp.status().rto == 3 * SECOND
    end.arrives(". wnd=40")
    assert end.send(bytes(150)) == []
    assert end.next_timeout() == (SECOND, [". seq=+0 ack=+0 len=40"])


def test_each_override_sends_once() -> None:
    end = shut()
    end.arrives(". wnd=100")
    end.next_timeout()
    assert end.arrives(". wnd=100") == []
    assert end.next_timeout()[1] == [". seq=+0 ack=+0 len=100"]


@pytest.mark.requirement("MUST-36", "SHLD-29")
def test_the_probe_waits_an_rto_from_when_the_window_closes() -> None:
    end = shut()
    end.arrives(". wnd=100")
    end.wait(10 * MS)
    end.arrives(". wnd=0")
    assert end.next_timeout() == (end.tcp.status().rto // 2, [PROBE])


# the receiver


@pytest.mark.requirement("MUST-39")
@pytest.mark.parametrize(
    ("buffer", "reads", "updates"),
    [(10_000, 1459, 0), (10_000, 1460, 1), (2000, 999, 0), (2000, 1000, 1)],
)
def test_a_closed_window_opens_by_a_segment_or_half_of_the_buffer(buffer: int, reads: int, updates: int) -> None:
    end = reach.established(tcp_rmem=(1000, buffer, buffer), show="wnd")
    end.arrives(f". len={buffer}")
    assert end.tcp.status().rcv_wnd == 0
    end.tcp.receive(reads)
    assert end.sent() == [f"{ACK} wnd={reads}"] * updates


def test_updates_of_an_open_window_wait_until_they_double_it() -> None:
    end = reach.established(tcp_rmem=(1000, 10_000, 10_000), show="wnd")
    end.arrives(". len=5000")
    end.tcp.receive(4999)
    assert end.sent() == []
    end.tcp.receive(1)
    assert end.sent() == [f"{ACK} wnd=10000"]


@pytest.mark.parametrize("state", [State.ESTABLISHED, State.FIN_WAIT_1, State.FIN_WAIT_2])
def test_updates_in_every_state_that_receives(state: State) -> None:
    end = reach.REACH[state](tcp_rmem=(1000, 4000, 4000))
    end.arrives("P. len=4000")
    end.tcp.receive(4000)
    assert end.sent() == [ACK]


def test_no_update_once_all_has_come() -> None:
    end = reach.established(tcp_rmem=(1000, 4000, 4000))
    end.arrives("FP. len=3999")
    end.tcp.receive(4000)
    assert end.sent() == []


# zero windows


@pytest.mark.requirement("MUST-36")
@pytest.mark.parametrize("state", [State.ESTABLISHED, State.CLOSE_WAIT])
def test_a_fin_behind_a_zero_window(state: State) -> None:
    end = reach.REACH[state]()
    end.arrives(". wnd=0")
    assert end.shutdown() == []
    assert end.state is (FIN_WAIT_1 if state is State.ESTABLISHED else LAST_ACK)
    assert end.next_timeout()[1] == [PROBE]
    end.arrives(". wnd=0")
    assert end.next_timeout()[1] == [PROBE]
    assert end.arrives(". wnd=1") == ["F. seq=+0 ack=+0"]


def test_text_and_fin_where_only_the_text_fits() -> None:
    end = reach.established("mss=1000")
    end.arrives(". wnd=0")
    end.send(b"abc")
    end.shutdown()
    assert end.arrives(". wnd=3") == ["P. seq=+0 ack=+0 len=3"]
    assert end.arrives(". wnd=0") == []
    assert end.next_timeout()[1] == [PROBE]
    assert end.arrives(". wnd=1") == ["F. seq=+0 ack=+0"]


@pytest.mark.requirement("MUST-66")
@pytest.mark.parametrize(
    ("because", "arrives", "replies"),
    [
        ("a probe with an octet is acknowledged and its octet dropped", ". data=x", [f"{ACK} wnd=0"]),
        ("a probe with none too", ". seq=-1", [f"{ACK} wnd=0"]),
        ("an acknowledgment is taken", ". wnd=77", []),
        ("text beyond is not", ". seq=+1 data=x", [f"{ACK} wnd=0"]),
    ],
)
def test_our_closed_window(because: str, arrives: str, replies: list[str]) -> None:
    end = reach.established(tcp_rmem=(1000, 2000, 2000), show="wnd")
    end.arrives(". len=2000")
    assert end.arrives(arrives) == replies, because
    assert end.tcp.readable == 2000
    if "77" in arrives:
        assert end.tcp.status().snd_wnd == 77


@pytest.mark.requirement("MAY-8")
def test_it_may_stay_closed_for_ever() -> None:
    end = reach.established(tcp_rmem=(1000, 2000, 2000), show="wnd")
    end.arrives(". len=2000")
    end.wait(50 * MS)
    for _ in range(30):
        assert end.wait(DAY) == []
        assert end.arrives(". seq=-1") == [f"{ACK} wnd=0"]
    assert end.state is ESTABLISHED


def test_a_fin_needs_no_room() -> None:
    """As Linux has it: a bare FIN at a closed window is taken."""
    end = reach.established(tcp_rmem=(1000, 2000, 2000))
    end.arrives(". len=2000")
    assert end.arrives("F.") == [ACK]
    assert end.state is State.CLOSE_WAIT


@pytest.mark.requirement("MUST-37")
def test_answered_probes_go_on_for_weeks_unanswered_ones_do_not() -> None:
    end = shut()
    for _ in range(2000):
        end.next_timeout()
        end.arrives(". wnd=0")
    assert end.state is ESTABLISHED
    end.wait(DAY)
    assert end.state is CLOSED
    assert end.stack.counters["TCPAbortOnTimeout"] == 1


def test_the_backoff_of_probes_ends_with_the_opening() -> None:
    end = shut()
    rto = end.tcp.status().rto
    for _ in range(5):
        end.next_timeout()
        end.arrives(". wnd=0")
    end.arrives(". wnd=5000")
    assert end.tcp.status().rto == rto
    end.arrives(". ack=+0 wnd=0")
    end.send(b"abc")
    assert end.next_timeout() == (end.tcp.status().rto // 2, [PROBE])


# windows that shrink


@pytest.mark.requirement("MUST-34", "SHLD-15", "SHLD-16")
def test_nothing_new_is_sent_until_the_window_reaches_beyond_what_is_out() -> None:
    end = reach.established("mss=1000")
    end.send(bytes(8000))
    assert end.tcp.status().unacked == 8000
    assert end.arrives(". ack=101 wnd=3000") == []
    end.tcp.send(bytes(4000), end.now)
    assert end.sent() == []
    assert end.arrives(". ack=4101 wnd=3000") == []
    assert end.arrives(". ack=8101 wnd=3000") == [f". seq=+{place} ack=+0 len=1000" for place in (0, 1000, 2000)]


@pytest.mark.requirement("MUST-35", "SHLD-17")
def test_shrunk_to_nothing_with_text_in_flight_the_retransmission_probes() -> None:
    end = reach.established("mss=1000")
    end.send(bytes(3000))
    waits = []
    for _ in range(40):
        wait, sent = end.next_timeout()
        waits.append(wait)
        assert sent == [". seq=+0 ack=+0 len=1000"]
        assert end.arrives(". ack=101 wnd=0") == []
    assert end.state is ESTABLISHED
    assert waits[-1] == 120 * SECOND
    # and as soon as it opens, it is soon tried again
    assert end.arrives(". ack=101 wnd=5000") == []
    wait, sent = end.next_timeout()
    assert (wait <= SECOND, sent) == (True, [". seq=+0 ack=+0 len=1000"])


@pytest.mark.requirement("SHLD-17")
def test_a_peer_that_falls_silent_then_is_given_up() -> None:
    end = reach.established("mss=1000")
    end.send(bytes(3000))
    for _ in range(40):
        end.next_timeout()
        end.arrives(". ack=101 wnd=0")
    begun = end.now
    end.wait(DAY)
    assert end.state is CLOSED
    assert end.moves()[-1].now - begun > 100 * SECOND


# beyond the window


@pytest.mark.parametrize(
    ("because", "arrives", "taken", "reason"),
    [
        ("what reaches beyond is cut", "P. len=3000", 2000, Reason.BEYOND_WINDOW),
        ("with its FIN", "FP. len=2001", 2000, Reason.BEYOND_WINDOW),
        ("a FIN just behind the window is taken", "FP. len=2000", 2000, None),
        ("what begins beyond is dropped", "P. seq=+2000 len=10", 0, Reason.OUT_OF_WINDOW),
        ("what fills it is taken", "P. len=2000", 2000, None),
    ],
)
def test_text_beyond_the_window(because: str, arrives: str, taken: int, reason: Reason | None) -> None:
    end = reach.established(tcp_rmem=(1000, 2000, 2000))
    end.arrives(arrives)
    assert end.tcp.readable == taken, because
    assert end.reasons() == ([reason] if reason else [])
    if reason is Reason.BEYOND_WINDOW:
        assert end.state is ESTABLISHED


def test_segments_of_no_length_at_every_edge() -> None:
    """Table 6: RCV.NXT =< SEG.SEQ < RCV.NXT+RCV.WND, and Appendix A.2 for the right edge."""
    passes = {-1: False, 0: True, 1999: True, 2000: True, 2001: False}
    for place, good in passes.items():
        end = reach.established(tcp_rmem=(1000, 2000, 2000), tcp_invalid_ratelimit=0)
        end.send(b"abc")
        end.arrives(f". seq={301 + place} ack=+0")
        assert (end.tcp.status().unacked == 0) is good, place


@pytest.mark.parametrize("options", [None, SocketOptions(tcp_nodelay=True)])
def test_nagle_and_a_small_window(options: SocketOptions | None) -> None:
    """§3.7.4: with less than a segment in flight a small one waits, unless Nagle is off."""
    end = reach.established("mss=1000", options=options)
    end.send(bytes(100))
    assert end.send(bytes(100)) == ([] if options is None else ["P. seq=+100 ack=+0 len=100"])


def test_nagle_holds_all_small_segments_back() -> None:
    """§3.7.4 to the letter: while anything is unacknowledged, a full segment too."""
    end = reach.established("mss=1000", tcp_nagle_small=False)
    assert end.send(bytes(1300)) == [". seq=+0 ack=+0 len=1000"]
    assert end.arrives(". ack=+0") == ["P. seq=+0 ack=+0 len=300"]


def test_nagle_holds_one_small_segment_back_for_another() -> None:
    """Minshall's form of it, as Linux has it: the end of a write goes behind its full segments."""
    end = reach.established("mss=1000")
    assert end.send(bytes(1300)) == [". seq=+0 ack=+0 len=1000", "P. seq=+1000 ack=+0 len=300"]
    assert end.send(bytes(1300)) == [". seq=+1300 ack=+0 len=1000"]
    assert end.arrives(". ack=-1300") == []
    assert end.arrives(". ack=-1000") == ["P. seq=+1000 ack=+0 len=300"]
