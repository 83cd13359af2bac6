"""The SYN queue (RFC 4987 §3): retransmission, limits, and what ends a half-open connection."""

from __future__ import annotations

import pytest

from tests.host.exchange import FULL, Peer, reasons, seconds, server
from tulpen.host.host import Host
from tulpen.host.listener import Listener
from tulpen.tcp.state import LISTEN, SYN_RECEIVED
from tulpen.tcp.trace import Reason
from tulpen.wire.options import Options
from tulpen.wire.segment import ACK, RST, SYN, letters


def _flooded(host: Host, count: int, first: int = 10_000) -> None:
    for number in range(count):
        Peer(host, src="10.0.0.66", sport=first + number).say("S", 0, options=FULL)


def _half_open(**settings: object) -> tuple[Host, Listener, Peer]:
    host = server(**settings)
    listener = host.listen(None, 80, 0)
    peer = Peer(host)
    peer.syn(0)
    return host, listener, peer


def test_the_syn_ack_says_what_we_offer() -> None:
    host = server()
    host.listen(None, 80, 0)
    answer = Peer(host).syn(0)
    assert answer is not None
    assert (answer.flags, answer.ack, answer.wnd) == (SYN | ACK, 5001, 65160)
    assert (answer.options.mss, answer.options.wscale, answer.options.sack_permitted) == (1460, 7, True)
    assert answer.options.tsecr == 1000


def test_only_what_was_offered_is_accepted() -> None:
    host = server()
    host.listen(None, 80, 0)
    answer = Peer(host).syn(0, Options(mss=1000))
    assert answer is not None
    assert (answer.options.wscale, answer.options.sack_permitted, answer.options.tsval) == (None, False, None)


def test_the_syn_ack_is_sent_again_with_doubled_waits_and_then_given_up() -> None:
    host, listener, peer = _half_open(tcp_synack_retries=3)
    sent_at = []
    while (deadline := host.next_deadline()) is not None:
        host.timeout(deadline)
        if peer.hear(deadline):
            sent_at.append(deadline)
    assert sent_at == [seconds(1), seconds(3), seconds(7)]
    assert listener.syn_queue == 0
    assert host.stack.counters["TCPSynRetrans"] == 3
    assert host.stack.counters["AttemptFails"] == 1


def test_a_repeated_syn_is_answered_again() -> None:
    _host, listener, peer = _half_open()
    (again,) = peer.say("S", seconds(0.6), seq=-1, options=FULL)
    assert again.flags == SYN | ACK
    assert again.seq == peer.ack - 1
    assert listener.syn_queue == 1


def test_but_not_without_limit() -> None:
    _host, _, peer = _half_open()
    answers = [peer.say("S", seconds(0.6) + n, seq=-1, options=FULL) for n in range(50)]
    assert [letters(seg.flags) for answer in answers for seg in answer] == ["S."]


@pytest.mark.requirement("MUST-11")
@pytest.mark.parametrize("says", ["R", "R.", "S"])
def test_refused_it_goes_back_to_listen_without_a_word(says: str) -> None:
    host, listener, peer = _half_open(tcp_resets_second_syn=False)
    assert peer.say(says, 1) == []
    assert listener.syn_queue == 0
    assert listener.state is LISTEN
    assert host.next_event() is None
    assert host.stack.counters["AttemptFails"] == 1
    assert host.next_deadline() is None


@pytest.mark.parametrize(("letters_", "answers"), [(".", ["."]), ("P.", ["."]), ("R.", [])])
def test_an_echo_of_no_timestamp_of_ours(letters_: str, answers: list[str]) -> None:
    """RFC 7323 §3.2: whoever completes, or resets, a handshake has seen our SYN,ACK."""
    host, listener, peer = _half_open()
    echo = peer.options.tsecr
    for wrong in (echo - 1, echo + 1000):
        again = peer.say(letters_, seconds(0.6), options=Options(tsval=1001, tsecr=wrong))
        assert [letters(seg.flags) for seg in again] == answers
        assert (listener.syn_queue, listener.recv_q) == (1, 0)
        answers = []  # within tcp_invalid_ratelimit
    assert host.stack.counters["TSEcrRejected"] == 2
    peer.say(".", seconds(0.6), options=Options(tsval=1001, tsecr=echo))
    assert listener.recv_q == 1


