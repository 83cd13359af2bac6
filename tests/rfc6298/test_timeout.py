"""RFC 6298: computing the retransmission timeout, and managing the timer."""

from __future__ import annotations

from itertools import pairwise

import pytest

from tests.rfc9293 import reach
from tests.rfc9293.notation import MS, SECOND, End
from tulpen.tcp.state import SYN_SENT


def measured(*samples: int, **sysctls: object) -> End:
    """A connection whose SYN and segments took so many milliseconds to be acknowledged."""
    end = reach.syn_sent(**sysctls)
    first, *rest = samples
    end.wait(first * MS)
    assert end.arrives("S. seq=300 mss=1000") == [". seq=+0 ack=+0"]
    for sample in rest:
        end.send(b"x")
        end.wait(sample * MS)
        end.arrives(".")
    return end


def estimate(end: End) -> tuple[float, float, float]:
    """SRTT, RTTVAR and RTO in milliseconds."""
    status = end.tcp.status()
    return status.rtt / MS, status.rttvar / MS, status.rto / MS


# §2


def test_before_the_first_measurement_it_is_one_second() -> None:
    """2.1."""
    end = reach.syn_sent()
    assert end.next_timeout() == (SECOND, ["S seq=+0"])


def test_the_first_measurement() -> None:
    """2.2: SRTT = R, RTTVAR = R/2, RTO = SRTT + 4 RTTVAR."""
    assert estimate(measured(400)) == (400, 200, 1200)


def test_the_second() -> None:
    """2.3: RTTVAR from the SRTT that was, then SRTT."""
    rttvar = 0.75 * 200 + 0.25 * 100
    srtt = 0.875 * 400 + 0.125 * 300
    assert estimate(measured(400, 300)) == (srtt, rttvar, srtt + 4 * rttvar)


def test_the_floor_is_under_the_variance() -> None:
    """2.4 has 1 second; Linux 200 ms above SRTT."""
    assert estimate(measured(10)) == (10, 5, 210)
    assert estimate(measured(10, tcp_rto_min_us=1_000_000))[2] == 1010


def test_the_ceiling() -> None:
    """2.5."""
    assert estimate(measured(900, tcp_rto_max_ms=2000))[2] == 2000
    end = measured(100)
    end.send(b"x")
    waits = [end.next_timeout()[0] for _ in range(14)]
    assert max(waits) == waits[-1] == 120 * SECOND


# §3


@pytest.mark.requirement("MUST-18")
def test_what_was_sent_twice_is_not_measured() -> None:
    end = measured(400)
    before = estimate(end)
    end.send(b"x")
    end.next_timeout()
    end.wait(5 * MS)
    end.arrives(".")
    assert estimate(end)[:2] == before[:2]


@pytest.mark.requirement("MUST-18")
def test_nor_is_what_waited_for_it() -> None:
    """The acknowledgment of all eight tells how long the first one, sent again, has taken."""
    end = reach.sending(8)
    before = estimate(end)
    end.next_timeout()
    end.wait(5 * MS)
    end.arrives(".")
    assert estimate(end)[:2] == before[:2]


def test_one_acknowledgment_of_many_is_one_sample() -> None:
    end = measured(100)
    end.send(bytes(4000))
    end.wait(100 * MS)
    end.arrives(".")
    assert estimate(end)[0] == 100


