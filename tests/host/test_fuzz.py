"""Random and mutated packets: no exception, nothing without bound, and the host still serves."""

from __future__ import annotations

import random
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.host.exchange import CLIENT, CLIENT_6, SERVER, SERVER_6, STRANGER, Peer, events, seconds
from tulpen.host.host import Host
from tulpen.host.socket import Socket
from tulpen.tcp.config import Settings
from tulpen.tcp.errors import TcpError
from tulpen.wire.address import address
from tulpen.wire.icmp import ICMP, Icmp, IcmpKind, Quoted
from tulpen.wire.ip import Packet, build_packet
from tulpen.wire.options import NO_OPTIONS, Options
from tulpen.wire.segment import ACK, SYN, Segment

ADDRESSES = [CLIENT, CLIENT, CLIENT, STRANGER, SERVER, "255.255.255.255", "0.0.0.0", "224.0.0.1"]
NUMBERS = st.one_of(st.integers(-3, 3), st.sampled_from([100, 1460, 65_535, 65_536, -65_536, 2**31, 2**31 - 1]))

STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.just("segment"),
            st.integers(0, 0x1FF),
            NUMBERS,
            NUMBERS,
            st.integers(0, 3),
            st.sampled_from([b"", b"x", b"y" * 1500]),
            st.integers(0, 5),
        ),
        st.tuples(st.just("icmp"), st.sampled_from(list(IcmpKind)), NUMBERS, st.integers(0, 3), st.integers(0, 70_000)),
        st.tuples(st.just("time"), st.sampled_from([0, 1, seconds(0.04), seconds(1), seconds(30), seconds(61)])),
        st.tuples(st.just("call"), st.sampled_from(["accept", "send", "receive", "shutdown", "close", "abort"])),
        st.tuples(st.just("connect"), st.booleans()),
        st.tuples(st.just("octets"), st.binary(max_size=80)),
    ),
    max_size=60,
)

OPTIONS = [
    NO_OPTIONS,
    Options(mss=1, wscale=200, sack_permitted=True, tsval=0xFFFFFFFF),
    Options(mss=1460, tsval=5, tsecr=7),
    Options(tsval=0, tsecr=0xFFFFFFFF, sack=((1, 2), (2, 1), (0, 0xFFFFFFFF))),
    Options(mss=65535, user_timeout=0),
    Options(others=((99, b"abc"),), malformed=True),
]


