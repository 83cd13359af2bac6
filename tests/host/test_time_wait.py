"""The TIME-WAIT table: 2 MSL, reopening, reuse, and its cap."""

from __future__ import annotations

from errno import EADDRINUSE, EADDRNOTAVAIL, ECONNABORTED

import pytest

from tests.host.exchange import (
    CLIENT,
    FULL,
    SERVER,
    Peer,
    client,
    connected,
    events,
    exchange,
    reasons,
    run,
    seconds,
    server,
    signals,
)
from tulpen.host.host import Host
from tulpen.host.socket import Socket
from tulpen.tcp.config import Settings, SocketOptions
from tulpen.tcp.errors import TcpError
from tulpen.tcp.signals import Signal
from tulpen.tcp.state import CLOSED, ESTABLISHED, TIME_WAIT
from tulpen.tcp.trace import Moved, Reason
from tulpen.wire.options import Options
from tulpen.wire.segment import ACK, SYN, letters


def _closed_by_us(*, listen: bool = True, now: int = 0, **settings: object) -> tuple[Host, Peer]:
    """Return a host whose connection with a peer is in TIME-WAIT, and the peer; its next octet is its ``seq``."""
    host = server(**settings)
    listener = host.listen(None, 80, now)
    peer = Peer(host)
    peer.open(now)
    socket = listener.accept()
    assert socket is not None
    socket.close(now)
    assert letters(peer.hear(now)[0].flags) == "F."
    peer.ack += 1
    assert [letters(seg.flags) for seg in peer.say("F.", now)] == ["."]
    peer.seq += 1
    assert (len(host.time_wait), list(host.sockets())) == (1, [])
    if not listen:
        listener.close(now)
    return host, peer


@pytest.mark.requirement("MUST-13")
def test_it_lasts_2_msl() -> None:
    host, _ = _closed_by_us(now=7)
    assert host.next_deadline() == seconds(60) + 7
    host.timeout(seconds(60) + 6)
    assert len(host.time_wait) == 1
    host.timeout(seconds(60) + 7)
    assert len(host.time_wait) == 0
    assert host.stack.counters["TW"] == 1
    assert host.next_deadline() is None
    assert [row.state.title for row in host.status()] == ["LISTEN"]


def test_a_fin_sent_again_is_acknowledged_and_starts_it_anew() -> None:
    host, peer = _closed_by_us()
    (ack,) = peer.say("F.", seconds(20), seq=-1)
    assert (letters(ack.flags), ack.ack) == (".", peer.seq)
    assert host.next_deadline() == seconds(80)
    host.timeout(seconds(79))
    assert len(host.time_wait) == 1
    host.timeout(seconds(80))
    assert len(host.time_wait) == 0


