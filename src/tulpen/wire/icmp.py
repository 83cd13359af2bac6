"""ICMP messages for IPv4 and IPv6 as values, and their codec (RFC 792, RFC 4443)."""

from __future__ import annotations

from enum import Enum
from struct import Struct
from typing import Final, NamedTuple, final

from tulpen.wire.address import text
from tulpen.wire.checksum import internet_checksum, pseudo_header
from tulpen.wire.malformed import BadChecksum, Kind, Malformed

ICMP: Final = 1  # protocol number in IPv4
ICMP6: Final = 58  # and in IPv6
HEADER: Final = 8

_FIXED: Final = Struct("!BBHHH")
_PORTS_SEQ: Final = Struct("!HHI")
_TCP: Final = 6


class IcmpKind(Enum):
    """What a message says, one name for both versions of IP."""

    ECHO_REQUEST = "echo request"
    ECHO_REPLY = "echo reply"
    UNREACHABLE_NET = "network unreachable"
    UNREACHABLE_HOST = "host unreachable"
    UNREACHABLE_PROTOCOL = "protocol unreachable"
    UNREACHABLE_PORT = "port unreachable"
    PACKET_TOO_BIG = "packet too big"
    SOURCE_ROUTE_FAILED = "source route failed"
    ADMIN_PROHIBITED = "administratively prohibited"
    TIME_EXCEEDED = "time exceeded"
    PARAMETER_PROBLEM = "parameter problem"
    SOURCE_QUENCH = "source quench"
    REDIRECT = "redirect"
    OTHER = "other"


_NOT_ERRORS: Final = (IcmpKind.ECHO_REQUEST, IcmpKind.ECHO_REPLY, IcmpKind.OTHER)

# (type, code) for each version.  The first code given for a kind is the one that is built.
_V4: Final = {
    (0, 0): IcmpKind.ECHO_REPLY,
    (8, 0): IcmpKind.ECHO_REQUEST,
    (3, 0): IcmpKind.UNREACHABLE_NET,
    (3, 1): IcmpKind.UNREACHABLE_HOST,
    (3, 2): IcmpKind.UNREACHABLE_PROTOCOL,
    (3, 3): IcmpKind.UNREACHABLE_PORT,
    (3, 4): IcmpKind.PACKET_TOO_BIG,
    (3, 5): IcmpKind.SOURCE_ROUTE_FAILED,
    (3, 6): IcmpKind.UNREACHABLE_NET,
    (3, 7): IcmpKind.UNREACHABLE_HOST,
    (3, 8): IcmpKind.UNREACHABLE_HOST,
    (3, 13): IcmpKind.ADMIN_PROHIBITED,
    (3, 9): IcmpKind.ADMIN_PROHIBITED,
    (3, 10): IcmpKind.ADMIN_PROHIBITED,
    (3, 11): IcmpKind.UNREACHABLE_NET,
    (3, 12): IcmpKind.UNREACHABLE_HOST,
    (3, 14): IcmpKind.ADMIN_PROHIBITED,
    (3, 15): IcmpKind.ADMIN_PROHIBITED,
    (4, 0): IcmpKind.SOURCE_QUENCH,
    (5, 0): IcmpKind.REDIRECT,
    (11, 0): IcmpKind.TIME_EXCEEDED,
    (11, 1): IcmpKind.TIME_EXCEEDED,
    (12, 0): IcmpKind.PARAMETER_PROBLEM,
    (12, 1): IcmpKind.PARAMETER_PROBLEM,
    (12, 2): IcmpKind.PARAMETER_PROBLEM,
}
_V6: Final = {
    (128, 0): IcmpKind.ECHO_REQUEST,
    (129, 0): IcmpKind.ECHO_REPLY,
    (1, 0): IcmpKind.UNREACHABLE_NET,
    (1, 3): IcmpKind.UNREACHABLE_HOST,
    (1, 2): IcmpKind.UNREACHABLE_HOST,
    (1, 1): IcmpKind.ADMIN_PROHIBITED,
    (1, 4): IcmpKind.UNREACHABLE_PORT,
    (1, 5): IcmpKind.ADMIN_PROHIBITED,
    (1, 6): IcmpKind.ADMIN_PROHIBITED,
    (1, 7): IcmpKind.SOURCE_ROUTE_FAILED,
    (2, 0): IcmpKind.PACKET_TOO_BIG,
    (3, 0): IcmpKind.TIME_EXCEEDED,
    (3, 1): IcmpKind.TIME_EXCEEDED,
    (4, 1): IcmpKind.UNREACHABLE_PROTOCOL,
    (4, 0): IcmpKind.PARAMETER_PROBLEM,
    (4, 2): IcmpKind.PARAMETER_PROBLEM,
    (137, 0): IcmpKind.REDIRECT,
}
_UNREACHABLE_4: Final = 3
_UNREACHABLE_6: Final = 1