def test_a_second_syn_is_reset() -> None:
    """As Linux does it: the peer need not wait for its own clock."""
    host, listener, peer = _half_open()
    (answer,) = peer.say("S", 1)
    assert (answer.flags, answer.seq, answer.ack) == (RST | ACK, 0, peer.seq + 1)
    assert (listener.syn_queue, listener.state) == (0, LISTEN)
    assert host.stack.counters["EmbryonicRsts"] == 1


def test_a_reset_beside_the_window_refuses_nothing() -> None:
    host, listener, peer = _half_open()
    peer.say("R", 1, seq=-5)
    assert listener.syn_queue == 1
    assert reasons(host) == [Reason.RST_OUT_OF_WINDOW]


def test_an_ack_of_something_else_is_reset() -> None:
    _host, listener, peer = _half_open()
    (reset,) = peer.say(".", 1, ack=1)
    assert letters(reset.flags) == "R"
    assert listener.syn_queue == 1
    peer.say(".", 1)
    assert listener.syn_queue == 0
    assert listener.recv_q == 1


def test_data_with_the_last_ack_is_there_at_once() -> None:
    _host, listener, peer = _half_open()
    peer.say("PF.", 1, data=b"GET /")
    socket = listener.accept()
    assert socket is not None
    assert socket.receive(10, 1) == b"GET /"
    assert socket.eof


def test_without_cookies_a_full_queue_drops() -> None:
    host = server(tcp_syncookies=0)
    listener = host.listen(None, 80, 0, backlog=4)
    _flooded(host, 10)
    assert listener.syn_queue == 5
    assert Peer(host).syn(0) is None
    assert set(reasons(host)) == {Reason.SYN_QUEUE_FULL}
    assert host.stack.counters["TCPReqQFullDrop"] == 6
    assert host.stack.counters["ListenDrops"] == 6


def test_without_cookies_the_last_quarter_of_tcp_max_syn_backlog_stays_empty() -> None:
    host = server(tcp_syncookies=0, tcp_max_syn_backlog=16)
    listener = host.listen(None, 80, 0, backlog=100)
    _flooded(host, 30)
    assert listener.syn_queue == 13


def test_rows_of_half_open_connections() -> None:
    host, _, peer = _half_open()
    row = host.status()[1]
    assert (row.state, row.local_port, row.remote_port) == (SYN_RECEIVED, 80, peer.sport)


def test_the_queue_of_one_listener_is_not_the_other_s() -> None:
    host = server(tcp_syncookies=0)
    full, free = host.listen(None, 80, 0, backlog=0), host.listen(None, 81, 0, backlog=0)
    _flooded(host, 3)
    assert (full.syn_queue, free.syn_queue) == (1, 0)
    assert Peer(host, dport=81).syn(0) is not None


def test_old_ones_are_given_up_sooner_while_they_fill_the_queue() -> None:
    host = server()
    listener = host.listen(None, 80, 0, backlog=100)
    _flooded(host, 60)
    left = {}
    while (deadline := host.next_deadline()) is not None:
        host.timeout(deadline)
        host.packets_to_send(deadline)
        left[deadline // seconds(1)] = listener.syn_queue
    assert left == {1: 60, 3: 60, 7: 50, 15: 50, 31: 50, 63: 0}


def test_young_ones_grow_old() -> None:
    host, listener, peer = _half_open()
    assert (listener.syn_queue, listener.young) == (1, 1)
    host.timeout(seconds(1))
    assert (listener.syn_queue, listener.young) == (1, 0)
    peer.say(".", seconds(1))
    assert (listener.syn_queue, listener.young) == (0, 0)
