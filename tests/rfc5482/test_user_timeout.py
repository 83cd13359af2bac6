"""RFC 5482: the User Timeout Option, and the user timeout of RFC 9293 §3.10.8."""

from __future__ import annotations

import errno

import pytest

from tests.rfc9293 import reach
from tests.rfc9293.notation import MS, SECOND, End
from tulpen.tcp.config import SocketOptions
from tulpen.tcp.state import CLOSED, ESTABLISHED
from tulpen.tcp.trace import Ended, Reason
from tulpen.wire.options import build_options

MINUTE = 60 * SECOND


def asking(seconds: float, offer: str = "mss=1000", **given: object) -> End:
    """An application with this user timeout, 0 for none, on a host that speaks the option."""
    options = SocketOptions(tcp_user_timeout=int(seconds * 1000))
    given = {"tcp_user_timeout_by_rto": False, **given}
    end = reach.closed(tcp_user_timeout_option=True, options=options, show="uto", **given)
    end.tcp.open_active(end.now)
    end.sent()
    end.tcp.segment_arrives(end.arriving(f"S. seq=300 {offer}"), end.now)
    return end


def lasts(end: End) -> int:
    """Nanoseconds until text that nobody acknowledges ends the connection."""
    end.tcp.send(b"x", end.now)
    end.sent()
    begun = end.now
    end.wait(40 * 86_400 * SECOND)
    assert (end.state, end.tcp.error) == (CLOSED, errno.ETIMEDOUT)
    return end.moves()[-1].now - begun


# the timeout itself


@pytest.mark.requirement("MUST-21")
@pytest.mark.parametrize("seconds", [1, 3, 100, 86_400])
def test_it_is_r2_whether_shorter_or_longer(seconds: int) -> None:
    assert lasts(asking(seconds)) == seconds * SECOND


def test_its_reason_is_told() -> None:
    end = asking(5)
    lasts(end)
    assert end.stack.records is not None
    assert [r.reason for _, r in end.stack.records if isinstance(r, Ended)] == [Reason.USER_TIMEOUT]


def test_it_counts_from_the_oldest_octet_in_flight() -> None:
    end = asking(10)
    end.sent()
    end.tcp.send(b"a", end.now)
    end.sent()
    end.wait(9 * SECOND)
    end.arrives(".")
    assert lasts(end) == 10 * SECOND


def test_an_open_itself_may_time_out() -> None:
    end = reach.syn_sent(options=SocketOptions(tcp_user_timeout=2500))
    begun = end.now
    end.wait(MINUTE)
    assert (end.state, end.moves()[-1].now - begun) == (CLOSED, 2500 * MS)


def test_a_window_that_stays_shut_in_silence() -> None:
    end = asking(30)
    end.sent()
    end.arrives(". wnd=0")
    end.tcp.send(b"x", end.now)
    end.sent()
    begun = end.now
    end.wait(MINUTE)
    assert (end.state, end.moves()[-1].now - begun) == (CLOSED, 30 * SECOND)


def test_it_may_be_changed_on_an_open_connection() -> None:
    end = asking(1000)
    end.tcp.tcb.options.tcp_user_timeout = 3000
    assert lasts(end) == 3 * SECOND


# as Linux counts it: tcp_user_timeout_by_rto


@pytest.mark.parametrize(("offer", "timeouts"), [("mss=1000", 1), ("mss=1000 sackok", 2)])
def test_it_counts_from_the_first_retransmission(offer: str, timeouts: int) -> None:
    """A Tail Loss Probe is none: it comes before the timeout."""
    end = asking(3, offer, tcp_user_timeout_by_rto=True, tcp_sack=True, tcp_early_retrans=3)
    rto = end.tcp.status().rto
    assert lasts(end) == timeouts * rto + 3 * SECOND


def test_at_a_shut_window_it_counts_from_the_first_probe_be_it_answered() -> None:
    end = asking(5, tcp_user_timeout_by_rto=True)
    end.sent()
    end.arrives(". wnd=0")
    end.tcp.send(b"x", end.now)
    end.sent()
    end.next_timeout()
    begun = end.now
    while end.state is ESTABLISHED:
        end.arrives(". wnd=0")
        end.next_timeout()
    assert end.now - begun == 5 * SECOND


