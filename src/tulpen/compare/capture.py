"""Packets from a capture file: pcap of both byte orders, and pcapng (draft-ietf-opsawg-pcap, -pcapng).

Read are raw IP, Ethernet, Linux's cooked captures and the loopback of BSD; what is no
IP, or was not captured to its end, is passed over.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from tulpen.compare.follower import Follower
from tulpen.errors import TulpenError
from tulpen.tcp.trace import FourTuple
from tulpen.wire.address import text
from tulpen.wire.ip import Offload, parse_packet
from tulpen.wire.malformed import Malformed
from tulpen.wire.segment import ACK, RST, SYN, Segment

_SECTION: Final = 0x0A0D0D0A
_INTERFACE: Final = 1
_ENHANCED: Final = 6
_ORDER: Final = 0x1A2B3C4D
_RESOLUTION: Final = 9  # if_tsresol

# pcap's magic numbers, and the nanoseconds in a unit of its second field
_MAGIC: Final = {0xA1B2C3D4: 1_000, 0xA1B23C4D: 1}

# where the IP packet begins, by link type
_HEADERS: Final = {0: 4, 1: 14, 12: 0, 101: 0, 108: 4, 113: 16, 228: 0, 229: 0, 276: 20}
_ETHERNET: Final = 1
_VLAN: Final = b"\x81\x00"

#: A host's capture has its own packets before their checksums were made.
_UNFINISHED: Final = Offload(needs_checksum=True)


class Captured(NamedTuple):
    """A TCP segment, when it passed, and the connection's name at its sender."""

    when: int  # nanoseconds
    name: FourTuple
    segment: Segment


def read(path: Path) -> Iterator[Captured]:
    """Yield the TCP segments of a capture.  Raises TulpenError where the file is none."""
    octets = path.read_bytes()
    magic = octets[:4]
    if magic == b"\x0a\x0d\x0d\x0a":
        packets = _pcapng(octets)
    else:
        order = next(
            (order for order in "<>" if len(magic) == 4 and struct.unpack(f"{order}I", magic)[0] in _MAGIC), ""
        )
        if not order:
            raise TulpenError(f"{path} is neither pcap nor pcapng")
        packets = _pcap(octets, order)
    try:
        for when, link, packet in packets:
            found = _segment(when, _strip(link, packet))
            if found is not None:
                yield found
    except struct.error as error:
        raise TulpenError(f"{path} ends in the middle of a packet") from error


def _pcap(octets: bytes, order: str) -> Iterator[tuple[int, int, bytes]]:
    magic, _, _, _, _, _, link = struct.unpack_from(f"{order}IHHiIII", octets)
    unit, at = _MAGIC[magic], 24
    while at < len(octets):
        seconds, fraction, size, whole = struct.unpack_from(f"{order}IIII", octets, at)
        at += 16
        if at + size > len(octets):
            raise struct.error
        if size == whole:
            yield seconds * 1_000_000_000 + fraction * unit, link & 0xFFFF, octets[at : at + size]
        at += size


def _pcapng(octets: bytes) -> Iterator[tuple[int, int, bytes]]:
    order, at = "<", 0
    interfaces: list[tuple[int, int]] = []  # link type, units in a second
    while at < len(octets):
        kind = struct.unpack_from(f"{order}I", octets, at)[0]
        if kind == _SECTION:
            order = "<" if struct.unpack_from("<I", octets, at + 8)[0] == _ORDER else ">"
            interfaces = []
        length = struct.unpack_from(f"{order}I", octets, at + 4)[0]
        if length < 12 or length % 4:
            raise struct.error
        body = octets[at + 8 : at + length - 4]
        if kind == _INTERFACE:
            interfaces.append((struct.unpack_from(f"{order}H", body)[0], _units(body, order)))
        elif kind == _ENHANCED:
            number, high, low, size, whole = struct.unpack_from(f"{order}IIIII", body)
            if size == whole and number < len(interfaces):
                link, units = interfaces[number]
                yield ((high << 32 | low) * 1_000_000_000 // units), link, body[20 : 20 + size]
        at += length


def _units(body: bytes, order: str) -> int:
    """Return how many units of an interface's time make a second."""
    at = 8
    while at + 4 <= len(body):
        code, length = struct.unpack_from(f"{order}HH", body, at)
        if code == _RESOLUTION:
            exponent = body[at + 4]
            return int(2 ** (exponent & 0x7F)) if exponent & 0x80 else int(10**exponent)
        at += 4 + (length + 3 & ~3)
    return 1_000_000


def _strip(link: int, packet: bytes) -> bytes:
    start = _HEADERS.get(link)
    if start is None:
        raise TulpenError(f"link type {link} is not one that can be read", "capture raw IP, Ethernet or -i any")
    if link == _ETHERNET and packet[12:14] == _VLAN:
        start += 4
    return packet[start:]


def _segment(when: int, octets: bytes) -> Captured | None:
    try:
        packet = parse_packet(octets, offload=_UNFINISHED)
    except Malformed:
        return None
    segment = packet.payload
    if not isinstance(segment, Segment):
        return None
    return Captured(when, FourTuple(packet.src, segment.sport, packet.dst, segment.dport), segment)


def followed(path: Path, address: bytes) -> list[tuple[FourTuple, Follower]]:
    """Follow the host ``address`` through a capture that was made there: every connection of it."""
    followers: dict[FourTuple, Follower] = {}
    done: list[tuple[FourTuple, Follower]] = []
    for when, name, segment in read(path):
        if address not in (name.local, name.remote):
            continue
        sent = name.local == address
        ours = name if sent else FourTuple(name.remote, name.remote_port, name.local, name.local_port)
        follower = followers.get(ours)
        if follower is None or (follower.over and segment.flags & (SYN | ACK | RST) == SYN):
            follower = followers[ours] = Follower()
            done.append((ours, follower))
        follower.packet(segment, when, sent=sent)
    if not done:
        raise TulpenError(f"{path} has no TCP of {text(address)}")
    return done
