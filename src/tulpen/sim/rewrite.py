"""What a box on the path makes of a packet: another with the same content but for a field or two."""

from __future__ import annotations

from tulpen.wire.icmp import Icmp
from tulpen.wire.ip import Packet
from tulpen.wire.options import NO_OPTIONS, build_options
from tulpen.wire.segment import CWR, FIN, PSH, URG, Segment
from tulpen.wire.seq import wrap


def octets(packet: Packet) -> int:
    """Return the packet's length on the wire, from the first octet of its IP header."""
    header = 20 if len(packet.src) == 4 else 40
    payload = packet.payload
    if isinstance(payload, Segment):
        options = payload.options
        return header + 20 + (0 if options is NO_OPTIONS else len(build_options(options))) + len(payload.data)
    if isinstance(payload, Icmp):
        return header + 8 + len(payload.data)
    return header + len(payload)


def carrying(
    packet: Packet,
    payload: Segment | Icmp | bytes | memoryview,
    *,
    src: bytes | None = None,
    dst: bytes | None = None,
    damaged: bool | None = None,
    tos: int | None = None,
) -> Packet:
    """Return ``packet`` with another payload, and other addresses, Diffserv or a wrong checksum if asked."""
    return Packet(
        packet.src if src is None else src,
        packet.dst if dst is None else dst,
        payload,
        protocol=packet.protocol,
        ttl=packet.ttl,
        tos=packet.tos if tos is None else tos,
        ident=packet.ident,
        df=packet.df,
        damaged=packet.damaged if damaged is None else damaged,
    )


def marked(packet: Packet, mark: int) -> Packet:
    """Return ``packet`` with another ECN field (RFC 3168 §5)."""
    payload = packet.payload
    inside = payload.marked(mark) if isinstance(payload, Segment) else payload
    return carrying(packet, inside, tos=packet.tos & ~3 | mark)


def with_ports(seg: Segment, sport: int, dport: int) -> Segment:
    """Return ``seg`` with other ports."""
    return Segment(
        seg.seq, seg.ack, seg.flags, seg.wnd, seg.data, seg.options,
        urg=seg.urg, sport=sport, dport=dport, gso_size=seg.gso_size, ecn=seg.ecn,
    )  # fmt: skip


def with_data(seg: Segment, data: bytes) -> Segment:
    """Return ``seg`` with other text."""
    return Segment(
        seg.seq, seg.ack, seg.flags, seg.wnd, data, seg.options,
        urg=seg.urg, sport=seg.sport, dport=seg.dport, gso_size=seg.gso_size, ecn=seg.ecn,
    )  # fmt: skip


def on_the_wire(packet: Packet) -> list[Packet]:
    """Return the packets that a device makes of one whose text was left for it to cut."""
    seg = packet.payload
    if not isinstance(seg, Segment) or not seg.gso_size or len(seg.data) <= seg.gso_size:
        return [packet]
    return [carrying(packet, piece) for piece in _pieces(seg)]


def _pieces(seg: Segment) -> list[Segment]:
    """Cut ``seg`` every ``gso_size`` octets: CWR stays with the first, FIN and PSH with the last."""
    view = memoryview(seg.data)
    pieces = []
    for start in range(0, len(view), seg.gso_size):
        last = start + seg.gso_size >= len(view)
        flags = seg.flags if start == 0 else seg.flags & ~CWR
        if not last:
            flags &= ~(FIN | PSH)
        urg = max(seg.urg - start, 0)
        if not urg:
            flags &= ~URG
        data = view[start : start + seg.gso_size]
        pieces.append(
            Segment(
                wrap(seg.seq + start), seg.ack, flags, seg.wnd, data, seg.options,
                urg=urg, sport=seg.sport, dport=seg.dport, ecn=seg.ecn,
            )
        )  # fmt: skip
    return pieces
