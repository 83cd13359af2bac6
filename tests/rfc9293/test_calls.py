"""RFC 9293 §3.10.1 to §3.10.6: every call of the user in every state."""

from __future__ import annotations

import errno
from typing import NamedTuple

import pytest

from tests.rfc9293 import reach
from tests.rfc9293.notation import End
from tulpen.tcp.config import SocketOptions
from tulpen.tcp.errors import TcpError
from tulpen.tcp.signals import Signal
from tulpen.tcp.state import (
    CLOSE_WAIT,
    CLOSED,
    CLOSING,
    ESTABLISHED,
    FIN_WAIT_1,
    FIN_WAIT_2,
    LAST_ACK,
    LISTEN,
    SYN_RECEIVED,
    SYN_SENT,
    TIME_WAIT,
    State,
)
from tulpen.tcp.trace import Reason

FIN = ["F. seq=+0 ack=+0"]
RST = ["R. seq=+0 ack=+0"]


class Outcome(NamedTuple):
    """What a call leads to: what goes out, the state then, and the error in its stead."""

    sends: list[str]
    then: State
    error: tuple[int, str] | None = None


def refused(state: State, number: int, words: str) -> Outcome:
    return Outcome([], state, (number, words))


def check(end: End, call: str, outcome: Outcome) -> None:
    number, words = outcome.error or (0, "")
    caught: TcpError | None = None
    try:
        if call == "open_passive":
            end.tcp.open_passive(end.now)
        elif call == "open_active":
            end.tcp.open_active(end.now)
        elif call == "send":
            end.tcp.send(b"abc", end.now)
        elif call == "receive":
            assert end.tcp.receive(9) == b""
        elif call == "close":
            end.tcp.shutdown(end.now)
        else:
            end.tcp.abort(end.now)
    except TcpError as error:
        caught = error
    assert (caught.errno, caught.words) == (number, words) if caught else not number
    assert end.sent() == outcome.sends
    assert end.state is outcome.then


def rows(table: dict[State, Outcome]) -> pytest.MarkDecorator:
    """One case for each state, all eleven."""
    assert set(table) == set(State)
    return pytest.mark.parametrize(("state", "outcome"), table.items(), ids=[state.title for state in table])


EXISTS = "connection already exists"
NO_CONNECTION = "connection does not exist"
CLOSING_DOWN = "connection closing"


@rows(
    {state: refused(state, errno.EISCONN, EXISTS) for state in State}
    | {CLOSED: Outcome([], LISTEN)}
)  # fmt: skip
def test_passive_open(state: State, outcome: Outcome) -> None:
    """§3.10.1."""
    check(reach.REACH[state](), "open_passive", outcome)


@rows(
    {state: refused(state, errno.EISCONN, EXISTS) for state in State}
    | {CLOSED: Outcome(["S seq=+0"], SYN_SENT), LISTEN: Outcome(["S seq=+0"], SYN_SENT)}
)
def test_active_open(state: State, outcome: Outcome) -> None:
    """§3.10.1."""
    check(reach.REACH[state](), "open_active", outcome)


@pytest.mark.parametrize("call", ["open_passive", "open_active"])
@pytest.mark.parametrize("state", [state for state in State if state not in (CLOSED, LISTEN)])
def test_what_is_over_is_not_opened_again(state: State, call: str) -> None:
    """The next connection has a TCB and an initial sequence number of its own."""
    end = reach.REACH[state]()
    end.abort()
    check(end, call, refused(CLOSED, errno.EISCONN, EXISTS))


def test_a_listener_that_was_closed_may_open_again() -> None:
    end = reach.listen()
    end.shutdown()
    check(end, "open_active", Outcome(["S seq=+0"], SYN_SENT))


@rows({
    CLOSED: refused(CLOSED, errno.EPIPE, NO_CONNECTION),
    LISTEN: Outcome(["S seq=+0"], SYN_SENT),  # "change the connection from passive to active"
    SYN_SENT: Outcome([], SYN_SENT),
    SYN_RECEIVED: Outcome([], SYN_RECEIVED),
    ESTABLISHED: Outcome(["P. seq=+0 ack=+0 len=3"], ESTABLISHED),
    CLOSE_WAIT: Outcome(["P. seq=+0 ack=+0 len=3"], CLOSE_WAIT),
    **{
        state: refused(state, errno.EPIPE, CLOSING_DOWN)
        for state in (FIN_WAIT_1, FIN_WAIT_2, CLOSING, LAST_ACK, TIME_WAIT)
    },
})  # fmt: skip
def test_send(state: State, outcome: Outcome) -> None:
    """§3.10.2."""
    check(reach.REACH[state](), "send", outcome)


def test_what_was_queued_before_established_is_sent_then() -> None:
    waiting = reach.syn_sent()
    assert waiting.send(b"abc") == []
    assert waiting.arrives("S. seq=300 mss=1460") == ["P. seq=+0 ack=+0 len=3"]
    turned = reach.listen()
    assert turned.send(b"abc") == ["S seq=+0"]
    assert turned.arrives("S. seq=300 mss=1460") == ["P. seq=+0 ack=+0 len=3"]
    half_open = reach.syn_received()
    assert half_open.send(b"abc") == []
    assert half_open.arrives(".") == ["P. seq=+0 ack=+0 len=3"]


