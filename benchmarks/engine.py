"""The engine alone: segments a second of process time, without devices and without a kernel."""

from __future__ import annotations

import time
from collections import deque

from benchmarks.case import Case
from benchmarks.pair import CLIENT, MS, PORT, SERVER, Pair
from benchmarks.stream import CHUNK, Drain, Push
from tulpen.host.host import Host
from tulpen.sim.application import Client, Server
from tulpen.sim.filters import Delay
from tulpen.sim.world import World
from tulpen.tcp.config import Settings
from tulpen.tcp.connection import Connection
from tulpen.tcp.stack import Stack
from tulpen.wire.address import address
from tulpen.wire.ip import Packet, build_packet, parse_packet
from tulpen.wire.options import Options
from tulpen.wire.segment import SYN, Segment

OCTETS = 20_000_000
CONNECTIONS = 1000
SYNS = 20_000
BATCH = 64  # packets that a link gives at a time
LINUX_SYN = Options(mss=1460, sack_permitted=True, tsval=1, tsecr=0, wscale=7)


def connection_to_connection() -> float:
    """One connection's bulk data to another: full segments one way, ACKs the other."""
    now = 1_000_000_000
    one, other = Connection(Stack(), iss=1), Connection(Stack(), iss=2)
    other.open_passive(now)
    one.open_active(now)
    began = time.process_time()
    segments = received = sent = 0
    while received < OCTETS:
        if sent < OCTETS and one.writable:
            sent += one.send(CHUNK, now) if one.state.title == "ESTABLISHED" else 0
        for source, target in ((one, other), (other, one)):
            moving = source.segments_to_send(now)
            segments += len(moving)
            for segment in moving:
                target.segment_arrives(segment, now)
            now += 1000
        received += len(other.receive(1 << 20))
    return segments / (time.process_time() - began)


def host_to_host() -> float:
    """The same between two hosts: demultiplexing, deadlines and events with it."""
    pair = Pair()
    sock, accepted = pair.connect()
    pair.carried = 0
    began = time.process_time()
    received = 0
    while received < OCTETS:
        sock.send(CHUNK, pair.now)
        pair.exchange()
        received += len(accepted.receive(1 << 20, pair.now))
    return pair.carried / (time.process_time() - began)


def in_virtual_time() -> float:
    """The same in a world: 10 ms each way, an event for every packet."""
    world, drain = World(), Drain()
    stations = [
        world.station("server", SERVER, runs=Server(PORT, lambda: drain), out=Delay(10 * MS)),
        world.station("client", CLIENT, runs=Client(SERVER, PORT, Push()), out=Delay(10 * MS)),
    ]
    began = time.process_time()
    world.run(unless=lambda: drain.octets >= OCTETS)
    spent = time.process_time() - began
    return sum(station.host.counters()["OutSegs"] for station in stations) / spent


def short_connections() -> float:
    """Connect, an octet there and back, close: both ends of it."""
    pair = Pair()
    began = time.process_time()
    for _ in range(CONNECTIONS):
        sock, accepted = pair.connect()
        sock.send(b"x", pair.now)
        pair.exchange()
        accepted.send(accepted.receive(1, pair.now), pair.now)
        pair.exchange()
        assert sock.receive(1, pair.now) == b"x"
        sock.close(pair.now)
        pair.exchange()
        accepted.close(pair.now)
        pair.exchange()
        pair.now += MS
    return CONNECTIONS / (time.process_time() - began)


def syn_flood() -> float:
    """SYNs with Linux's options, from octets to the octets of the answers, once the SYN queue is full (cookies)."""
    host = Host([SERVER], settings=Settings(tcp_max_syn_backlog=16), secret=b"0123456789abcdef")
    host.listen(None, PORT, 0, backlog=16)
    source, target = address(CLIENT), address(SERVER)
    flood = [
        build_packet(Packet(source, target, Segment(n, 0, SYN, 64_240, b"", LINUX_SYN, sport=1024 + n, dport=PORT)))
        for n in range(SYNS)
    ]
    answers = 0
    began = time.process_time()
    for start in range(0, SYNS, BATCH):
        now = MS * (1 + start)
        for octets in flood[start : start + BATCH]:
            host.bytes_arrive(octets, now)
        answers += sum(len(build_packet(packet)) > 0 for packet in host.packets_to_send(now))
    spent = time.process_time() - began
    assert answers == SYNS
    return SYNS / spent


def codec() -> float:
    """Packets of a full segment, built and parsed again, checksums made and verified."""
    packets: deque[bytes] = deque()
    segment = Segment(1, 2, 0x10, 500, bytes(1448), sport=1, dport=2)
    packet = Packet(bytes(4), bytes(4), segment)
    count = 20_000
    began = time.process_time()
    for _ in range(count):
        packets.append(build_packet(packet))
        parse_packet(packets.popleft())
    return count / (time.process_time() - began)


ENGINE = [
    Case("engine, of process time", "connection to connection", "seg/s", connection_to_connection),
    Case("engine, of process time", "host to host", "seg/s", host_to_host),
    Case("engine, of process time", "two hosts in virtual time", "seg/s", in_virtual_time),
    Case("engine, of process time", "connect, 1 octet echoed, close, both ends", "conn/s", short_connections),
    Case("engine, of process time", "SYN flood, answered by cookies", "SYN/s", syn_flood),
    Case("engine, of process time", "built and parsed", "seg/s", codec),
]
