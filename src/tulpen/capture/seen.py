"""What a capture shows: TCP segments, and ICMP errors about them."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple, final

from tulpen.wire.options import NO_OPTIONS, Options


class Sum(IntEnum):
    """What a checksum says of the octets it covers."""

    GOOD = 0
    WRONG = 1
    UNFINISHED = 2  # only the pseudo header is summed: the capture was made before the device computed it
    UNKNOWN = 3  # not everything was captured


@final
class Seen:
    """One TCP segment as the capture has it; the data themselves are not kept."""

    __slots__ = (
        "ack", "checksum", "df", "direction", "dport", "dst", "ecn", "flags", "frame", "ident", "layers", "length",
        "options", "pieces", "seq", "sport", "src", "ttl", "urg", "vlan", "when", "wnd",
    )  # fmt: skip

    def __init__(
        self,
        frame: int,
        when: int,
        src: bytes,
        dst: bytes,
        sport: int,
        dport: int,
        seq: int,
        ack: int,
        flags: int,
        wnd: int = 0,
        length: int = 0,
        options: Options = NO_OPTIONS,
        *,
        urg: int = 0,
        ttl: int = 0,
        ident: int = -1,
        df: bool = False,
        ecn: int = 0,
        checksum: Sum = Sum.GOOD,
        layers: str = "",
        vlan: int = 0,
        direction: int = 0,
        pieces: int = 1,
    ) -> None:
        self.frame = frame
        self.when = when  # nanoseconds since 1970
        self.src = src
        self.dst = dst
        self.sport = sport
        self.dport = dport
        self.seq = seq
        self.ack = ack
        self.flags = flags
        self.wnd = wnd  # as on the wire, not scaled
        self.length = length  # octets of data that it had on the wire, captured or not
        self.options = options
        self.urg = urg
        self.ttl = ttl
        self.ident = ident  # of the IPv4 header; -1: IPv6
        self.df = df
        self.ecn = ecn
        self.checksum = checksum
        self.layers = layers  # what it was wrapped in, outermost first: "vlan 5, gre"
        self.vlan = vlan  # the innermost tag; 0: none
        self.direction = direction  # INBOUND or OUTBOUND where the capture says so
        self.pieces = pieces  # IP fragments that it came in


class IcmpError(NamedTuple):
    """A router's or host's word about a segment."""

    frame: int
    when: int
    teller: bytes  # its source address
    words: str  # "fragmentation needed, MTU 1400"
    kind: str  # "port", "unreachable", "prohibited", "too-big", "expired", "other"
    src: bytes  # of the segment that it quotes
    dst: bytes
    sport: int
    dport: int
    seq: int
    mtu: int = 0
