"""pcap (draft-ietf-opsawg-pcap): both byte orders, micro- and nanoseconds, and the header of Kuznetzov's patch."""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Final, NamedTuple

from tulpen.capture.frame import MOST, Damaged, Frame

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tulpen.capture.octets import Stream

MICROSECONDS: Final = 0xA1B2C3D4
NANOSECONDS: Final = 0xA1B23C4D
PATCHED: Final = 0xA1B2CD34  # its records carry eight octets more

HEADER: Final = 24
RECORD: Final = 16


def order_of(magic: bytes) -> str:
    """Return the byte order of a pcap file for ``struct``; "" where ``magic`` is not pcap's."""
    for order in "<>":
        if len(magic) == 4 and Struct(f"{order}I").unpack(magic)[0] in (MICROSECONDS, NANOSECONDS, PATCHED):
            return order
    return ""


class Header(NamedTuple):
    """What a file says of all its records."""

    order: str
    unit: int  # nanoseconds
    extra: int  # octets more in the header of a record
    link: int


def frames(octets: Stream, magic: bytes, order: str) -> Iterator[Frame]:
    """Yield the frames after ``magic``.  Raises Damaged where the file ends too early or makes no sense."""
    return records(octets, header(octets, magic, order))


def header(octets: Stream, magic: bytes, order: str) -> Header:
    """Read the header of a file behind ``magic``.  Raises Damaged where it is not whole."""
    rest = octets.take(HEADER - 4)
    if len(rest) < HEADER - 4:
        raise Damaged(f"the file header has {4 + len(rest)} octets of {HEADER}", 0)
    kind: int = Struct(f"{order}I").unpack(magic)[0]
    _, _, _, _, _, link = Struct(f"{order}HHiIII").unpack(rest)
    # Above its 26 bits stands how long the frame check sequence is.
    return Header(order, 1 if kind == NANOSECONDS else 1000, 8 if kind == PATCHED else 0, link & 0x03FF_FFFF)


def records(octets: Stream, header: Header, number: int = 0) -> Iterator[Frame]:
    """Yield the frames that come after ``number`` others.  Raises Damaged."""
    order, unit, extra, link = header
    record = Struct(f"{order}IIII")
    while True:
        start = octets.offset
        head = octets.take(RECORD + extra)
        if not head:
            return
        if len(head) < RECORD + extra:
            raise Damaged(f"a packet header has {len(head)} octets of {RECORD + extra}", start)
        seconds, fraction, size, length = record.unpack_from(head)
        if size > MOST:
            raise Damaged(f"a packet claims {size:,} octets", start)
        data = octets.take(size)
        number += 1
        when = seconds * 1_000_000_000 + fraction * unit
        yield Frame(number, when, link, data, max(length, len(data)), start + RECORD + extra)
        if len(data) < size:
            raise Damaged(f"the file ends in a packet, after {len(data)} of its {size} octets", start)