def kind_of(type: int, code: int, *, ipv6: bool) -> IcmpKind:
    """Return what a type and a code mean; a code that is not known means code 0, unless it says what is unreachable."""
    meanings = _V6 if ipv6 else _V4
    kind = meanings.get((type, code))
    if kind is None and type != (_UNREACHABLE_6 if ipv6 else _UNREACHABLE_4):
        kind = meanings.get((type, 0))
    return IcmpKind.OTHER if kind is None else kind


def numbers(kind: IcmpKind, *, ipv6: bool) -> tuple[int, int]:
    """Return the type and code that say ``kind``; ValueError where this version of IP has none."""
    for pair, meant in (_V6 if ipv6 else _V4).items():
        if meant is kind:
            return pair
    raise ValueError(f"ICMP for IPv{6 if ipv6 else 4} has no message that says {kind.value!r}")


class Quoted(NamedTuple):
    """The TCP segment that an error is about, as far as the error quotes it (``seq`` as on the wire)."""

    src: bytes
    dst: bytes
    sport: int
    dport: int
    seq: int

    def __str__(self) -> str:
        return f"{text(self.src)}:{self.sport} > {text(self.dst)}:{self.dport} seq={self.seq}"


@final
class Icmp:
    """One message.  ``data`` are the octets after the first 8: what an echo carries, what an error quotes."""

    __slots__ = ("code", "data", "embedded", "ident", "kind", "mtu", "seq", "type")

    def __init__(
        self,
        kind: IcmpKind,
        type: int,
        code: int,
        *,
        mtu: int = 0,
        ident: int = 0,
        seq: int = 0,
        data: bytes | memoryview = b"",
        embedded: Quoted | None = None,
    ) -> None:
        self.kind = kind
        self.type = type
        self.code = code
        self.mtu = mtu  # of PACKET_TOO_BIG; 0 from a router older than RFC 1191
        self.ident = ident  # of an echo; else the two halves of the second word
        self.seq = seq
        self.data = data
        self.embedded = embedded  # None: no error, or its quote is too short or no TCP

    @property
    def is_error(self) -> bool:
        """Whether it reports a packet, which it quotes; no error is ever sent about it (RFC 1122 §3.2.2)."""
        return self.kind not in _NOT_ERRORS

    def __repr__(self) -> str:
        about = f" about {self.embedded}" if self.embedded is not None else ""
        return f"<Icmp {self.kind.value} ({self.type}/{self.code}) len={len(self.data)}{about}>"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Icmp):
            return NotImplemented
        return (
            (self.type, self.code, self.mtu, self.ident, self.seq, self.embedded)
            == (other.type, other.code, other.mtu, other.ident, other.seq, other.embedded)
            and self.kind is other.kind and self.data == other.data
        )  # fmt: skip

    def __hash__(self) -> int:
        return hash((self.type, self.code, self.mtu, self.ident, self.seq, bytes(self.data)))