@pytest.mark.parametrize("echo", ["second", "first"])
def test_a_timestamp_tells_which_was_acknowledged(echo: str) -> None:
    """RFC 7323 §4.1: it is the round trip of the one that is echoed."""
    end = reach.established("mss=1000 ts=1/0", tcp_timestamps=1)
    begun = end.now
    end.tcp.send(b"x", end.now)
    (first,) = end.tcp.segments_to_send(end.now)
    deadline = end.tcp.next_deadline() or 0
    end.now = deadline
    end.tcp.timeout(end.now)
    (second,) = end.tcp.segments_to_send(end.now)
    before = end.tcp.status().rtt
    sent_at = {"first": begun, "second": end.now}[echo]
    end.now += 400 * MS
    tsval = (first if echo == "first" else second).options.tsval
    end.arrives(f". ts=2/{tsval}")
    assert abs(end.tcp.status().rtt - before - (end.now - sent_at - before) // 8) <= MS


# §5


def test_sending_starts_it_if_it_is_not_running() -> None:
    """5.1."""
    end = measured(400)
    assert end.tcp.next_deadline() is None
    end.send(bytes(1000))
    at = end.tcp.next_deadline()
    end.wait(100 * MS)
    end.send(bytes(1000))
    assert end.tcp.next_deadline() == at == end.now + 1100 * MS


def test_when_all_is_acknowledged_it_stops() -> None:
    """5.2."""
    end = measured(400)
    end.send(bytes(1000))
    end.arrives(".")
    assert end.tcp.next_deadline() is None


def test_what_is_newly_acknowledged_restarts_it() -> None:
    """5.3."""
    end = measured(400)
    end.send(bytes(3000))
    end.wait(100 * MS)
    end.arrives(". ack=-2000")
    assert end.tcp.next_deadline() == end.now + end.tcp.status().rto
    at = end.tcp.next_deadline()
    end.wait(50 * MS)
    end.arrives(". ack=-2000")  # nothing new
    assert end.tcp.next_deadline() == at


@pytest.mark.requirement("MUST-19")
def test_it_sends_the_earliest_backs_off_and_starts_again() -> None:
    """5.4, 5.5, 5.6."""
    end = measured(400)
    end.send(bytes(3000))
    waits = []
    for _ in range(5):
        wait, sent = end.next_timeout()
        assert sent == [". seq=+0 ack=+0 len=1000"]
        waits.append(wait)
    assert waits[0] == 1200 * MS
    assert all(later == 2 * earlier for earlier, later in pairwise(waits))


@pytest.mark.requirement("MUST-18")
def test_the_backoff_stays_until_a_new_measurement() -> None:
    """5.5 and §3: the acknowledgment of what was sent twice does not undo it."""
    end = measured(400)
    end.send(b"x")
    end.next_timeout()
    end.next_timeout()
    end.arrives(".")
    assert end.tcp.status().rto == 4 * 1200 * MS
    end.send(b"x")
    end.wait(400 * MS)
    end.arrives(".")
    assert end.tcp.status().rto < 1200 * MS


def test_after_a_lost_syn_three_seconds() -> None:
    """5.7."""
    end = reach.syn_sent()
    end.next_timeout()
    end.arrives("S. seq=300 mss=1000")
    assert end.tcp.status().rto == 3 * SECOND
    end.send(b"x")
    assert end.next_timeout()[0] == 3 * SECOND


def test_unless_a_timestamp_has_measured_it() -> None:
    end = reach.closed(tcp_timestamps=1)
    end.tcp.open_active(end.now)
    end.tcp.segments_to_send(end.now)
    end.now = end.tcp.next_deadline() or 0
    end.tcp.timeout(end.now)
    (syn,) = end.tcp.segments_to_send(end.now)
    end.wait(100 * MS)
    end.arrives(f"S. seq=300 ts=1/{syn.options.tsval}")
    assert estimate(end) == (100, 50, 300)


def test_a_setting_lets_the_first_syns_go_a_second_apart_as_linux_does() -> None:
    end = End(tcp_syn_retries=6, tcp_syn_linear_timeouts=4)
    end.tcp.open_active(end.now)
    end.sent()
    waits = [end.next_timeout()[0] // SECOND for _ in range(7)]
    assert waits == [1, 1, 1, 1, 1, 2, 4]


def test_such_syns_are_given_up_when_as_many_with_backoff_would_be() -> None:
    began = 1000 * SECOND
    for linear in (0, 4):
        end = End(tcp_syn_retries=2, tcp_syn_linear_timeouts=linear)
        end.tcp.open_active(end.now)
        end.sent()
        while end.state is SYN_SENT:
            end.next_timeout()
        assert end.now - began == 7 * SECOND