def test_a_connection_that_turned_active_does_not_go_back_to_listen() -> None:
    end = reach.listen()
    end.send(b"abc")
    end.arrives("S seq=300")
    end.arrives("R")
    assert end.state is CLOSED
    assert end.tcp.error == errno.ECONNREFUSED


def test_send_takes_what_there_is_room_for() -> None:
    """Instead of "insufficient resources": WRITABLE says when there is room again."""
    end = reach.established(options=SocketOptions(so_sndbuf=5), tcp_wmem_overhead=0)
    assert end.tcp.send(b"abcdefgh", end.now) == 5
    assert end.tcp.writable == 0
    assert end.tcp.send(b"fgh", end.now) == 0
    assert end.sent() == ["P. seq=+0 ack=+0 len=5"]
    assert end.signals() == []
    end.arrives(".")
    assert end.signals() == [Signal.WRITABLE]
    assert end.tcp.send(b"fgh", end.now) == 3


def test_send_after_a_reset_says_so() -> None:
    end = reach.established()
    end.arrives("R")
    check(end, "send", refused(CLOSED, errno.ECONNRESET, NO_CONNECTION))


@rows({
    CLOSED: refused(CLOSED, errno.ENOTCONN, NO_CONNECTION),
    **{state: Outcome([], state) for state in State if state is not CLOSED},
})  # fmt: skip
def test_receive(state: State, outcome: Outcome) -> None:
    """§3.10.3: nothing has come; where nothing more will, that is the end and no error."""
    end = reach.REACH[state]()
    check(end, "receive", outcome)
    assert end.tcp.eof is (state in (CLOSE_WAIT, CLOSING, LAST_ACK, TIME_WAIT))


@pytest.mark.parametrize("state", [ESTABLISHED, FIN_WAIT_1, FIN_WAIT_2])
def test_receive_what_has_come(state: State) -> None:
    end = reach.REACH[state]()
    end.arrives("P. ack=+0 data=hello")
    end.arrives("FP. ack=+0 data=world")
    assert bytes(end.tcp.receive(3)) == b"hel"
    assert not end.tcp.eof
    assert bytes(end.tcp.receive(99)) == b"loworld"
    assert end.tcp.eof
    assert end.tcp.receive(99) == b""


@pytest.mark.requirement("MUST-12")
@pytest.mark.parametrize(
    ("last", "number", "words"),
    [("R", errno.ECONNRESET, "connection reset"), (None, errno.ETIMEDOUT, "timed out")],
)
def test_receive_after_the_end_gives_what_has_come_and_then_the_error(
    last: str | None, number: int, words: str
) -> None:
    end = reach.established()
    end.arrives("P. data=abc")
    if last is None:
        end.send(b"x")
        end.wait(10**13)
    else:
        end.arrives(last)
    assert end.state is CLOSED
    assert bytes(end.tcp.receive(99)) == b"abc"
    check(end, "receive", refused(CLOSED, number, words))


def test_receive_after_an_orderly_end_is_no_error() -> None:
    end = reach.last_ack()
    end.arrives(".")
    check(end, "receive", Outcome([], CLOSED))
    assert end.tcp.eof


@rows({
    CLOSED: refused(CLOSED, errno.ENOTCONN, NO_CONNECTION),
    LISTEN: Outcome([], CLOSED),
    SYN_SENT: Outcome([], CLOSED),
    SYN_RECEIVED: Outcome(["F. seq=+1 ack=+0"], FIN_WAIT_1),
    ESTABLISHED: Outcome(FIN, FIN_WAIT_1),
    FIN_WAIT_1: Outcome([], FIN_WAIT_1),  # "ok" is acceptable, as long as no second FIN goes out
    FIN_WAIT_2: Outcome([], FIN_WAIT_2),
    CLOSE_WAIT: Outcome(FIN, LAST_ACK),
    CLOSING: refused(CLOSING, errno.ENOTCONN, CLOSING_DOWN),
    LAST_ACK: refused(LAST_ACK, errno.ENOTCONN, CLOSING_DOWN),
    TIME_WAIT: refused(TIME_WAIT, errno.ENOTCONN, CLOSING_DOWN),
})  # fmt: skip
def test_close(state: State, outcome: Outcome) -> None:
    """§3.10.4."""
    check(reach.REACH[state](), "close", outcome)


@pytest.mark.parametrize("state", [ESTABLISHED, CLOSE_WAIT])
def test_close_lets_what_was_sent_before_go_first(state: State) -> None:
    end = reach.REACH[state]()
    end.send(b"abc")
    end.tcp.send(b"def", end.now)  # waits, as Nagle has it
    assert end.shutdown() == ["FP. seq=+3 ack=+0 len=3"]


