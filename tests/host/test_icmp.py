"""ICMP: the echo, and errors to the connection that caused them."""

from __future__ import annotations

from errno import ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, ENOPROTOOPT, EOPNOTSUPP, EPROTO, ETIMEDOUT

import pytest

from tests.host.exchange import (
    CLIENT,
    CLIENT_6,
    SERVER,
    SERVER_6,
    STRANGER,
    Peer,
    client,
    connected,
    events,
    exchange,
    reasons,
    seconds,
    server,
    signals,
)
from tulpen.host.host import Host
from tulpen.tcp.config import SocketOptions
from tulpen.tcp.signals import Signal
from tulpen.tcp.state import CLOSED, ESTABLISHED, SYN_SENT, TIME_WAIT
from tulpen.tcp.trace import Reason
from tulpen.wire.address import address
from tulpen.wire.icmp import ICMP, ICMP6, Icmp, IcmpKind, Quoted, echo_request
from tulpen.wire.icmp_error import icmp_error
from tulpen.wire.ip import Packet, build_packet
from tulpen.wire.segment import Segment

ROUTER = address("10.0.0.254")


def _report(host: Host, about: Packet, kind: IcmpKind, now: int, *, mtu: int = 0) -> None:
    """Tell ``host`` what became of a packet it sent."""
    error = icmp_error(about, kind, ROUTER, mtu=mtu)
    assert error is not None
    host.bytes_arrive(build_packet(error), now)


@pytest.mark.parametrize(("src", "dst"), [(CLIENT, SERVER), (CLIENT_6, SERVER_6)])
def test_ping(src: str, dst: str) -> None:
    host = server()
    ipv6 = ":" in src
    message = echo_request(7, 3, b"abcdefgh", ipv6=ipv6)
    packet = Packet(address(src), address(dst), message, protocol=ICMP6 if ipv6 else ICMP)
    host.bytes_arrive(build_packet(packet), 0)
    (reply,) = host.packets_to_send(0)
    assert (reply.src, reply.dst) == (packet.dst, packet.src)
    answer = reply.payload
    assert isinstance(answer, Icmp)
    assert answer.kind is IcmpKind.ECHO_REPLY
    assert (answer.ident, answer.seq, bytes(answer.data)) == (7, 3, b"abcdefgh")
    build_packet(reply)
    assert host.stack.counters["IcmpInEchos"] == host.stack.counters["IcmpOutEchoReps"] == 1


@pytest.mark.parametrize(("src", "dst"), [(CLIENT, STRANGER), (CLIENT, "255.255.255.255"), ("224.0.0.1", SERVER)])
def test_a_ping_that_is_not_for_us(src: str, dst: str) -> None:
    host = server()
    host.packet_arrives(Packet(address(src), address(dst), echo_request(1, 1), protocol=ICMP), 0)
    assert host.packets_to_send(0) == []


def test_icmp_echo_ignore_all() -> None:
    host = server(icmp_echo_ignore_all=True)
    host.packet_arrives(Packet(address(CLIENT), address(SERVER), echo_request(1, 1), protocol=ICMP), 0)
    assert host.packets_to_send(0) == []


@pytest.mark.requirement("MUST-54")
@pytest.mark.requirement("SHLD-26")
@pytest.mark.parametrize(
    ("kind", "errno"), [(IcmpKind.UNREACHABLE_PORT, ECONNREFUSED), (IcmpKind.UNREACHABLE_PROTOCOL, ENOPROTOOPT)]
)
def test_a_hard_error_ends_an_attempt_to_connect(kind: IcmpKind, errno: int) -> None:
    here = client()
    socket = here.connect(SERVER, 80, 0)
    other = here.connect(SERVER, 81, 0)
    syn, _ = here.packets_to_send(0)
    _report(here, syn, kind, 1)
    assert (socket.state, socket.error) == (CLOSED, errno)
    assert signals(here, socket) == [Signal.CLOSED]
    assert other.state is SYN_SENT
    assert list(here.sockets()) == [other]


@pytest.mark.requirement("MUST-56")
@pytest.mark.requirement("SHLD-25")
@pytest.mark.requirement("MUST-47")
@pytest.mark.parametrize(
    ("kind", "errno"),
    [
        (IcmpKind.UNREACHABLE_NET, ENETUNREACH),
        (IcmpKind.UNREACHABLE_HOST, EHOSTUNREACH),
        (IcmpKind.SOURCE_ROUTE_FAILED, EOPNOTSUPP),
        (IcmpKind.ADMIN_PROHIBITED, EHOSTUNREACH),
        (IcmpKind.TIME_EXCEEDED, EHOSTUNREACH),
        (IcmpKind.PARAMETER_PROBLEM, EPROTO),
    ],
)
def test_a_soft_error_ends_nothing_and_is_told(kind: IcmpKind, errno: int) -> None:
    here, _, socket, _ = connected()
    socket.send(b"lost on its way", 0)
    (packet,) = here.packets_to_send(0)
    _report(here, packet, kind, 1)
    assert (socket.state, socket.soft_error, socket.error) == (ESTABLISHED, errno, 0)
    assert signals(here, socket) == [Signal.TROUBLE]


