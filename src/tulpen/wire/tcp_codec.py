"""TCP segments from octets and to octets (RFC 9293 §3.1)."""

from __future__ import annotations

from struct import Struct
from typing import Final

from tulpen.wire.checksum import complement, ones_sum, pseudo_sum, segment_sum
from tulpen.wire.malformed import BadChecksum, Kind, Malformed
from tulpen.wire.options import NO_OPTIONS, build_options, parse_options
from tulpen.wire.segment import Segment

TCP: Final = 6  # its protocol number
HEADER: Final = 20  # octets without options
FIXED: Final = Struct("!HHIIHHHH")


def parse_segment(
    view: memoryview,
    src: bytes,
    dst: bytes,
    *,
    verify: bool = True,
    gso_size: int = 0,
    offset: int = 0,
    ecn: int = 0,
) -> Segment:
    """Read a segment; its data are a part of ``view``, not a copy.

    ``offset`` is where ``view`` stands in its packet, for the message of ``Malformed``;
    ``ecn`` what that packet's header says.
    """
    size = len(view)
    if size < HEADER:
        raise Malformed(Kind.TRUNCATED, f"{size} octets cannot hold a TCP header of {HEADER}", offset)
    sport, dport, seq, ack, bits, wnd, _, urg = FIXED.unpack_from(view)
    start = (bits >> 10) & 0x3C
    if start < HEADER or start > size:
        raise Malformed(Kind.DATA_OFFSET, f"a data offset of {start} in a segment of {size} octets", offset + 12)
    if verify and segment_sum(view, src, dst, TCP) % 0xFFFF:
        raise BadChecksum("the TCP checksum is wrong", offset + 16)
    options = NO_OPTIONS if start == HEADER else parse_options(view[HEADER:start])
    data = view[start:] if start < size else b""
    return Segment(seq, ack, bits & 0x1FF, wnd, data, options, urg, sport, dport, gso_size, ecn)


def segment_header(seg: Segment, src: bytes, dst: bytes, *, checksum: bool = True) -> bytes:
    """Return the header and options; the data may follow it without having been copied.

    Without ``checksum`` the field holds the sum of the pseudo header alone, as a device that
    computes checksums wants it.
    """
    options, data = build_options(seg.options), seg.data
    sport, dport, seq, ack, wnd, urg = seg.sport, seg.dport, seg.seq, seg.ack, seg.wnd, seg.urg
    start = HEADER + len(options)
    bits = start << 10 | seg.flags
    total = pseudo_sum(src, dst, TCP, start + len(data))
    if checksum:
        # 2 ** 16 is 1 modulo 0xFFFF, so numbers of 16 and 32 bits, and options of whole words, may be added as they are
        total += sport + dport + seq + ack + bits + wnd + urg + int.from_bytes(options, "big")
        field = complement(total + ones_sum(data) if data else total)
    else:
        field = 0xFFFF ^ complement(total)
    return FIXED.pack(sport, dport, seq, ack, bits, wnd, field, urg) + options


def build_segment(seg: Segment, src: bytes, dst: bytes, *, checksum: bool = True) -> bytes:
    """Return the segment's octets; see ``segment_header`` for ``checksum``."""
    return b"".join((segment_header(seg, src, dst, checksum=checksum), seg.data))
