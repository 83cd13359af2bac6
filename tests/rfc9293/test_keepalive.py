"""RFC 9293 §3.8.4: keep-alive."""

from __future__ import annotations

import errno

import pytest

from tests.rfc9293 import reach
from tests.rfc9293.notation import SECOND, End
from tulpen.tcp.config import Settings, SocketOptions
from tulpen.tcp.state import CLOSED, ESTABLISHED

DAY = 86_400 * SECOND
PROBE = ". seq=-1 ack=+0"


def kept_alive(**sysctls: object) -> End:
    return reach.established(options=SocketOptions(so_keepalive=True), **sysctls)


@pytest.mark.requirement("MUST-25")
def test_it_is_off_by_default() -> None:
    end = reach.established()
    assert end.wait(30 * DAY) == []
    assert end.state is ESTABLISHED


@pytest.mark.requirement("MUST-24", "MAY-5", "MUST-28", "SHLD-12")
def test_the_application_asks_for_it_and_the_first_probe_comes_after_two_hours() -> None:
    end = kept_alive()
    assert end.next_timeout() == (7200 * SECOND, [PROBE])
    assert Settings().tcp_keepalive_time >= 7200


@pytest.mark.requirement("MUST-24")
def test_the_application_asks_for_it_later_and_takes_it_back() -> None:
    end = reach.established()
    end.tcp.set_keepalive(True, end.now)
    assert end.next_timeout()[1] == [PROBE]
    end.tcp.set_keepalive(False, end.now)
    assert end.wait(DAY) == []


@pytest.mark.requirement("MUST-27")
@pytest.mark.parametrize("seconds", [10, 600])
def test_the_interval_can_be_set(seconds: int) -> None:
    assert kept_alive(tcp_keepalive_time=seconds).next_timeout()[0] == seconds * SECOND
    end = reach.established(options=SocketOptions(so_keepalive=True, tcp_keepidle=seconds))
    assert end.next_timeout()[0] == seconds * SECOND


@pytest.mark.requirement("MUST-26")
def test_whatever_is_heard_puts_it_off() -> None:
    end = kept_alive(tcp_keepalive_time=100)
    end.wait(60 * SECOND)
    end.arrives("P. data=abc")
    end.wait(SECOND)  # the delayed ACK
    assert end.wait(98 * SECOND) == []
    assert end.wait(2 * SECOND) == [PROBE]


@pytest.mark.requirement("MUST-26")
def test_no_probe_while_something_is_outstanding() -> None:
    end = kept_alive(tcp_keepalive_time=10)
    end.send(b"abc")
    assert PROBE not in end.wait(15 * SECOND)


@pytest.mark.requirement("MUST-29")
def test_one_lost_answer_ends_nothing() -> None:
    end = kept_alive(tcp_keepalive_time=100, tcp_keepalive_intvl=10)
    assert end.wait(125 * SECOND) == [PROBE] * 3
    end.arrives(".")
    assert end.wait(99 * SECOND) == []
    assert end.state is ESTABLISHED


def test_when_no_probe_is_answered_the_connection_is_given_up() -> None:
    end = kept_alive(tcp_keepalive_time=30, tcp_keepalive_intvl=5, tcp_keepalive_probes=3)
    begun = end.now
    assert end.wait(DAY) == [PROBE] * 3 + ["R. seq=+0 ack=+0"]
    assert end.state is CLOSED
    assert end.tcp.error == errno.ETIMEDOUT
    assert end.moves()[-1].now - begun == 45 * SECOND


def test_it_notices_a_peer_that_has_rebooted() -> None:
    end = kept_alive(tcp_keepalive_time=30)
    end.wait(30 * SECOND)
    end.arrives("R")
    assert end.tcp.error == errno.ECONNRESET