@pytest.mark.parametrize("kind", [IcmpKind.UNREACHABLE_PORT, IcmpKind.UNREACHABLE_PROTOCOL])
def test_a_hard_error_does_not_end_an_established_connection(kind: IcmpKind) -> None:
    here, _, socket, _ = connected()
    socket.send(b"x", 0)
    (packet,) = here.packets_to_send(0)
    _report(here, packet, kind, 1)
    assert socket.state is ESTABLISHED


@pytest.mark.parametrize(
    ("kind", "errno"),
    [
        (IcmpKind.UNREACHABLE_PROTOCOL, ECONNREFUSED),
        (IcmpKind.UNREACHABLE_PORT, ECONNREFUSED),
        (IcmpKind.ADMIN_PROHIBITED, ECONNREFUSED),
        (IcmpKind.TIME_EXCEEDED, EHOSTUNREACH),
    ],
)
def test_freebsd_finds_other_errors_hard(kind: IcmpKind, errno: int) -> None:
    here = client(tcp_icmp_errors="freebsd")
    socket = here.connect(SERVER, 80, 0)
    (syn,) = here.packets_to_send(0)
    _report(here, syn, kind, 1)
    assert (socket.state, socket.error) == (CLOSED, errno)


@pytest.mark.parametrize("kind", [IcmpKind.UNREACHABLE_NET, IcmpKind.UNREACHABLE_HOST, IcmpKind.PARAMETER_PROBLEM])
def test_and_the_others_soft(kind: IcmpKind) -> None:
    here = client(tcp_icmp_errors="freebsd")
    socket = here.connect(SERVER, 80, 0)
    (syn,) = here.packets_to_send(0)
    _report(here, syn, kind, 1)
    assert socket.state is SYN_SENT


@pytest.mark.parametrize("system", ["linux", "freebsd"])
def test_no_error_is_hard_without_tcp_icmp_may_rst(system: str) -> None:
    here = client(tcp_icmp_errors=system, tcp_icmp_may_rst=False)
    socket = here.connect(SERVER, 80, 0)
    (syn,) = here.packets_to_send(0)
    _report(here, syn, IcmpKind.UNREACHABLE_PORT, 1)
    assert socket.state is SYN_SENT


def test_an_attempt_that_meets_a_soft_error_fails_with_it_in_the_end() -> None:
    here = client(tcp_syn_retries=1)
    socket = here.connect(SERVER, 80, 0)
    (syn,) = here.packets_to_send(0)
    _report(here, syn, IcmpKind.UNREACHABLE_HOST, 1)
    assert socket.state is SYN_SENT
    while (deadline := here.next_deadline()) is not None:
        here.timeout(deadline)
        here.packets_to_send(deadline)
    assert (socket.state, socket.error) == (CLOSED, EHOSTUNREACH)
    assert socket.error != ETIMEDOUT


@pytest.mark.requirement("SHLD-20")
def test_reports_can_be_switched_off() -> None:
    here = client()
    socket = here.connect(SERVER, 80, 0, options=SocketOptions(ip_recverr=False))
    (syn,) = here.packets_to_send(0)
    _report(here, syn, IcmpKind.UNREACHABLE_HOST, 1)
    assert events(here) == []
    assert socket.soft_error == EHOSTUNREACH


@pytest.mark.requirement("MUST-55")
def test_source_quench_is_ignored() -> None:
    here, _, socket, _ = connected()
    socket.send(b"x", 0)
    (packet,) = here.packets_to_send(0)
    before = socket.status()
    _report(here, packet, IcmpKind.SOURCE_QUENCH, 1)
    assert socket.status() == before
    assert events(here) == []
    assert here.packets_to_send(1) == []


