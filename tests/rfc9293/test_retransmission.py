"""RFC 9293 §3.8.1 to §3.8.3: retransmission, its timeout, and when it gives up."""

from __future__ import annotations

import errno
from itertools import pairwise

import pytest

from tests.rfc9293 import reach
from tests.rfc9293.notation import MS, SECOND, End
from tulpen.tcp.config import Settings, SocketOptions
from tulpen.tcp.signals import Signal
from tulpen.tcp.state import CLOSED, ESTABLISHED
from tulpen.tcp.trace import Ended, Reason


def timeouts(end: End, count: int) -> list[int]:
    """The nanoseconds of each of the next timeouts, each with the first segment sent again."""
    times = []
    for _ in range(count):
        elapsed, sent = end.next_timeout()
        assert len(sent) == 1
        times.append(elapsed)
    return times


@pytest.mark.requirement("MUST-19")
def test_each_timeout_is_twice_the_one_before() -> None:
    end = reach.established()
    end.send(b"abc")
    times = timeouts(end, 6)
    assert [later / earlier for earlier, later in pairwise(times)] == [2] * 5


@pytest.mark.requirement("MUST-19")
def test_slow_start_grows_by_what_is_acknowledged() -> None:
    end = reach.established(tcp_initial_cwnd=2)
    assert len(end.send(bytes(20 * 1460))) == 2
    assert len(end.arrives(". ack=-1460")) == 2  # one went, one more fits
    assert end.tcp.status().snd_cwnd == 3 * 1460
    end.arrives(".")
    assert end.tcp.status().snd_cwnd == 6 * 1460


@pytest.mark.requirement("MUST-19")
def test_a_timeout_begins_slow_start_from_one_segment() -> None:
    end = reach.established()
    end.send(bytes(10 * 1460))
    end.next_timeout()
    assert end.tcp.status().snd_cwnd == 1460
    assert end.tcp.status().snd_ssthresh == 5 * 1460


@pytest.mark.requirement("MUST-19")
def test_congestion_avoidance_adds_a_segment_a_round_trip() -> None:
    end = reach.established(tcp_initial_cwnd=4)
    end.send(bytes(100 * 1460))
    end.next_timeout()
    while end.tcp.status().snd_cwnd < end.tcp.status().snd_ssthresh:
        end.arrives(". ack=+0")
    at_first = end.tcp.status().snd_cwnd
    end.arrives(". ack=+0")
    assert end.tcp.status().snd_cwnd <= at_first + 1460


@pytest.mark.requirement("MUST-18")
def test_what_was_sent_twice_is_no_sample() -> None:
    end = reach.established()
    end.send(b"abc")
    measured = end.tcp.status().rtt
    end.next_timeout()
    end.wait(150 * MS)
    assert end.arrives(".") == []
    assert end.tcp.status().rtt == measured


@pytest.mark.requirement("MUST-18")
def test_the_backed_off_timeout_stays_until_something_new_is_acknowledged() -> None:
    end = reach.established()
    end.send(b"abc")
    (first,) = timeouts(end, 1)
    end.arrives(".")
    end.send(b"abc")
    elapsed, _ = end.next_timeout()
    assert elapsed >= first


@pytest.mark.requirement("SHLD-9", "MUST-20", "SHLD-10")
def test_r1_tells_the_application() -> None:
    end = reach.established()
    end.send(b"abc")
    end.signals()
    timeouts(end, Settings().tcp_retries1)
    assert Settings().tcp_retries1 >= 3
    assert Signal.TROUBLE not in end.signals()
    timeouts(end, 1)
    assert end.signals() == [Signal.TROUBLE]
    assert end.state is ESTABLISHED


@pytest.mark.requirement("MUST-20", "SHLD-11", "MUST-12")
def test_r2_ends_the_connection() -> None:
    end = reach.established()
    end.send(b"abc")
    begun = end.now
    end.wait(3600 * SECOND)
    assert end.state is CLOSED
    assert end.tcp.error == errno.ETIMEDOUT
    ended = end.moves()[-1].now
    assert ended - begun >= 100 * SECOND


@pytest.mark.requirement("MUST-21")
@pytest.mark.parametrize("milliseconds", [1000, 30_000])
def test_the_application_sets_r2_as_a_time(milliseconds: int) -> None:
    end = reach.established(options=SocketOptions(tcp_user_timeout=milliseconds))
    end.send(b"abc")
    begun = end.now
    end.wait(3600 * SECOND)
    assert end.state is CLOSED
    assert 0 <= end.moves()[-1].now - begun - milliseconds * MS <= 1000 * MS


@pytest.mark.requirement("MUST-22", "MUST-23")
def test_a_syn_is_given_up_after_three_minutes_or_more() -> None:
    end = reach.syn_sent()
    begun = end.now
    end.wait(3600 * SECOND)
    assert end.state is CLOSED
    assert end.tcp.error == errno.ETIMEDOUT
    assert end.moves()[-1].now - begun >= 180 * SECOND


@pytest.mark.requirement("MUST-22", "MUST-21")
def test_the_application_sets_r2_of_a_syn() -> None:
    end = reach.syn_sent(options=SocketOptions(tcp_syncnt=1))
    assert len(end.wait(3600 * SECOND)) == 1
    assert end.state is CLOSED


def test_giving_up_leaves_its_reason() -> None:
    end = reach.established(options=SocketOptions(tcp_user_timeout=1000))
    end.send(b"abc")
    end.wait(60 * SECOND)
    assert end.stack.records is not None
    assert [record.reason for _, record in end.stack.records if isinstance(record, Ended)] == [Reason.USER_TIMEOUT]
