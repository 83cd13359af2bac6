"""From frames to TCP segments: through link layers, tags and tunnels to the innermost packet of IP."""

from __future__ import annotations

import functools
from collections import Counter
from struct import Struct
from typing import Final, NamedTuple, final

from tulpen.capture.fragments import Fragments, Piece
from tulpen.capture.frame import Frame
from tulpen.capture.icmp import icmp_error
from tulpen.capture.links import IPV4, IPV6, LINKS, Inside, tag
from tulpen.capture.seen import IcmpError, Seen, Sum
from tulpen.capture.tunnels import MPLS_IN_IP, TCP, UDP, tunnel
from tulpen.wire.checksum import ones_sum, pseudo_sum
from tulpen.wire.options import NO_OPTIONS, parse_options

DEEPEST: Final = 24  # headers in one frame

# Why a frame is passed over.
NO_IP: Final = "no packet of IP"
IP_CUT: Final = "an IP header cut short"
IP_MALFORMED: Final = "a malformed IP header"
TCP_CUT: Final = "a TCP header cut short"
TCP_MALFORMED: Final = "a malformed TCP header"
NO_ERROR: Final = "ICMP"

_V4: Final = Struct("!BBHHHBBH4s4s")
_V6: Final = Struct("!IHBB16s16s")
_TCP: Final = Struct("!HHIIHHHH")
ICMP: Final = {4: 1, 16: 58}  # by the length of an address
EXTENSIONS: Final = frozenset((0, 43, 60, 135))
FRAGMENT: Final = 44
AUTHENTICATION: Final = 51


class Outer(NamedTuple):
    """What the headers around a segment say of it."""

    frame: Frame
    src: bytes
    dst: bytes
    ttl: int
    ident: int
    df: bool
    ecn: int
    good: bool  # the IP header's checksum
    pieces: int
    layers: tuple[str, ...]


