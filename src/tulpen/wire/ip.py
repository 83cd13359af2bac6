"""Packets of IPv4 (RFC 791) and IPv6 (RFC 8200) as values, and their codec."""

from __future__ import annotations

from struct import Struct
from typing import Final, NamedTuple, final

from tulpen.wire.address import text
from tulpen.wire.checksum import complement
from tulpen.wire.icmp import ICMP, ICMP6, Icmp, build_icmp, parse_icmp
from tulpen.wire.malformed import Fragment, Kind, Malformed
from tulpen.wire.segment import Segment
from tulpen.wire.tcp_codec import TCP, parse_segment, segment_header

HEADER_4: Final = 20
HEADER_6: Final = 40
MOST_EXTENSIONS: Final = 8  # headers before the payload (RFC 8504 §5.3 allows a limit)

HOP_BY_HOP: Final = 0
ROUTING: Final = 43
FRAGMENT: Final = 44
DESTINATION_OPTIONS: Final = 60
_EXTENSIONS: Final = (HOP_BY_HOP, ROUTING, FRAGMENT, DESTINATION_OPTIONS)

_DONT_FRAGMENT: Final = 0x4000
_V4: Final = Struct("!BBHHHBBH4s4s")
_V6: Final = Struct("!IHBB16s16s")


class Offload(NamedTuple):
    """What a device leaves to us or we to it: the checksum, and the cutting into packets."""

    needs_checksum: bool = False  # the field holds the pseudo header's sum, or nothing to verify
    gso_size: int = 0  # octets of data in each packet on the wire; 0: it is one packet
    verified: bool = False  # the device has found the checksum good


@final
class Packet:
    """One packet; never changed once built."""

    __slots__ = ("damaged", "df", "dst", "ident", "payload", "protocol", "src", "tos", "ttl")

    def __init__(
        self,
        src: bytes,
        dst: bytes,
        payload: Segment | Icmp | bytes | memoryview,
        protocol: int = TCP,  # this and the rest by position, as with Segment, where there are very many
        ttl: int = 64,
        tos: int = 0,
        ident: int = 0,
        df: bool = True,
        damaged: bool = False,
    ) -> None:
        self.src = src
        self.dst = dst
        self.payload = payload
        self.protocol = protocol
        self.ttl = ttl  # the hop limit of IPv6
        self.tos = tos  # Diffserv field and ECN bits; the traffic class of IPv6
        self.ident = ident  # IPv4 alone, as is df
        self.df = df
        self.damaged = damaged  # its checksum is wrong, for links that move values

    @property
    def version(self) -> int:
        """4 or 6."""
        return 4 if len(self.src) == 4 else 6

    def __repr__(self) -> str:
        damaged = " damaged" if self.damaged else ""
        payload = self.payload if isinstance(self.payload, (Segment, Icmp)) else f"{len(self.payload)} octets"
        return f"<Packet {text(self.src)} > {text(self.dst)} proto {self.protocol} {payload}{damaged}>"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Packet):
            return NotImplemented
        return (
            (self.src, self.dst, self.protocol, self.ttl, self.tos, self.ident, self.df, self.damaged)
            == (other.src, other.dst, other.protocol, other.ttl, other.tos, other.ident, other.df, other.damaged)
            and self.payload == other.payload
        )  # fmt: skip

    def __hash__(self) -> int:
        return hash((self.src, self.dst, self.protocol, self.ttl, self.tos, self.ident, self.payload))


def parse_packet(buffer: bytes | bytearray | memoryview, *, offload: Offload | None = None) -> Packet:
    """Read a packet; what it carries is a part of ``buffer``, not a copy.  Raises nothing but ``Malformed``."""
    view = buffer if isinstance(buffer, memoryview) else memoryview(buffer)
    if not view:
        raise Malformed(Kind.TRUNCATED, "an empty packet", 0)
    version = view[0] >> 4
    if version == 4:
        return _parse_4(view, offload)
    if version == 6:
        return _parse_6(view, offload)
    raise Malformed(Kind.VERSION, f"version {version} of IP is neither 4 nor 6", 0)


def _parse_4(view: memoryview, offload: Offload | None) -> Packet:
    size = len(view)
    if size < HEADER_4:
        raise Malformed(Kind.TRUNCATED, f"{size} octets cannot hold an IPv4 header of {HEADER_4}", 0)
    first, tos, total, ident, fragment, ttl, protocol, _, src, dst = _V4.unpack_from(view)
    start = (first & 0x0F) * 4
    if start < HEADER_4 or start > size:
        raise Malformed(Kind.HEADER_LENGTH, f"an IPv4 header length of {start} in {size} octets", 0)
    if total < start:
        raise Malformed(Kind.TOTAL_LENGTH, f"an IPv4 total length of {total}, less than its header", 2)
    if total > size:
        raise Malformed(Kind.TRUNCATED, f"an IPv4 total length of {total} in {size} octets", 2)
    if int.from_bytes(view[:start], "big") % 0xFFFF:
        raise Malformed(Kind.CHECKSUM, "the IPv4 header checksum is wrong", 10)
    if fragment & 0x3FFF:
        raise Fragment(f"a fragment at octet {(fragment & 0x1FFF) * 8} of its packet", 6)
    payload = _parse_payload(view[start:total], protocol, src, dst, offload, start, tos & 3)
    return Packet(src, dst, payload, protocol, ttl, tos, ident, fragment & _DONT_FRAGMENT != 0)


