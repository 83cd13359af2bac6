"""RFC 9293 §3.8.3, §3.10.8: R2 in every state that has something to send again."""

from __future__ import annotations

import errno

import pytest

from tests.rfc9293 import reach
from tests.rfc9293.notation import SECOND, End
from tulpen.tcp.config import SocketOptions
from tulpen.tcp.signals import Signal
from tulpen.tcp.state import CLOSED, State

DAY = 86_400 * SECOND
FIN = "F. seq=+0 ack=+0"

#: What is sent again in a state, and how often: tcp_syn_retries, tcp_synack_retries, tcp_retries2.
AGAIN = {
    State.SYN_SENT: ("S seq=+0", 7),
    State.SYN_RECEIVED: ("S. seq=+0 ack=+0", 5),
    State.ESTABLISHED: ("P. seq=+0 ack=+0 len=3", 15),
    State.FIN_WAIT_1: (FIN, 15),
    State.CLOSE_WAIT: ("P. seq=+0 ack=+0 len=3", 15),
    State.CLOSING: (FIN, 15),
    State.LAST_ACK: (FIN, 15),
}


def waiting(state: State, **given: object) -> End:
    end = reach.REACH[state](**given)
    if state in (State.ESTABLISHED, State.CLOSE_WAIT):
        end.send(b"abc")
    end.signals()
    return end


@pytest.mark.requirement("MUST-20", "MUST-22")
@pytest.mark.parametrize("state", AGAIN, ids=lambda state: state.title)
def test_the_head_of_the_queue_is_sent_again_until_r2(state: State) -> None:
    end = waiting(state)
    segment, times = AGAIN[state]
    assert end.wait(DAY) == [segment] * times
    assert (end.state, end.tcp.error) == (CLOSED, errno.ETIMEDOUT)
    assert end.signals() == [Signal.TROUBLE, Signal.CLOSED]
    assert end.stack.counters["RetransSegs"] == times
    assert end.stack.counters["TCPAbortOnTimeout"] == 1


def test_after_a_simultaneous_open_the_syn_of_an_active_open_counts() -> None:
    end = reach.syn_received_actively(options=SocketOptions(tcp_syncnt=2))
    assert end.wait(DAY) == ["S. seq=+0 ack=+0"] * 2


@pytest.mark.parametrize("state", AGAIN, ids=lambda state: state.title)
def test_a_soft_error_seen_meanwhile_says_why(state: State) -> None:
    """§3.9.2.2: the route that is missing, and not only the time."""
    end = waiting(state)
    end.tcp.icmp_arrives(end.tcp.status().snd_una, errno.EHOSTUNREACH, end.now, hard=False)
    end.wait(DAY)
    assert end.tcp.error == errno.EHOSTUNREACH


@pytest.mark.requirement("SHLD-9", "SHLD-10")
def test_trouble_is_told_once_and_again_after_it_went_well() -> None:
    end = waiting(State.ESTABLISHED)
    end.wait(20 * SECOND)
    assert end.signals() == [Signal.TROUBLE]
    end.wait(20 * SECOND)
    assert end.signals() == []
    end.arrives(".")
    end.send(b"x")
    end.wait(1000 * SECOND)
    assert Signal.TROUBLE in end.signals()


@pytest.mark.requirement("SHLD-20")
def test_or_not_at_all() -> None:
    end = waiting(State.ESTABLISHED, options=SocketOptions(ip_recverr=False))
    end.wait(100 * SECOND)
    assert end.signals() == []


def test_an_acknowledgment_of_part_begins_the_count_anew() -> None:
    end = reach.established("mss=1000")
    end.send(bytes(2000))
    for _ in range(14):
        end.next_timeout()
    end.arrives(". ack=1101")
    for _ in range(15):
        end.next_timeout()
    assert end.state is State.ESTABLISHED
    end.next_timeout()
    assert end.state is CLOSED


@pytest.mark.requirement("MUST-23")
def test_the_application_may_give_up_an_open_sooner() -> None:
    end = reach.syn_sent()
    end.wait(SECOND)
    end.shutdown()
    assert end.state is CLOSED
    assert end.wait(DAY) == []
