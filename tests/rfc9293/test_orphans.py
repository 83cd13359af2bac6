"""A connection its application has closed: how long it may live (RFC 9293 §3.6.1, §3.8.3; tcp(7))."""

from __future__ import annotations

import pytest

from tests.rfc9293 import reach
from tests.rfc9293.notation import SECOND, End
from tulpen.tcp.config import SocketOptions
from tulpen.tcp.state import CLOSED, FIN_WAIT_1, FIN_WAIT_2, TIME_WAIT
from tulpen.tcp.trace import Ended, Reason

DAY = 86_400 * SECOND
RST = ["R. seq=+0 ack=+0"]


def endings(end: End) -> list[Reason | None]:
    assert end.stack.records is not None
    return [record.reason for _, record in end.stack.records if isinstance(record, Ended)]


def orphan(**given: object) -> End:
    """In FIN-WAIT-2, and nobody reads."""
    end = reach.fin_wait_2(**given)
    end.close()
    assert end.stack.orphans == 1
    return end


# FIN-WAIT-2


def test_an_orphan_waits_for_their_fin_for_a_minute() -> None:
    end = orphan()
    end.wait(60 * SECOND - 1)
    assert end.state is FIN_WAIT_2
    assert end.wait(1) == []
    assert (end.state, end.tcp.error) == (CLOSED, 0)
    assert endings(end) == [Reason.FIN_TIMEOUT]
    assert end.stack.orphans == 0


def test_who_still_reads_waits_for_ever() -> None:
    end = reach.fin_wait_2()
    end.wait(30 * DAY)
    assert end.state is FIN_WAIT_2


@pytest.mark.parametrize("seconds", [1, 600])
def test_tcp_fin_timeout(seconds: int) -> None:
    end = orphan(tcp_fin_timeout=seconds)
    assert end.tcp.next_deadline() == end.now + seconds * SECOND


@pytest.mark.parametrize("seconds", [0, 5])
def test_tcp_linger2_for_one_socket(seconds: int) -> None:
    end = orphan(options=SocketOptions(tcp_linger2=seconds))
    assert end.tcp.next_deadline() == end.now + seconds * SECOND


def test_a_negative_linger2_does_without_fin_wait_2() -> None:
    end = reach.fin_wait_1(options=SocketOptions(tcp_linger2=-1))
    end.close()
    assert end.arrives(".") == RST
    assert end.state is CLOSED
    assert endings(end) == [Reason.LINGER_2]


def test_it_counts_from_the_acknowledgment_of_our_fin() -> None:
    end = reach.fin_wait_1()
    end.close()
    end.arrives(". ack=-1")
    end.arrives(".")
    assert end.state is FIN_WAIT_2
    assert end.tcp.next_deadline() == end.now + 60 * SECOND


def test_their_fin_in_time() -> None:
    end = orphan()
    end.wait(59 * SECOND)
    assert end.arrives("F.") == [". seq=+0 ack=+0"]
    assert end.state is TIME_WAIT
    assert end.stack.orphans == 0
    assert end.tcp.next_deadline() == end.now + 60 * SECOND


@pytest.mark.requirement("SHLD-3")
def test_text_for_an_orphan_resets() -> None:
    end = orphan()
    assert end.arrives("P. data=abc") == ["R seq=+0"]
    assert (end.state, end.stack.orphans) == (CLOSED, 0)


# R2, and windows that stay shut


def test_an_orphan_gives_up_sooner() -> None:
    """tcp_orphan_retries instead of tcp_retries2."""
    lives = []
    for lets_go in (False, True):
        end = reach.established()
        end.send(b"abc")
        begun = end.now
        (end.close if lets_go else end.shutdown)()
        end.wait(DAY)
        assert end.state is CLOSED
        lives.append(end.moves()[-1].now - begun)
    assert lives[0] > 5 * lives[1] > 100 * SECOND


@pytest.mark.parametrize("answered", [True, False])
def test_a_peer_that_never_reads_does_not_keep_an_orphan_for_ever(answered: bool) -> None:
    """It goes on answering probes: for an application that waits that would be enough (MUST-37)."""
    end = reach.established(tcp_orphan_retries=4)
    end.arrives(". wnd=0")
    end.send(b"abc")
    end.close()
    for _ in range(20):
        if end.state is CLOSED:
            break
        end.next_timeout()
        if answered:
            end.arrives(". wnd=0")
    assert end.state is CLOSED
    assert end.stack.orphans == 0


def test_nor_does_one_that_shrank_its_window() -> None:
    end = reach.established(tcp_orphan_retries=4)
    end.send(b"abc")
    end.close()
    for _ in range(20):
        if end.state is CLOSED:
            break
        end.next_timeout()
        end.arrives(". ack=101 wnd=0")
    assert end.state is CLOSED


# how many


def test_beyond_tcp_max_orphans_they_are_reset() -> None:
    end = reach.established(tcp_max_orphans=0)
    assert end.close() == ["F. seq=+0 ack=+0", *RST] or end.state is CLOSED
    assert endings(end) == [Reason.ORPHAN_LIMIT]
    assert end.stack.counters["TCPAbortOnMemory"] == 1
    assert end.stack.orphans == 0


@pytest.mark.parametrize("end_by", ["reset", "timeout", "fin", "abort"])
def test_each_is_counted_once(end_by: str) -> None:
    end = reach.established()
    end.close()
    end.close()
    assert end.stack.orphans == 1
    assert end.state is FIN_WAIT_1
    if end_by == "reset":
        end.arrives("R")
    elif end_by == "timeout":
        end.wait(DAY)
    elif end_by == "fin":
        end.arrives("F.")
    else:
        end.abort()
    assert end.stack.orphans == 0


def test_lingering_zero_seconds_resets() -> None:
    end = reach.established(options=SocketOptions(so_linger=0))
    end.send(b"abc")
    assert end.close() == RST
    assert endings(end) == [Reason.LINGER_0]


@pytest.mark.parametrize("seconds", [None, 5])
def test_lingering_longer_closes_as_ever(seconds: int | None) -> None:
    assert reach.established(options=SocketOptions(so_linger=seconds)).close() == ["F. seq=+0 ack=+0"]