def test_they_expire_in_order_however_they_were_renewed() -> None:
    host = server()
    listener = host.listen(None, 80, 0)
    peers = [Peer(host, sport=2000 + number) for number in range(4)]
    for number, peer in enumerate(peers):
        peer.open(seconds(number))
        socket = listener.accept()
        assert socket is not None
        socket.close(seconds(number))
        peer.hear(seconds(number))
        peer.ack += 1
        peer.say("F.", seconds(number))
    peers[0].say("F.", seconds(10))
    left = []
    while (deadline := host.next_deadline()) is not None:
        host.timeout(deadline)
        left.append((deadline // seconds(1), [record.name.remote_port for record in host.time_wait]))
    assert left == [(61, [2002, 2003, 2000]), (62, [2003, 2000]), (63, [2000]), (70, [])]


@pytest.mark.parametrize(("rfc1337", "stays"), [(False, False), (True, True)])
def test_a_reset_ends_it_unless_tcp_rfc1337(rfc1337: bool, stays: bool) -> None:
    host, peer = _closed_by_us(tcp_rfc1337=rfc1337)
    assert peer.say("R", 1) == []
    assert len(host.time_wait) == stays
    assert (Reason.RST_IN_TIME_WAIT in reasons(host)) is stays


def test_a_reset_with_a_syn_opens_nothing() -> None:
    host, peer = _closed_by_us()
    assert peer.say("RS", 1) == []
    assert (len(host.time_wait), list(host.sockets()), list(host.core.requests)) == (0, [], [])


def test_a_reset_out_of_window_does_not() -> None:
    host, peer = _closed_by_us()
    peer.say("R", 1, seq=-100)
    assert len(host.time_wait) == 1


@pytest.mark.requirement("MAY-2")
@pytest.mark.requirement("SHLD-4")
@pytest.mark.parametrize(
    ("seq", "options", "reopens", "name"),
    [
        (1, Options(mss=1460, tsval=1001), True, "a later timestamp and a later number"),
        (-50_000, Options(mss=1460, tsval=1001), True, "a later timestamp is enough"),
        (1, FULL, True, "the same timestamp and a later number"),
        (-50_000, FULL, False, "the same timestamp and an earlier number"),
        (1, Options(mss=1460, tsval=999), False, "an earlier timestamp"),
        (1, Options(mss=1460), True, "no timestamp and a later number"),
        (-50_000, Options(mss=1460), False, "no timestamp and an earlier number"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_syn_may_reopen_it(seq: int, options: Options, reopens: bool, name: str) -> None:
    host, peer = _closed_by_us()
    old_next = peer.ack
    answers = peer.say("S", 1, seq=seq, options=options)
    if not reopens:
        assert len(host.time_wait) == 1
        assert all(not seg.flags & SYN for seg in answers)
        return
    (answer,) = answers
    assert answer.flags == SYN | ACK
    assert (answer.seq - old_next) & 0xFFFFFFFF == 65_537  # larger than any number of the old one
    assert len(host.time_wait) == 0
    peer.seq += seq + 1
    peer.ack = answer.seq + 1
    if options.tsval is not None:
        peer.options = Options(tsval=options.tsval, tsecr=answer.options.tsval or 0)
    peer.say(".", 2)
    (socket,) = host.sockets()
    assert socket.state is ESTABLISHED


@pytest.mark.requirement("MAY-2")
@pytest.mark.parametrize("ends", ["refused", "given up", "listener closed"])
def test_a_syn_that_was_an_old_duplicate_brings_it_back(ends: str) -> None:
    host, peer = _closed_by_us()
    peer.say("S", 1, seq=1, options=FULL)
    assert len(host.time_wait) == 0
    now = 2
    if ends == "refused":
        peer.say("R", now, seq=2)
    elif ends == "listener closed":
        next(host.listeners()).close(now)
    else:
        while len(host.time_wait) == 0:
            deadline = host.next_deadline()
            assert deadline is not None
            host.timeout(now := deadline)
    peer.hear(now)
    (record,) = host.time_wait
    assert record.deadline == now + seconds(60)
    assert letters(peer.say("F.", now, seq=-1)[0].flags) == "."
    host.timeout(now + seconds(61))
    assert len(host.time_wait) == 0


def test_without_a_listener_the_syn_is_challenged_and_it_stays() -> None:
    host, peer = _closed_by_us(listen=False)
    (challenge,) = peer.say("S", 1, seq=1, options=FULL)
    assert letters(challenge.flags) == "."
    assert len(host.time_wait) == 1


def test_a_listener_that_is_full_leaves_it() -> None:
    host, peer = _closed_by_us()
    next(host.listeners()).backlog = 0
    Peer(host, sport=99).open(0)
    assert peer.say("S", 1, seq=1, options=FULL) == []
    assert len(host.time_wait) == 1


def test_a_full_syn_queue_takes_it_all_the_same() -> None:
    host, peer = _closed_by_us(tcp_syncookies=0)
    listener = next(host.listeners())
    listener.backlog = 0
    Peer(host, sport=99).syn(0)
    assert listener.syn_queue_full
    assert peer.say("S", 1, seq=1, options=FULL) != []


def test_the_cap() -> None:
    here, there = client(), server(tcp_max_tw_buckets=3)
    listener = there.listen(None, 80, 0)
    for _ in range(5):
        opened = here.connect(SERVER, 80, 0)
        exchange(0, here, there)
        accepted = listener.accept()
        assert accepted is not None
        accepted.close(0)
        exchange(0, here, there)
        opened.close(0)
        exchange(0, here, there)
        assert opened.state is CLOSED
        assert opened.error == 0
        assert accepted.state in (TIME_WAIT, CLOSED)
    assert len(there.time_wait) == 3
    assert there.stack.counters["TCPTimeWaitOverflow"] == 2
    assert list(there.sockets()) == []


def _lingering_client(**settings: object) -> tuple[Host, Host, Socket]:
    """Return both hosts and a client's socket in TIME-WAIT that its application still holds."""
    here, there, opened, accepted = connected(**settings)
    accepted.send(b"bye", 0)
    opened.shutdown(0)
    exchange(0, here, there)
    accepted.close(0)
    exchange(0, here, there)
    return here, there, opened


def test_the_application_s_handle_stays_good() -> None:
    here, _, socket = _lingering_client()
    assert socket.state is TIME_WAIT
    assert list(here.sockets()) == []
    assert signals(here, socket) == [Signal.READABLE, Signal.EOF]
    assert socket.receive(100, 1) == b"bye"
    assert socket.eof
    here.timeout(seconds(60))
    assert socket.state is CLOSED
    assert signals(here, socket) == [Signal.CLOSED]
    assert socket.error == 0
    assert here.packets_to_send(seconds(60)) == []


def test_a_handle_that_is_closed_is_told_no_more_and_still_tells() -> None:
    here, _, socket = _lingering_client()
    socket.close(1)
    assert socket.state is TIME_WAIT
    here.timeout(seconds(60))
    assert socket.state is CLOSED
    assert events(here) == []


def test_abort_ends_it_at_once() -> None:
    here, _, socket = _lingering_client()
    socket.abort(1)
    assert (socket.state, len(here.time_wait)) == (CLOSED, 0)
    assert here.packets_to_send(1) == []
    assert here.next_deadline() is None
    socket.abort(2)
    socket.close(2)


def test_calls_on_a_lingering_socket() -> None:
    _, _, socket = _lingering_client()
    with pytest.raises(TcpError, match="EPIPE"):
        socket.send(b"x", 1)
    with pytest.raises(TcpError, match="ENOTCONN"):
        socket.shutdown(1)
    assert socket.status().state is TIME_WAIT
    assert repr(socket).endswith("TIME-WAIT>")


def test_the_port_is_held_until_it_is_over() -> None:
    here, _, _ = _lingering_client(ip_local_port_range=(40_000, 40_000))
    with pytest.raises(TcpError) as refusal:
        here.connect(SERVER, 80, seconds(59))
    assert refusal.value.errno == EADDRNOTAVAIL
    here.timeout(seconds(60))
    assert here.connect(SERVER, 80, seconds(60)).name.local_port == 40_000


@pytest.mark.parametrize(
    ("reuse", "timestamps", "after", "opens"),
    [
        (1, 1, 1.0, True),
        (1, 1, 0.9, False),
        (1, 0, 5.0, False),  # nothing would tell old segments from new ones
        (0, 1, 5.0, False),
        (2, 1, 5.0, False),  # loopback only, and this is none
    ],
)
def test_tcp_tw_reuse(reuse: int, timestamps: int, after: float, opens: bool) -> None:
    here, there, old = _lingering_client(
        ip_local_port_range=(40_000, 40_000), tcp_tw_reuse=reuse, tcp_timestamps=timestamps
    )
    now = seconds(after)
    if not opens:
        with pytest.raises(TcpError) as refusal:
            here.connect(SERVER, 80, now)
        assert refusal.value.errno == EADDRNOTAVAIL
        return
    events(here)
    socket = here.connect(SERVER, 80, now)
    assert here.stack.counters["TWRecycled"] == 1
    assert len(here.time_wait) == 0
    assert old.state is CLOSED
    assert signals(here, old) == [Signal.CLOSED]
    old_next = old.status().snd_nxt
    exchange(now, here, there)
    assert socket.state is ESTABLISHED
    assert socket.status().snd_una == old_next + 65_538


@pytest.mark.parametrize(("addresses", "opens"), [(("127.0.0.1", "127.0.0.2"), True), ((CLIENT, SERVER), False)])
def test_tcp_tw_reuse_on_loopback(addresses: tuple[str, str], opens: bool) -> None:
    one, other = addresses
    host = Host(addresses, settings=Settings(ip_local_port_range=(40_000, 40_000)))
    listener = host.listen(other, 80, 0)
    opened = host.connect(other, 80, 0, local=one)
    exchange(0, host)
    accepted = listener.accept()
    assert accepted is not None
    opened.close(0)
    exchange(0, host)
    accepted.close(0)
    exchange(0, host)
    assert len(host.time_wait) == 1
    if opens:
        host.connect(other, 80, seconds(2), local=one)
    else:
        with pytest.raises(TcpError):
            host.connect(other, 80, seconds(2), local=one)


def test_a_server_that_comes_back_needs_so_reuseaddr() -> None:
    host, _ = _closed_by_us(listen=False)
    with pytest.raises(TcpError) as refusal:
        host.listen(None, 80, 1, options=SocketOptions(so_reuseaddr=True))
    assert refusal.value.errno == EADDRINUSE  # the one before it did not have it
    host.timeout(seconds(60))
    reusing = SocketOptions(so_reuseaddr=True)
    listener = host.listen(None, 80, seconds(61), options=reusing)
    peer = Peer(host)
    peer.open(seconds(61))
    socket = listener.accept()
    assert socket is not None
    listener.close(seconds(61))
    with pytest.raises(TcpError):
        host.listen(None, 80, seconds(61))
    host.listen(None, 80, seconds(61), options=reusing)


def test_the_trace_goes_on_to_closed() -> None:
    host, peer = _closed_by_us()
    peer.say("F.", seconds(1), seq=-1)
    host.timeout(seconds(61))
    assert host.stack.records is not None
    moves = [record for _, record in host.stack.records if isinstance(record, Moved)]
    assert [(m.before.title, m.event.title) for m in moves][-1] == ("TIME-WAIT", "LINGERED")
    assert moves[-1].now == seconds(61)


def test_tw_recycle_is_quick() -> None:
    here, there, opened, accepted = connected(tcp_tw_recycle=True)
    opened.close(0)
    exchange(0, here, there)
    accepted.close(0)
    exchange(0, here, there)
    assert len(here.time_wait) == 1
    deadline = here.next_deadline()
    assert deadline is not None
    assert deadline < seconds(4)
    here.timeout(deadline)
    assert len(here.time_wait) == 0
    assert here.stack.counters["TWKilled"] == 1
    assert here.next_deadline() is None


def _nat_flow(host: Host, sport: int, tsval: int, now: int) -> bool:
    """Open and close from behind a NAT with one machine's clock; say whether the SYN was answered."""
    peer = Peer(host, sport=sport)
    answer = peer.syn(now, Options(mss=1460, tsval=tsval))
    if answer is None:
        return False
    peer.say(".", now)
    socket = next(host.listeners()).accept()
    assert socket is not None
    socket.close(now)
    peer.hear(now)
    peer.ack += 1
    peer.say("F.", now)
    return True


@pytest.mark.parametrize(("recycle", "answered"), [(False, True), (True, False)])
def test_tw_recycle_locks_out_the_second_machine_behind_a_nat(recycle: bool, answered: bool) -> None:
    host = server(tcp_tw_recycle=recycle)
    host.listen(None, 80, 0)
    assert _nat_flow(host, 2000, tsval=900_000, now=0)
    assert _nat_flow(host, 2001, tsval=5_000, now=seconds(1)) is answered  # another machine, another clock
    assert _nat_flow(host, 2002, tsval=901_000, now=seconds(2))
    assert (Reason.TW_RECYCLE in reasons(host)) is recycle
    assert host.stack.counters.get("PAWSPassive", 0) == recycle
    assert _nat_flow(host, 2003, tsval=5_000, now=seconds(70))


def test_run_to_the_end() -> None:
    here, there, opened, accepted = connected()
    opened.close(1)
    accepted.close(1)
    run(seconds(200), 1, here, there)
    assert (opened.state, accepted.state) == (CLOSED, CLOSED)
    assert (here.status(), len(there.status())) == ([], 1)
    assert opened.error != ECONNABORTED