def echo_request(ident: int, seq: int, data: bytes = b"", *, ipv6: bool = False) -> Icmp:
    """Return the question that ``ping`` asks."""
    type, code = numbers(IcmpKind.ECHO_REQUEST, ipv6=ipv6)
    return Icmp(IcmpKind.ECHO_REQUEST, type, code, ident=ident, seq=seq, data=data)


def echo_reply(request: Icmp) -> Icmp:
    """Return the answer to an echo request (RFC 1122 §3.2.2.6, RFC 4443 §4.2)."""
    type, code = numbers(IcmpKind.ECHO_REPLY, ipv6=request.type == 128)
    return Icmp(IcmpKind.ECHO_REPLY, type, code, ident=request.ident, seq=request.seq, data=request.data)


def parse_icmp(view: memoryview, src: bytes, dst: bytes, *, verify: bool = True, offset: int = 0) -> Icmp:
    """Read a message; the addresses' length tells the version.  A quote that is cut short is no error."""
    ipv6 = len(src) == 16
    size = len(view)
    if size < HEADER:
        raise Malformed(Kind.TRUNCATED, f"{size} octets cannot hold an ICMP header of {HEADER}", offset)
    before = (pseudo_header(src, dst, ICMP6, size),) if ipv6 else ()
    if verify and internet_checksum(*before, view):
        raise BadChecksum("the ICMP checksum is wrong", offset + 2)
    type, code, _, ident, seq = _FIXED.unpack_from(view)
    kind = kind_of(type, code, ipv6=ipv6)
    data = view[HEADER:]
    if kind is IcmpKind.PACKET_TOO_BIG:
        mtu = ident << 16 | seq if ipv6 else seq
        return Icmp(kind, type, code, mtu=mtu, data=data, embedded=_quoted(data, ipv6))
    embedded = _quoted(data, ipv6) if kind not in _NOT_ERRORS else None
    return Icmp(kind, type, code, ident=ident, seq=seq, data=data, embedded=embedded)


def build_icmp(icmp: Icmp, src: bytes, dst: bytes) -> bytes:
    """Return the message's octets."""
    word = icmp.mtu if icmp.kind is IcmpKind.PACKET_TOO_BIG else icmp.ident << 16 | icmp.seq
    before = (pseudo_header(src, dst, ICMP6, HEADER + len(icmp.data)),) if len(src) == 16 else ()
    header = _FIXED.pack(icmp.type, icmp.code, 0, word >> 16, word & 0xFFFF)
    field = internet_checksum(*before, header, icmp.data)
    return b"".join((header[:2], field.to_bytes(2, "big"), header[4:], icmp.data))


def _quoted(data: memoryview, ipv6: bool) -> Quoted | None:
    """Return what an error quotes of a TCP segment: 8 octets of it are enough (RFC 792)."""
    octets = bytes(data[:128])
    return _quoted_6(octets) if ipv6 else _quoted_4(octets)


def _quoted_4(octets: bytes) -> Quoted | None:
    if len(octets) < 28 or octets[0] >> 4 != 4 or octets[9] != _TCP:
        return None
    start = (octets[0] & 0x0F) * 4
    fragment_offset = (octets[6] << 8 | octets[7]) & 0x1FFF
    if start < 20 or start + 8 > len(octets) or fragment_offset:
        return None
    return Quoted(octets[12:16], octets[16:20], *_PORTS_SEQ.unpack_from(octets, start))


def _quoted_6(octets: bytes) -> Quoted | None:
    if len(octets) < 48 or octets[0] >> 4 != 6:
        return None
    protocol = octets[6]
    start = 40
    while protocol in (0, 43, 60) and start + 2 <= len(octets):
        protocol, length = octets[start], octets[start + 1]
        start += 8 * (length + 1)
    if protocol != _TCP or start + 8 > len(octets):
        return None
    return Quoted(octets[8:24], octets[24:40], *_PORTS_SEQ.unpack_from(octets, start))