def _parse_6(view: memoryview, offload: Offload | None) -> Packet:
    size = len(view)
    if size < HEADER_6:
        raise Malformed(Kind.TRUNCATED, f"{size} octets cannot hold an IPv6 header of {HEADER_6}", 0)
    first, length, protocol, ttl, src, dst = _V6.unpack_from(view)
    end = HEADER_6 + length
    if end > size:
        raise Malformed(Kind.TRUNCATED, f"an IPv6 payload length of {length} in {size} octets", 4)
    start = HEADER_6
    if protocol in _EXTENSIONS:
        protocol, start = _skip_extensions(view[:end], protocol)
    payload = _parse_payload(view[start:end], protocol, src, dst, offload, start, (first >> 20) & 3)
    return Packet(src, dst, payload, protocol=protocol, ttl=ttl, tos=(first >> 20) & 0xFF)


def _skip_extensions(view: memoryview, protocol: int) -> tuple[int, int]:
    """Return the protocol after the extension headers and where it begins (RFC 8200 §4)."""
    start = HEADER_6
    for _ in range(MOST_EXTENSIONS):
        if protocol not in _EXTENSIONS:
            return protocol, start
        length = _extension_length(view, protocol, start)
        protocol = view[start]
        start += length
    if protocol in _EXTENSIONS:
        raise Malformed(Kind.EXTENSION_HEADER, f"more than {MOST_EXTENSIONS} extension headers", start)
    return protocol, start


def _extension_length(view: memoryview, protocol: int, start: int) -> int:
    left = len(view) - start
    if left < 8:
        raise Malformed(Kind.TRUNCATED, f"{left} octets cannot hold an extension header of 8", start)
    if protocol == FRAGMENT:
        offset_and_more = (view[start + 2] << 8 | view[start + 3]) & 0xFFF9
        if offset_and_more:
            raise Fragment(f"a fragment at octet {offset_and_more & 0xFFF8} of its packet", start + 2)
        return 8  # a fragment that is the whole packet (RFC 6946)
    if protocol == ROUTING and view[start + 3]:
        raise Malformed(Kind.EXTENSION_HEADER, "a routing header that does not end here", start + 3)
    length = 8 * (view[start + 1] + 1)
    if length > left:
        raise Malformed(Kind.TRUNCATED, f"an extension header of {length} in {left} octets", start + 1)
    return length


def _parse_payload(
    view: memoryview, protocol: int, src: bytes, dst: bytes, offload: Offload | None, offset: int, ecn: int
) -> Segment | Icmp | memoryview:
    verify, gso_size = True, 0
    if offload is not None:
        verify, gso_size = not (offload.needs_checksum or offload.verified), offload.gso_size
    if protocol == TCP:
        return parse_segment(view, src, dst, verify=verify, gso_size=gso_size, offset=offset, ecn=ecn)
    if protocol == (ICMP if len(src) == 4 else ICMP6):
        return parse_icmp(view, src, dst, verify=verify, offset=offset)
    return view


def packet_parts(packet: Packet, *, checksum: bool = True) -> tuple[bytes, bytes | memoryview]:
    """Return the headers, and what follows them uncopied, for a link that can gather.

    Without ``checksum`` TCP's is left to the device (see ``segment_header``).  A damaged packet
    gets a wrong one in any case.
    """
    payload = packet.payload
    src = packet.src
    dst = packet.dst
    rest: bytes | memoryview
    if isinstance(payload, Segment):
        head = segment_header(payload, src, dst, checksum=checksum or packet.damaged)
        rest = payload.data
        field = 17
    elif isinstance(payload, Icmp):
        head = build_icmp(payload, src, dst)
        rest = b""
        field = 3
    else:
        return _ip_header(packet, len(payload)), payload
    if packet.damaged:
        head = head[:field] + bytes((head[field] ^ 0x01,)) + head[field + 1 :]
    return _ip_header(packet, len(head) + len(rest)) + head, rest


def build_packet(packet: Packet, *, checksum: bool = True) -> bytes:
    """Return the packet's octets; see ``packet_parts`` for ``checksum``."""
    return b"".join(packet_parts(packet, checksum=checksum))


def _ip_header(packet: Packet, length: int) -> bytes:
    if len(packet.src) == 16:
        if length > 0xFFFF:
            raise ValueError(f"{length} octets do not fit in an IPv6 packet")
        return _V6.pack(6 << 28 | packet.tos << 20, length, packet.protocol, packet.ttl, packet.src, packet.dst)
    total = HEADER_4 + length
    if total > 0xFFFF:
        raise ValueError(f"{length} octets do not fit in an IPv4 packet")
    tos, ident, ttl, protocol, src, dst = (
        packet.tos, packet.ident, packet.ttl, packet.protocol, packet.src, packet.dst,
    )  # fmt: skip
    flags = _DONT_FRAGMENT if packet.df else 0
    words = (0x4500 | tos) + total + ident + flags + (ttl << 8 | protocol) + int.from_bytes(src + dst, "big")
    return _V4.pack(0x45, tos, total, ident, flags, ttl, protocol, complement(words), src, dst)
