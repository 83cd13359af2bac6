"""Connections that are quiet for a second are kept as octets, and nobody can tell."""

from __future__ import annotations

import pytest

from tests.host.exchange import connected, events, exchange, run, seconds
from tulpen.host.host import Host
from tulpen.host.socket import Socket
from tulpen.tcp.config import SocketOptions
from tulpen.tcp.errors import TcpError
from tulpen.tcp.signals import Signal
from tulpen.tcp.state import CLOSED, ESTABLISHED


def _at_rest(now: int, **settings: object) -> tuple[Host, Host, Socket, Socket]:
    """Return two ends of a connection that are both at rest at ``now``."""
    here, there, opened, accepted = connected(**settings)
    run(seconds(1), 0, here, there)
    assert (here.rest(now), there.rest(now)) == (1, 1)
    assert (opened.resting, accepted.resting) == (True, True)
    return here, there, opened, accepted


def test_it_takes_a_second() -> None:
    here, there, opened, _ = connected()
    run(seconds(0.5), 0, here, there)
    assert here.rest(seconds(0.9)) == 0
    assert not opened.resting
    assert here.rest(seconds(1)) == 1
    assert opened.resting


def test_one_that_is_woken_again_and_again_stays_awake_for_longer() -> None:
    here, there, opened, _ = connected()
    run(seconds(0.5), 0, here, there)
    for patience in (1, 2, 4, 8, 16, 32, 64, 64):
        assert here.rest(seconds(patience) - 1) == 0
        assert here.rest(seconds(patience)) == 1
        assert opened.status().state is ESTABLISHED
        assert not opened.resting


def test_looking_does_not_wake_it() -> None:
    here, _, opened, _ = _at_rest(seconds(100))
    assert (opened.state, opened.readable, opened.unacknowledged) == (ESTABLISHED, 0, 0)
    assert [row.state for row in here.status()] == [ESTABLISHED]
    assert here.counters()["CurrEstab"] == 1
    assert here.rest(seconds(101)) == 0
    assert opened.resting


def test_text_wakes_both_ends() -> None:
    now = seconds(100)
    here, there, opened, accepted = _at_rest(now)
    assert opened.send(b"hello", now) == 5
    exchange(now, here, there)
    assert (opened.resting, accepted.resting) == (False, False)
    assert (accepted, Signal.READABLE) in events(there)
    assert accepted.receive(10, now) == b"hello"
    opened.close(now)
    exchange(now, here, there)
    accepted.close(now)
    exchange(now, here, there)
    assert accepted.state is CLOSED


def test_a_keepalive_goes_out_in_time() -> None:
    here, there, opened, accepted = connected(so_keepalive=True, tcp_keepalive_time=90)
    run(seconds(1), 0, here, there)
    assert here.rest(seconds(61)) == 1
    deadline = here.next_deadline()
    assert deadline is not None
    assert deadline // seconds(1) == 90
    here.timeout(deadline)
    assert len(exchange(deadline, here, there)) == 2
    assert (opened.resting, accepted.state) == (False, ESTABLISHED)


def test_its_options_come_back_and_are_its_own() -> None:
    now = seconds(100)
    here, there, opened, _ = connected()
    opened.options.tcp_nodelay = True
    run(seconds(1), 0, here, there)
    assert here.rest(now) == 1
    assert opened.options == SocketOptions(tcp_nodelay=True)
    assert not opened.resting
    opened.options.tcp_nodelay = False
    assert here.rest(now) == 1
    assert opened.options == SocketOptions()


def test_what_waits_keeps_it_awake() -> None:
    here, there, opened, accepted = connected()
    opened.send(b"hello", 0)
    run(seconds(1), 0, here, there)
    assert there.rest(seconds(100)) == 0  # not read, not even told
    events(there)
    assert there.rest(seconds(100)) == 0
    accepted.receive(10, 0)
    exchange(0, here, there)
    events(there)
    assert there.rest(seconds(100)) == 1


def test_one_that_nobody_has_accepted_stays_awake() -> None:
    here, there, _, _ = connected()
    listener = there.listen(None, 81, 0)
    here.connect("10.0.0.1", 81, 0)
    exchange(0, here, there)
    events(there)
    assert there.rest(seconds(100)) == 1  # the other
    assert there.rest(seconds(100)) == 0
    accepted = listener.accept()
    assert accepted is not None
    assert not accepted.resting


def test_an_error_is_told_as_ever() -> None:
    now = seconds(100)
    here, there, opened, accepted = _at_rest(now)
    accepted.abort(now)
    exchange(now, here, there)
    assert (opened, Signal.CLOSED) in events(here)
    with pytest.raises(TcpError) as refusal:
        opened.send(b"text", now)
    assert refusal.value.errno == opened.error
