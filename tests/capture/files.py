"""Captures made by hand: segments in, the octets of a file out."""

from __future__ import annotations

import io
import struct
import sys
from collections.abc import Iterable, Sequence

import pytest

from tulpen.capture.policy import Policy
from tulpen.capture.reading import Reading, read
from tulpen.wire.ip import Packet, build_packet
from tulpen.wire.options import NO_OPTIONS, Options
from tulpen.wire.segment import ACK, FIN, PSH, RST, SYN, Segment

MS = 1_000_000
CLIENT, SERVER = bytes((10, 0, 0, 1)), bytes((10, 0, 0, 2))
CLIENT_6, SERVER_6 = bytes.fromhex("20010db8" + "00" * 11 + "01"), bytes.fromhex("20010db8" + "00" * 11 + "02")
LETTERS = {"S": SYN, "F": FIN, "R": RST, "P": PSH, ".": ACK}

Timed = tuple[int, bytes]  # nanoseconds, an IP packet


class Talk:
    """Segments of one connection, written as they pass; numbers count from each end's ISN."""

    def __init__(
        self, sport: int = 40_000, dport: int = 80, *, isn: tuple[int, int] = (1000, 5000), six: bool = False
    ) -> None:
        self.ports = sport, dport
        self.isn = isn
        self.addresses = (CLIENT_6, SERVER_6) if six else (CLIENT, SERVER)
        self.packets: list[Timed] = []
        self.now = 0
        self.idents = [100, 700]

    def send(
        self,
        side: int,
        flags: str,
        seq: int = 0,
        ack: int = 0,
        size: int = 0,
        *,
        after: float = 10.0,
        wnd: int = 60_000,
        options: Options = NO_OPTIONS,
        ttl: int = 64,
        ident: int | None = None,
        damaged: bool = False,
        raw_ack: int | None = None,
    ) -> Talk:
        """One segment of side 0 (client) or 1, ``after`` milliseconds."""
        self.now += int(after * MS)
        bits = sum(LETTERS[letter] for letter in flags)
        number = (self.isn[1 - side] + ack) & 0xFFFF_FFFF if bits & ACK else 0
        segment = Segment(
            (self.isn[side] + seq) & 0xFFFF_FFFF, number if raw_ack is None else raw_ack, bits, wnd, bytes(size),
            options, sport=self.ports[side], dport=self.ports[1 - side],
        )  # fmt: skip
        self.idents[side] += 1
        packet = Packet(
            self.addresses[side], self.addresses[1 - side], segment, ttl=ttl, damaged=damaged,
            ident=(self.idents[side] if ident is None else ident) if len(self.addresses[0]) == 4 else 0,
        )  # fmt: skip
        self.packets.append((self.now, build_packet(packet)))
        return self

    def client(self, flags: str, seq: int = 0, ack: int = 0, size: int = 0, **more: object) -> Talk:
        return self.send(0, flags, seq, ack, size, **more)  # type: ignore[arg-type]

    def server(self, flags: str, seq: int = 0, ack: int = 0, size: int = 0, **more: object) -> Talk:
        return self.send(1, flags, seq, ack, size, **more)  # type: ignore[arg-type]

    def opened(self, options: Options = NO_OPTIONS, reply: Options = NO_OPTIONS) -> Talk:
        """The handshake."""
        return self.client("S", options=options).server("S.", 0, 1, options=reply).client(".", 1, 1)

    def read(self, policy: Policy | None = None) -> Reading:
        return read(io.BytesIO(pcap(self.packets)), policy=policy, ladders=None)


def pcap(
    packets: Iterable[Timed],
    *,
    order: str = "<",
    link: int = 101,
    header: bytes = b"",
    nanoseconds: bool = True,
    snap: int = 65_535,
) -> bytes:
    """A pcap file, each packet behind ``header``."""
    magic = 0xA1B23C4D if nanoseconds else 0xA1B2C3D4
    parts = [struct.pack(f"{order}IHHiIII", magic, 2, 4, 0, 0, snap, link)]
    for when, packet in packets:
        frame = header + packet
        seconds, fraction = divmod(when, 1_000_000_000)
        kept = frame[:snap]
        parts += [
            struct.pack(f"{order}IIII", seconds, fraction if nanoseconds else fraction // 1000, len(kept), len(frame)),
            kept,
        ]
    return b"".join(parts)


def pcapng(
    packets: Sequence[Timed],
    *,
    order: str = "<",
    link: int = 101,
    header: bytes = b"",
    resolution: int = 9,
    interfaces: int = 1,
) -> bytes:
    """A pcapng file of one section; packet n belongs to interface n modulo ``interfaces``."""

    def block(kind: int, body: bytes) -> bytes:
        body += bytes(-len(body) % 4)
        size = struct.pack(f"{order}I", len(body) + 12)
        return struct.pack(f"{order}I", kind) + size + body + size

    option = struct.pack(f"{order}HHB3x", 9, 1, resolution) + bytes(4)
    parts = [block(0x0A0D0D0A, struct.pack(f"{order}IHHq", 0x1A2B3C4D, 1, 0, -1))]
    parts += [block(1, struct.pack(f"{order}HHI", link, 0, 0) + option)] * interfaces
    for number, (when, packet) in enumerate(packets):
        frame = header + packet
        ticks = when * 10**resolution // 1_000_000_000
        head = struct.pack(
            f"{order}IIIII", number % interfaces, ticks >> 32, ticks & 0xFFFF_FFFF, len(frame), len(frame)
        )
        parts.append(block(6, head + frame))
    return b"".join(parts)


def orderly() -> Talk:
    """A request, a response, and the client closes."""
    talk = Talk().opened()
    talk.client("P.", 1, 1, 100).server(".", 1, 101).server("P.", 1, 101, 500).client(".", 101, 501)
    return talk.client("F.", 101, 501).server(".", 501, 102).server("F.", 501, 102).client(".", 102, 502)


def zstd(octets: bytes) -> bytes:
    """What zstd packs octets into; the test is skipped where there is none."""
    name = "compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd"
    packed: bytes = pytest.importorskip(name, reason=f"{name} is not installed").compress(octets)
    return packed


Edit = tuple[int, bytes]


def edited(whole: bytes, edits: list[Edit], cut: int, first: int = 0) -> bytes:
    """Return a file with some octets from ``first`` on written over, and its last ``cut`` missing."""
    octets = bytearray(whole)
    for at, data in edits:
        at = first + at % (len(octets) - first)
        octets[at : at + len(data)] = data
    return bytes(octets[: len(octets) - cut])
