"""Packets of the host as the octets that the program reads."""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Final

from tulpen.drill.layout import octets
from tulpen.sim.rewrite import carrying
from tulpen.wire.checksum import complement, ones_sum, pseudo_sum
from tulpen.wire.ip import build_packet
from tulpen.wire.options import build_options
from tulpen.wire.segment import Segment
from tulpen.wire.tcp_codec import HEADER, TCP

if TYPE_CHECKING:
    from tulpen.drill.stage import Left

_FIXED: Final = Struct("!HHIIHHHH")


def wire_octets(left: Left, order: str) -> bytes:
    """Return a packet with its TCP options in the order of a system."""
    packet, seg = left.packet, left.packet.payload
    if isinstance(seg, Segment):
        options = octets(seg.options, order)
        if options != build_options(seg.options):
            packet = carrying(packet, _segment(seg, options, packet.src, packet.dst))
    return build_packet(packet)


def _segment(seg: Segment, options: bytes, src: bytes, dst: bytes) -> bytes:
    start = HEADER + len(options)

    def header(checksum: int) -> bytes:
        bits = start << 10 | seg.flags
        return _FIXED.pack(seg.sport, seg.dport, seg.seq, seg.ack, bits, seg.wnd, checksum, seg.urg)

    rest = options + bytes(seg.data)
    total = pseudo_sum(src, dst, TCP, HEADER + len(rest)) + ones_sum(header(0) + rest)
    return header(complement(total)) + rest
