"""A listener under a flood of SYNs: cookies, and what they cost."""

from __future__ import annotations

import pytest

from tests.host.exchange import FULL, SERVER, SERVER_6, Peer, client, exchange, reasons, seconds, server
from tulpen.host.host import Host
from tulpen.host.listener import Listener
from tulpen.tcp.config import MS
from tulpen.tcp.state import ESTABLISHED
from tulpen.tcp.trace import Moved, Reason
from tulpen.wire.options import Options
from tulpen.wire.segment import ACK, SYN, letters

NOON = seconds(12 * 3600)


def _always(**settings: object) -> tuple[Host, Listener]:
    host = server(tcp_syncookies=2, **settings)
    return host, host.listen(None, 80, NOON)


def test_nothing_is_kept_of_a_syn() -> None:
    host, listener = _always()
    for port in range(500):
        (answer,) = Peer(host, sport=2000 + port).say("S", NOON, options=FULL)
        assert answer.flags == SYN | ACK
    assert (listener.syn_queue, len(host.status())) == (0, 1)
    assert host.next_deadline() is None
    assert host.stack.counters["SyncookiesSent"] == 500


def test_the_ack_brings_a_connection_with_all_its_terms() -> None:
    host, listener = _always()
    Peer(host).open(NOON)
    socket = listener.accept()
    assert socket is not None
    status = socket.status()
    assert (status.state, status.sack, status.timestamps, status.snd_wscale) == (ESTABLISHED, True, True, 7)
    assert status.snd_mss == 1448
    assert (host.stack.counters["SyncookiesRecv"], host.stack.counters["PassiveOpens"]) == (1, 1)


def test_without_timestamps_the_options_are_lost() -> None:
    host, listener = _always()
    Peer(host).open(NOON, Options(mss=1400, wscale=7, sack_permitted=True))
    socket = listener.accept()
    assert socket is not None
    status = socket.status()
    assert (status.sack, status.timestamps, status.snd_wscale, status.rcv_wscale) == (False, False, 0, 0)
    assert status.snd_mss == 1300


def test_ipv6() -> None:
    here, there = client(), server(tcp_syncookies=2)
    listener = there.listen(SERVER_6, 80, NOON)
    socket = here.connect(SERVER_6, 80, NOON)
    exchange(NOON, here, there)
    accepted = listener.accept()
    assert accepted is not None
    assert accepted.status().snd_mss == 1428
    socket.send(b"over six", NOON)
    exchange(NOON, here, there)
    assert accepted.receive(100, NOON) == b"over six"


def test_our_own_client_never_notices() -> None:
    here, there = client(), server(tcp_syncookies=2)
    listener = there.listen(None, 80, NOON)
    socket = here.connect(SERVER, 80, NOON)
    exchange(NOON, here, there)
    accepted = listener.accept()
    assert accepted is not None
    accepted.send(b"x" * 100_000, NOON)
    got = b""
    for step in range(100):
        exchange(NOON + step * MS, here, there)
        got += bytes(socket.receive(200_000, NOON + step * MS))
    assert got == b"x" * 100_000


@pytest.mark.parametrize(
    ("after", "good"), [(0, True), (seconds(59), True), (seconds(119), True), (seconds(180), False)]
)
def test_a_cookie_ages(after: int, good: bool) -> None:
    host, listener = _always()
    peer = Peer(host)
    peer.syn(NOON)
    Peer(host, sport=99).syn(NOON + after)  # the flood goes on
    answers = peer.say(".", NOON + after)
    assert listener.recv_q == good
    assert [letters(seg.flags) for seg in answers] == ([] if good else ["R"])
    if not good:
        assert Reason.BAD_COOKIE in reasons(host)
        assert host.stack.counters["SyncookiesFailed"] == 1


def test_without_a_flood_lately_no_ack_is_taken_for_a_cookie() -> None:
    host, listener = _always()
    peer = Peer(host)
    peer.syn(NOON)
    (reset,) = peer.say(".", NOON + seconds(121))
    assert letters(reset.flags) == "R"
    assert reasons(host) == [Reason.ACK_IN_LISTEN]
    assert "SyncookiesFailed" not in host.stack.counters
    assert listener.recv_q == 0