@rows({
    CLOSED: refused(CLOSED, errno.ENOTCONN, NO_CONNECTION),
    LISTEN: Outcome([], CLOSED),
    SYN_SENT: Outcome([], CLOSED),
    SYN_RECEIVED: Outcome(RST, CLOSED),
    ESTABLISHED: Outcome(RST, CLOSED),
    FIN_WAIT_1: Outcome(RST, CLOSED),
    FIN_WAIT_2: Outcome(RST, CLOSED),
    CLOSE_WAIT: Outcome(RST, CLOSED),
    CLOSING: Outcome([], CLOSED),
    LAST_ACK: Outcome([], CLOSED),
    TIME_WAIT: Outcome([], CLOSED),
})  # fmt: skip
def test_abort(state: State, outcome: Outcome) -> None:
    """§3.10.5."""
    check(reach.REACH[state](), "abort", outcome)


def test_abort_flushes_both_queues_and_tells_whoever_waits() -> None:
    end = reach.established(offer="mss=1460 wnd=3")
    end.send(b"abcdef")
    end.arrives("P. data=abc ack=+0 wnd=0")
    end.signals()
    assert end.abort() == RST
    assert end.signals() == [Signal.CLOSED]
    assert end.tcp.next_deadline() is None
    assert (end.tcp.readable, end.tcp.unacknowledged) == (0, 0)
    check(end, "receive", refused(CLOSED, errno.ECONNABORTED, "connection reset"))
    check(end, "send", refused(CLOSED, errno.ECONNABORTED, NO_CONNECTION))


@pytest.mark.parametrize("state", list(State), ids=lambda state: state.title)
def test_status(state: State) -> None:
    """§3.10.6: in every state, also CLOSED."""
    end = reach.REACH[state]()
    status = end.tcp.status()
    assert status.state is state
    assert (status.send_queue, status.recv_queue) == (0, 0)


def test_status_tells_of_windows_queues_and_timers() -> None:
    end = reach.established(offer="mss=1000 wnd=5000", tcp_nagle_small=False)
    end.send(bytes(1500))
    end.arrives("P. ack=-1000 data=abc")
    status = end.tcp.status()
    assert (status.snd_una, status.snd_nxt, status.snd_wnd) == (101, 1101, 65535)
    assert (status.rcv_nxt, status.rcv_wnd) == (304, 65532)
    assert (status.send_queue, status.recv_queue, status.unacked) == (1500, 3, 1000)
    assert (status.snd_mss, status.advmss) == (1000, 1460)
    assert (status.timer, status.timer_at) == ("delayed-ack", end.now + 40_000_000)


# close(2): CLOSE, and the application lets go (§3.6.1).


@rows({
    CLOSED: Outcome([], CLOSED),
    LISTEN: Outcome([], CLOSED),
    SYN_SENT: Outcome([], CLOSED),
    SYN_RECEIVED: Outcome(["F. seq=+1 ack=+0"], FIN_WAIT_1),
    ESTABLISHED: Outcome(FIN, FIN_WAIT_1),
    FIN_WAIT_1: Outcome([], FIN_WAIT_1),
    FIN_WAIT_2: Outcome([], FIN_WAIT_2),
    CLOSE_WAIT: Outcome(FIN, LAST_ACK),
    CLOSING: Outcome([], CLOSING),
    LAST_ACK: Outcome([], LAST_ACK),
    TIME_WAIT: Outcome([], TIME_WAIT),
})  # fmt: skip
def test_letting_go(state: State, outcome: Outcome) -> None:
    end = reach.REACH[state]()
    assert end.close() == outcome.sends
    assert end.state is outcome.then
    assert end.close() == []


@pytest.mark.requirement("MAY-1", "SHLD-3")
@pytest.mark.parametrize("state", [ESTABLISHED, FIN_WAIT_1, FIN_WAIT_2])
def test_letting_go_of_unread_text_resets(state: State) -> None:
    end = reach.REACH[state]()
    end.arrives("P. data=abc")
    assert end.close() == RST
    assert end.state is CLOSED
    assert end.stack.counters["TCPAbortOnClose"] == 1


@pytest.mark.requirement("SHLD-3")
@pytest.mark.parametrize("state", [ESTABLISHED, FIN_WAIT_1, FIN_WAIT_2])
def test_text_after_letting_go_resets(state: State) -> None:
    end = reach.REACH[state]()
    end.close()
    assert end.arrives("P. data=abc") == ["R seq=+0"]
    assert end.state is CLOSED
    assert end.reasons() == [Reason.DATA_AFTER_CLOSE]
    assert end.stack.counters["TCPAbortOnData"] == 1


def test_text_received_twice_is_no_text_after_letting_go() -> None:
    end = reach.established()
    end.arrives("P. data=abc")
    end.tcp.receive(9)
    end.close()
    assert end.arrives("P. seq=-3 ack=-1 data=abc") == [". seq=+0 ack=+0"]
    assert end.state is FIN_WAIT_1


def test_half_close_is_not_letting_go() -> None:
    """CLOSE alone: the user goes on receiving (§3.6, case 1)."""
    end = reach.fin_wait_2()
    assert end.arrives("P. data=abc") == []
    assert bytes(end.tcp.receive(9)) == b"abc"
