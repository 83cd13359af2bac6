"""Packets for the tests of the network."""

from __future__ import annotations

from tulpen.sim.filters import Filter
from tulpen.wire.address import address
from tulpen.wire.ip import Packet
from tulpen.wire.segment import ACK, Segment

A = address("10.0.0.1")
B = address("10.0.0.2")
MS = 1_000_000
SECOND = 1_000_000_000


def packet(data: bytes = b"", *, flags: int = ACK, seq: int = 0, src: bytes = A, dst: bytes = B) -> Packet:
    return Packet(src, dst, Segment(seq, 0, flags, data=data, sport=1000, dport=80))


def segment(packet: Packet) -> Segment:
    assert isinstance(packet.payload, Segment)
    return packet.payload


def delays(filter: Filter, count: int, *, every: int = 0) -> list[list[int]]:
    """When each of ``count`` packets comes out, each entered ``every`` nanoseconds after the one before."""
    return [[i * every + waited for waited, _ in filter(packet(seq=i), i * every)] for i in range(count)]


def lost(filter: Filter, count: int = 10_000) -> int:
    return sum(not out for out in delays(filter, count))