@final
class Dissector:
    """Finds TCP in frames, and counts what it had to pass over.

    ``late``: takes the frames with fragments of IP, where their other fragments may be elsewhere.
    """

    __slots__ = ("_fragments", "_late", "passed")

    def __init__(self, late: list[Frame] | None = None) -> None:
        self._fragments = Fragments()
        self._late = late
        #: Frames without a segment, by the reason in words.
        self.passed: Counter[str] = Counter()

    def segment(self, frame: Frame) -> Seen | IcmpError | None:
        """Return the segment, or the ICMP error about one, that a frame completes; None where there is none."""
        layer = LINKS.get(frame.link)
        if layer is None:
            self.passed[f"link type {frame.link}, which is not read"] += 1
            return None
        inside = layer(frame.data, 0)
        return self._follow(frame, frame.data, inside, frame.length, ())

    def _follow(
        self, frame: Frame, data: bytes, inside: Inside | None, end: int, layers: tuple[str, ...]
    ) -> Seen | IcmpError | None:
        # ``end``: where the octets ended on the wire, which may be beyond those captured.
        for _ in range(DEEPEST):
            if inside is None:
                self.passed[NO_IP] += 1
                return None
            kind, at, name = inside
            if name:
                layers = (*layers, name)
            if kind == IPV4:
                return self._ipv4(frame, data, at, end, layers)
            if kind == IPV6:
                return self._ipv6(frame, data, at, end, layers)
            inside = tag(kind, data, at)
        self.passed["headers without end"] += 1
        return None

    def _ipv4(self, frame: Frame, data: bytes, at: int, end: int, layers: tuple[str, ...]) -> Seen | IcmpError | None:
        if at + 20 > len(data):
            self.passed[IP_CUT] += 1
            return None
        first, tos, total, ident, fragment, ttl, protocol, check, src, dst = _V4.unpack_from(data, at)
        size = (first & 0x0F) * 4
        if first >> 4 != 4 or size < 20:
            self.passed[IP_MALFORMED] += 1
            return None
        if total == 0:  # the device was to cut it: its length is what there is
            total = max(end - at, 0)
        if total < size:
            self.passed[IP_MALFORMED] += 1
            return None
        start, stop = at + size, at + total
        good = check == 0 or start > len(data) or int.from_bytes(data[at:start], "big") % 0xFFFF == 0
        outer = Outer(frame, src, dst, ttl, ident, bool(fragment & 0x4000), tos & 3, good, 1, layers)
        if fragment & 0x3FFF:
            key = (src, dst, protocol, ident)
            piece = Piece((fragment & 0x1FFF) * 8, data[start:stop], bool(fragment & 0x2000))
            return self._fragment(outer, key, protocol, piece, cut=stop > len(data))
        return self._payload(outer, protocol, data, start, stop)

    def _ipv6(self, frame: Frame, data: bytes, at: int, end: int, layers: tuple[str, ...]) -> Seen | IcmpError | None:
        if at + 40 > len(data):
            self.passed[IP_CUT] += 1
            return None
        first, length, protocol, ttl, src, dst = _V6.unpack_from(data, at)
        if first >> 28 != 6:
            self.passed[IP_MALFORMED] += 1
            return None
        start = at + 40
        stop = start + length if length else max(end, start)
        outer = Outer(frame, src, dst, ttl, -1, True, first >> 20 & 3, True, 1, layers)
        for _ in range(DEEPEST):
            if protocol in EXTENSIONS and start + 8 <= len(data):
                protocol, start = data[start], start + 8 * (data[start + 1] + 1)
            elif protocol == AUTHENTICATION and start + 8 <= len(data):
                protocol, start = data[start], start + 4 * (data[start + 1] + 2)
            elif protocol == FRAGMENT and start + 8 <= len(data):
                after = data[start]
                where = data[start + 2] << 8 | data[start + 3]
                number = int.from_bytes(data[start + 4 : start + 8], "big")
                start += 8
                protocol = after
                if where & 0xFFF9:  # else it is the whole packet (RFC 6946)
                    piece = Piece(where & 0xFFF8, data[start:stop], bool(where & 1))
                    return self._fragment(outer, (src, dst, -1, number), after, piece, cut=stop > len(data))
            else:
                break
        return self._payload(outer, protocol, data, start, stop)

    def _fragment(
        self, outer: Outer, key: tuple[bytes, bytes, int, int], protocol: int, piece: Piece, *, cut: bool
    ) -> Seen | IcmpError | None:
        if cut and piece.at == 0:  # it will never be whole, and has the header of TCP
            return self._payload(outer, protocol, piece.data, 0, len(piece.data))
        if self._late is not None:
            self._late.append(outer.frame)
            return None
        whole = self._fragments.add(key, piece)
        if whole is None:
            self.passed["a fragment of IP"] += 1
            return None
        return self._payload(outer._replace(pieces=whole.pieces), protocol, whole.data, 0, whole.length)

    def _payload(self, outer: Outer, protocol: int, data: bytes, start: int, stop: int) -> Seen | IcmpError | None:
        if protocol == TCP:
            return self._tcp(outer, data, start, stop)
        if protocol == ICMP[len(outer.src)]:
            told = icmp_error(data[start:stop], outer.frame, outer.src)
            if told is None:
                self.passed[NO_ERROR] += 1
            return told
        if len(outer.layers) < DEEPEST:
            inside = tunnel(protocol, data, start)
            if inside is not None:
                return self._follow(outer.frame, data, inside, stop, outer.layers)
            if protocol == MPLS_IN_IP:
                return self._follow(outer.frame, data, Inside(0x8847, start), stop, outer.layers)
        self.passed[payload(protocol)] += 1
        return None

    def _tcp(self, outer: Outer, data: bytes, start: int, stop: int) -> Seen | None:
        size = stop - start
        if start + 20 > len(data) or size < 20:
            self.passed[TCP_CUT] += 1
            return None
        sport, dport, seq, ack, bits, wnd, check, urg = _TCP.unpack_from(data, start)
        header = bits >> 10 & 0x3C
        if header < 20 or header > size:
            self.passed[TCP_MALFORMED] += 1
            return None
        options = NO_OPTIONS
        if header > 20:
            options = parse_options(data[start + 20 : start + header])
        frame = outer.frame
        layers, vlan = _told(outer.layers) if outer.layers else ("", 0)
        return Seen(
            frame.number, frame.when, outer.src, outer.dst, sport, dport, seq, ack, bits & 0x1FF, wnd, size - header,
            options, urg=urg, ttl=outer.ttl, ident=outer.ident, df=outer.df, ecn=outer.ecn,
            checksum=_judged(outer, data, start, stop, check), layers=layers, vlan=vlan,
            direction=frame.direction, pieces=outer.pieces,
        )  # fmt: skip


def payload(protocol: int) -> str:
    """Return the name of a payload of IP that is not TCP."""
    return "UDP" if protocol == UDP else f"protocol {protocol} of IP"


@functools.lru_cache(maxsize=256)
def _told(layers: tuple[str, ...]) -> tuple[str, int]:
    """Return the names of the layers, and the innermost VLAN."""
    vlan = next((int(name[5:]) for name in reversed(layers) if name.startswith("vlan ")), 0)
    return ", ".join(layers), vlan


def _judged(outer: Outer, data: bytes, start: int, stop: int, field: int) -> Sum:
    """Return what the checksum of a segment says."""
    if not outer.good:
        return Sum.WRONG
    if stop > len(data):
        return Sum.UNKNOWN
    size = stop - start
    pseudo = pseudo_sum(outer.src, outer.dst, TCP, size)
    if (ones_sum(data[start:stop]) + pseudo) % 0xFFFF == 0:
        return Sum.GOOD
    if size > 0xFFFF or field in (0, pseudo % 0xFFFF, (pseudo - size) % 0xFFFF):
        return Sum.UNFINISHED
    return Sum.WRONG