def test_an_opening_in_between_ends_that() -> None:
    end = asking(5, tcp_user_timeout_by_rto=True)
    end.sent()
    for _ in range(5):
        end.arrives(". ack=+0 wnd=0")
        end.tcp.send(b"x", end.now)
        end.sent()
        end.next_timeout()
        end.wait(2 * SECOND)
        assert end.arrives(". wnd=100") == ["P. seq=+0 ack=+0 len=1"]
    assert end.state is ESTABLISHED


# §3, sending the option


def test_it_goes_with_the_syn_and_with_the_first_segment_after_it() -> None:
    end = reach.closed(tcp_user_timeout_option=True, options=SocketOptions(tcp_user_timeout=90_500), show="uto")
    end.tcp.open_active(end.now)
    assert end.sent() == ["S seq=+0 uto=91"]
    assert end.arrives("S. seq=300 mss=1000") == [". seq=+0 ack=+0 uto=91"]
    assert end.send(bytes(1500)) == [". seq=+0 ack=+0 len=1000", "P. seq=+1000 ack=+0 len=500"]


def test_and_whenever_it_is_changed() -> None:
    end = asking(90)
    end.sent()
    end.tcp.tcb.options.tcp_user_timeout = 120_000
    assert end.send(b"abc") == ["P. seq=+0 ack=+0 len=3 uto=120"]
    assert end.arrives("F.") == [". seq=+0 ack=+0"]


def test_text_makes_room_for_it() -> None:
    end = asking(90, "mss=1000 ts=1/0", tcp_timestamps=1)
    end.tcp.send(bytes(3000), end.now)
    sent = end.tcp.segments_to_send(end.now)
    assert sent[0].options.user_timeout == 90
    assert [len(segment.data) + len(build_options(segment.options)) for segment in sent[:3]] == [1000] * 3


@pytest.mark.parametrize(("setting", "seconds"), [(False, 90), (True, 0)])
def test_it_is_not_sent_unasked(setting: bool, seconds: int) -> None:
    options = SocketOptions(tcp_user_timeout=seconds * 1000)
    end = reach.established(tcp_user_timeout_option=setting, options=options, show="uto")
    assert end.send(b"abc") == ["P. seq=+0 ack=+0 len=3"]


# §3.1, obeying it


@pytest.mark.parametrize(
    ("asked", "adopted"),
    [(200, 200), (3600, 3600), (1, 100), (99, 100), (1_000_000, 86_400)],
)
def test_the_peers_is_adopted_within_limits(asked: int, adopted: int) -> None:
    """min(U_LIMIT, max(REMOTE_UTO, L_LIMIT)); the lower limit is 100 s."""
    end = asking(0)
    end.sent()
    end.arrives(f". uto={asked}")
    assert lasts(end) == adopted * SECOND


def test_it_may_come_with_the_syn() -> None:
    assert lasts(asking(0, "mss=1000 uto=200")) == 200 * SECOND


def test_the_lower_limit_is_more_than_the_timeout() -> None:
    end = asking(0, tcp_rto_max_ms=900_000)
    end.sent()
    end.tcp.send(b"x", end.now)
    end.sent()
    begun = end.now
    while end.tcp.status().rto < 300 * SECOND:
        end.next_timeout()
    end.arrives(". ack=-1 uto=100")
    end.wait(86_400 * SECOND)
    assert end.moves()[-1].now - begun > 300 * SECOND


def test_what_the_application_asked_for_stands() -> None:
    """CHANGEABLE is false as soon as the application sets its own."""
    end = asking(5)
    end.sent()
    end.arrives(". uto=3600")
    assert lasts(end) == 5 * SECOND


@pytest.mark.parametrize("text", [". uto=0", ". seq=-9 uto=200", ". ack=-70000 uto=200"])
def test_what_asks_for_nothing(text: str) -> None:
    """§3.4: zero is reserved; and what is not acceptable asks for nothing."""
    end = asking(0)
    end.sent()
    end.arrives(text)
    assert lasts(end) > 900 * SECOND


def test_a_host_that_does_not_speak_it_ignores_it() -> None:
    end = reach.established("mss=1000 uto=200")
    end.arrives(". uto=200")
    assert end.state is ESTABLISHED
    assert lasts(end) > 900 * SECOND