@pytest.mark.parametrize("off", [-1, 100_000])
def test_an_error_about_nothing_in_flight_is_a_forgery(off: int) -> None:
    here = client()
    socket = here.connect(SERVER, 80, 0)
    (syn,) = here.packets_to_send(0)
    seg = syn.payload
    assert isinstance(seg, Segment)
    quoted = Quoted(syn.src, syn.dst, seg.sport, seg.dport, (seg.seq + off) & 0xFFFFFFFF)
    for kind, code in ((IcmpKind.UNREACHABLE_PORT, 3), (IcmpKind.PACKET_TOO_BIG, 4)):
        forged = Icmp(kind, 3, code, mtu=600, embedded=quoted)
        here.packet_arrives(Packet(ROUTER, syn.src, forged, protocol=ICMP), 1)
    assert socket.state is SYN_SENT
    assert reasons(here) == [Reason.ICMP_OUT_OF_WINDOW] * 2
    assert here.stack.counters["OutOfWindowIcmps"] == 2
    assert socket.status().snd_mss == 536


def test_an_error_about_no_connection() -> None:
    here = client()
    quoted = Quoted(address(CLIENT), address(SERVER), 5, 6, 7)
    error = Icmp(IcmpKind.UNREACHABLE_PORT, 3, 3, embedded=quoted)
    here.packet_arrives(Packet(ROUTER, address(CLIENT), error, protocol=ICMP), 1)
    here.packet_arrives(Packet(ROUTER, address(CLIENT), Icmp(IcmpKind.UNREACHABLE_PORT, 3, 3), protocol=ICMP), 1)
    assert here.stack.counters["IcmpInErrors"] == 2
    assert here.packets_to_send(1) == []


def test_a_damaged_one_counts_and_does_nothing() -> None:
    here = client()
    damaged = Packet(ROUTER, address(CLIENT), echo_request(1, 1), protocol=ICMP, damaged=True)
    here.packet_arrives(damaged, 0)
    here.bytes_arrive(build_packet(damaged), 0)
    assert here.stack.counters["IcmpInErrors"] == 2
    assert here.packets_to_send(0) == []


@pytest.mark.parametrize(("kind", "forgotten"), [(IcmpKind.UNREACHABLE_PORT, True), (IcmpKind.TIME_EXCEEDED, False)])
def test_an_error_about_a_syn_ack(kind: IcmpKind, forgotten: bool) -> None:
    host = server()
    listener = host.listen(None, 80, 0)
    host.packet_arrives(Packet(address(CLIENT), address(SERVER), Segment(1, 0, 2, 9, sport=1, dport=80)), 0)
    (syn_ack,) = host.packets_to_send(0)
    _report(host, syn_ack, kind, 1)
    assert listener.syn_queue == (not forgotten)
    assert events(host) == []


def test_an_error_in_time_wait_is_ignored() -> None:
    here, there, opened, accepted = connected()
    opened.close(0)
    fin = here.packets_to_send(0)
    for packet in fin:
        there.packet_arrives(packet, 0)
    exchange(0, here, there)
    accepted.close(0)
    exchange(0, here, there)
    _report(here, fin[0], IcmpKind.UNREACHABLE_PORT, 1)
    assert opened.state is TIME_WAIT


def test_packet_too_big_makes_segments_smaller_at_once() -> None:
    here, there, socket, accepted = connected()
    socket.send(b"x" * 5000, 0)
    big = here.packets_to_send(0)
    _report(here, big[0], IcmpKind.PACKET_TOO_BIG, 1, mtu=1000)
    again = here.packets_to_send(1)
    assert again
    assert max(len(packet.payload.data) for packet in again if isinstance(packet.payload, Segment)) == 948
    for packet in again:
        there.packet_arrives(packet, 1)
    for now in range(2, 2000, 10):
        exchange(seconds(now), here, there)
        here.timeout(seconds(now))
    assert len(accepted.receive(10_000, seconds(2000))) == 5000


def test_the_next_connection_to_that_place_knows() -> None:
    here, there, socket, _ = connected()
    socket.send(b"x" * 1448, 0)
    _report(here, here.packets_to_send(0)[0], IcmpKind.PACKET_TOO_BIG, 1, mtu=1000)
    other = here.connect(SERVER, 80, 1)
    exchange(1, here, there)
    assert other.status().snd_mss == 948
    assert other.status().advmss == 1460
    later = here.connect(SERVER, 80, seconds(700))
    exchange(seconds(700), here, there)
    assert later.status().snd_mss == 1448


def test_a_listener_s_connections_know_too() -> None:
    there = server()
    listener = there.listen(None, 80, 0)
    for now in (0, 1):
        peer = Peer(there, sport=1025 + now)
        peer.open(now)
        socket = listener.accept()
        assert socket is not None
        if now == 0:
            socket.send(b"x" * 1448, 0)
            _report(there, there.packets_to_send(0)[0], IcmpKind.PACKET_TOO_BIG, 0, mtu=1000)
    assert socket is not None
    assert socket.status().snd_mss == 948