def test_a_made_up_ack_is_reset() -> None:
    host, listener = _always()
    Peer(host).syn(NOON)
    forger = Peer(host, sport=2222)
    forger.ack = 123456
    (reset,) = forger.say(".", NOON)
    assert (letters(reset.flags), reset.seq) == ("R", 123456)
    assert listener.recv_q == 0


def test_a_syn_ack_brings_no_cookie() -> None:
    host, listener = _always()
    peer = Peer(host)
    peer.syn(NOON)
    (reset,) = peer.say("S.", NOON)
    assert letters(reset.flags) == "R"
    assert listener.recv_q == 0


@pytest.mark.parametrize(("options", "rto"), [(Options(mss=1460), 3), (FULL, None)], ids=["plain", "timestamps"])
def test_no_round_trip_is_made_up(options: Options, rto: int | None) -> None:
    """RFC 6298 §5.7: without a measurement the timeout is 3 s; the timestamp's measures, to within 64 ms."""
    host, listener = _always()
    peer = Peer(host)
    peer.syn(NOON, options)
    peer.say(".", NOON + 300 * MS)
    socket = listener.accept()
    assert socket is not None
    status = socket.status()
    assert status.rtt == 0 if rto else 300 * MS <= status.rtt < 365 * MS
    assert status.rto == (seconds(rto) if rto else status.rto)


def test_a_cookie_brought_twice_is_one_connection() -> None:
    host, listener = _always()
    peer = Peer(host)
    peer.open(NOON)
    peer.say(".", NOON)
    assert listener.recv_q == 1


def test_they_begin_when_the_syn_queue_is_full() -> None:
    host = server()
    listener = host.listen(None, 80, 0, backlog=2)
    for port in range(3):
        Peer(host, sport=2000 + port).say("S", 0, options=FULL)
    assert "SyncookiesSent" not in host.stack.counters
    victim = Peer(host)
    victim.open(0)
    assert (listener.syn_queue, listener.recv_q) == (3, 1)
    assert host.stack.counters["SyncookiesSent"] == 1
    assert host.stack.counters["TCPReqQFullDoCookies"] == 1


def test_the_accept_queue_limits_them_too() -> None:
    host = server(tcp_syncookies=2)
    listener = host.listen(None, 80, NOON, backlog=0)
    late = Peer(host)
    late.syn(NOON)
    Peer(host, sport=99).open(NOON)
    assert late.say(".", NOON) == []
    assert Peer(host, sport=98).syn(NOON) is None
    assert listener.recv_q == 1
    assert host.stack.counters["ListenOverflows"] == 2
    listener.accept()
    late.say(".", NOON)
    assert listener.recv_q == 1


def test_switched_off_no_ack_is_believed() -> None:
    host, listener = _always()
    peer = Peer(host)
    peer.syn(NOON)
    host.stack.settings.tcp_syncookies = 0
    assert letters(peer.say(".", NOON)[0].flags) == "R"
    assert listener.recv_q == 0


def test_the_trace_stays_in_listen_until_the_ack() -> None:
    host, _ = _always()
    peer = Peer(host)
    peer.syn(NOON)
    assert host.stack.records is not None
    assert not [record for _, record in host.stack.records if isinstance(record, Moved)]
    peer.say(".", NOON)
    moves = [record.after.title for _, record in host.stack.records if isinstance(record, Moved)]
    assert moves == ["SYN-RECEIVED", "ESTABLISHED"]


def test_the_timestamp_of_the_answer_hides_the_options() -> None:
    host, _ = _always(tcp_timestamps=2)
    (answer,) = Peer(host).say("S", NOON, options=FULL)
    sent = answer.options.tsval
    assert sent is not None
    assert sent & 0x3F == 0x17
    assert 0 <= NOON // MS % 2**32 - sent < 128