class Fuzzed:
    """A host under test, and what is known of its connections' numbers."""

    def __init__(self, **given: object) -> None:
        self.host = Host([SERVER, SERVER_6], settings=Settings(**given), secret=b"f", trace=True)  # type: ignore[arg-type]
        self.listener = self.host.listen(None, 80, 0, backlog=2)
        self.now = 0
        self.ours = [(1025, 80, 100, 100)] * 4  # remote port, local port, their next number, our next number
        self.sockets: list[Socket] = []
        for port in range(1025, 1028):
            peer = Peer(self.host, sport=port)
            peer.open(0)
            self.ours[port - 1025] = (port, 80, peer.seq, peer.ack)

    def step(self, step: tuple) -> None:  # type: ignore[type-arg]
        kind = step[0]
        if kind == "segment":
            _, flags, seq, ack, whose, data, options = step
            sport, dport, their, our = self.ours[whose]
            seg = Segment(
                (their + seq) & 0xFFFFFFFF, (our + ack) & 0xFFFFFFFF, flags, 1000, data, OPTIONS[options],
                urg=7, sport=sport, dport=dport,
            )  # fmt: skip
            self.host.packet_arrives(Packet(address(CLIENT), address(SERVER), seg), self.now)
        elif kind == "icmp":
            _, what, seq, whose, mtu = step
            sport, dport, _, our = self.ours[whose]
            quoted = Quoted(address(SERVER), address(CLIENT), dport, sport, (our + seq) & 0xFFFFFFFF)
            message = Icmp(what, 3, 4, mtu=mtu, embedded=quoted)
            self.host.packet_arrives(Packet(address(STRANGER), address(SERVER), message, protocol=ICMP), self.now)
        elif kind == "time":
            self.now += step[1]
            self.host.timeout(self.now)
        elif kind == "call":
            self.call(step[1])
        elif kind == "connect":
            self.sockets.append(self.host.connect(CLIENT, 9 if step[1] else 10, self.now))
        else:
            self.host.bytes_arrive(step[1], self.now)
        self.pull()

    def call(self, what: str) -> None:
        if what == "accept":
            socket = self.listener.accept()
            if socket is not None:
                self.sockets.append(socket)
        for socket in self.sockets[-2:]:
            with suppress(TcpError):  # and nothing else
                if what == "send":
                    socket.send(b"z" * 3000, self.now)
                elif what == "receive":
                    socket.receive(1000, self.now)
                elif what in ("shutdown", "close", "abort"):
                    getattr(socket, what)(self.now)

    def pull(self) -> None:
        for packet in self.host.packets_to_send(self.now):
            build_packet(packet)
            seg = packet.payload
            if isinstance(seg, Segment):
                for index, (sport, dport, their, our) in enumerate(self.ours):
                    if (seg.sport, seg.dport) == (dport, sport):
                        their = seg.ack if seg.flags & ACK else their
                        our = (seg.seq + seg.len) & 0xFFFFFFFF
                        self.ours[index] = (sport, dport, their, our)
                if seg.flags & (SYN | ACK) == SYN:
                    self.ours[3] = (seg.dport, seg.sport, 100, (seg.seq + 1) & 0xFFFFFFFF)
        events(self.host)
        deadline = self.host.next_deadline()
        assert deadline is None or deadline >= 0


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(STEPS, st.sampled_from([0, 1, 2]), st.booleans())
def test_whatever_comes(steps: list[tuple], cookies: int, abort: bool) -> None:  # type: ignore[type-arg]
    fuzzed = Fuzzed(tcp_syncookies=cookies, tcp_abort_on_overflow=abort)
    for step in steps:
        fuzzed.step(step)
    # it comes to an end: with nobody left, everything is given up and forgotten
    fuzzed.listener.close(fuzzed.now)
    for socket in fuzzed.sockets:
        socket.close(fuzzed.now)
    for _ in range(2000):
        fuzzed.pull()
        deadline = fuzzed.host.next_deadline()
        if deadline is None:
            break
        fuzzed.now = max(fuzzed.now, deadline)
        fuzzed.host.timeout(fuzzed.now)
    assert fuzzed.host.status() == []
    assert fuzzed.host.stack.orphans == 0


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 79), st.integers(0, 255)), max_size=6), st.booleans(), st.binary(max_size=60))
def test_mutated_octets(changes: list[tuple[int, int]], ipv6: bool, tail: bytes) -> None:
    host = Host([SERVER, SERVER_6])
    host.listen(None, 80, 0)
    src, dst = (CLIENT_6, SERVER_6) if ipv6 else (CLIENT, SERVER)
    seg = Segment(1, 2, SYN, 3, tail, OPTIONS[2], sport=5, dport=80)
    octets = bytearray(build_packet(Packet(address(src), address(dst), seg)))
    for where, value in changes:
        octets[where % len(octets)] = value
    host.bytes_arrive(octets, 0)
    for packet in host.packets_to_send(0):
        build_packet(packet)


@pytest.mark.parametrize("cookies", [0, 1, 2])
def test_a_storm_leaves_bounded_memory_and_a_working_listener(cookies: int) -> None:
    chance = random.Random(cookies)
    host = Host([SERVER], settings=Settings(tcp_syncookies=cookies, tcp_max_syn_backlog=256))
    listener = host.listen(None, 80, 0, backlog=64)
    now = 0
    for number in range(20_000):
        now += 50_000
        flags = chance.choice([SYN, SYN, ACK, SYN | ACK, 4, 1, chance.randrange(512)])
        seg = Segment(
            chance.getrandbits(32), chance.getrandbits(32), flags, chance.getrandbits(16), b"", chance.choice(OPTIONS),
            sport=chance.randrange(65_536), dport=chance.choice([80, 80, 81]),
        )  # fmt: skip
        src = bytes([10, chance.randrange(4), chance.randrange(256), chance.randrange(256)])
        host.packet_arrives(Packet(src, address(SERVER), seg), now)
        host.packets_to_send(now)
        if number % 100 == 0:
            host.timeout(now)
    assert listener.syn_queue <= 65
    assert len(host.status()) <= 66
    while (deadline := host.next_deadline()) is not None:
        now = deadline
        host.timeout(now)
        host.packets_to_send(now)
    assert host.status()[1:] == []
    Peer(host).open(now)
    assert listener.recv_q == 1
