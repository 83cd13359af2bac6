"""The engine alone: segments a second of process time, without devices and without a kernel."""

from __future__ import annotations

import time
from collections import deque

from benchmarks.case import Case
from benchmarks.pair import Pair
from tulpen.tcp.connection import Connection
from tulpen.tcp.stack import Stack
from tulpen.wire.ip import Packet, build_packet, parse_packet
from tulpen.wire.segment import Segment

OCTETS = 20_000_000
CHUNK = bytes(64 * 1024)


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
    Case("engine, of process time", "built and parsed", "seg/s", codec),
]
