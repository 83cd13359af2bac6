"""pcapng (draft-ietf-opsawg-pcapng): sections of either byte order, any number of interfaces."""

from __future__ import annotations

from struct import Struct, error, unpack_from
from typing import TYPE_CHECKING, Final, NamedTuple, final

from tulpen.capture.frame import MOST, Damaged, Frame

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tulpen.capture.octets import Stream

SECTION: Final = 0x0A0D0D0A
MAGIC: Final = SECTION.to_bytes(4, "big")  # the same in both byte orders

_ORDER: Final = 0x1A2B3C4D
INTERFACE: Final = 1
PACKET: Final = 2  # obsolete
SIMPLE: Final = 3
ENHANCED: Final = 6

_IF_TSRESOL: Final = 9
_IF_TSOFFSET: Final = 14
_EPB_FLAGS: Final = 2


class Interface(NamedTuple):
    """What a section says of one of its interfaces."""

    link: int
    snap: int  # octets captured of a frame at most; 0: all
    units: int  # of its clock in a second
    offset: int  # seconds to add


def frames(octets: Stream, magic: bytes) -> Iterator[Frame]:
    """Yield the frames after ``magic``.  Raises Damaged where the file ends too early or makes no sense."""
    return Blocks(octets).frames(magic)


@final
class Blocks:
    """Where a file stands: the byte order of its section, the section's interfaces, the frames so far."""

    __slots__ = ("_octets", "interfaces", "number", "order")

    def __init__(
        self, octets: Stream, *, order: str = "<", interfaces: tuple[Interface, ...] = (), number: int = 0
    ) -> None:
        self._octets = octets
        self.order = order
        self.interfaces = list(interfaces)
        self.number = number

    def frames(self, kind_octets: bytes, start: int = 0) -> Iterator[Frame]:
        """Yield the frames from the block on that begins, at ``start``, with ``kind_octets``.  Raises Damaged."""
        while kind_octets:
            frame, claimed = self.step(kind_octets, start)
            if frame is not None:
                yield frame
                if len(frame.data) < claimed:
                    raise Damaged("a packet is longer than its block", start)
            start = self._octets.offset
            kind_octets = self._octets.take(4)

    def step(self, kind_octets: bytes, start: int) -> tuple[Frame | None, int]:
        """Read a block; return its frame, if it has one, and how many octets that claims.  Raises Damaged."""
        if len(kind_octets) < 4:
            raise Damaged(f"a block's type has {len(kind_octets)} octets of 4", start)
        kind, body = self._block(kind_octets, start)
        try:
            return self._read(kind, body, start), self._claimed(kind, body)
        except error as short:
            raise Damaged(f"a block of type {kind} is too short", start) from short

    def _block(self, kind_octets: bytes, start: int) -> tuple[int, bytes]:
        head = self._octets.take(4)
        first = b""
        if kind_octets == MAGIC:
            first = self._octets.take(4)
            self._turn(first, start)
        if len(head) < 4:
            raise Damaged("the file ends in a block's header", start)
        kind: int = unpack_from(f"{self.order}I", kind_octets)[0]
        length: int = unpack_from(f"{self.order}I", head)[0]
        if length < 12 + len(first) or length % 4 or length > MOST:
            raise Damaged(f"a block of type {kind} claims {length:,} octets", start)
        body = first + self._octets.take(length - 12 - len(first))
        trailer = self._octets.take(4)
        if len(body) < length - 12 or len(trailer) < 4:
            if kind == ENHANCED and len(body) >= 20:
                return kind, body  # what there is of the packet is worth a look
            raise Damaged(f"the file ends in a block of type {kind}, {length:,} octets long", start)
        if trailer != head:
            raise Damaged(f"a block of type {kind} has two different lengths", start)
        return kind, body

    def _turn(self, magic: bytes, start: int) -> None:
        # A section header says in which byte order the section is written.
        for order in "<>":
            if len(magic) == 4 and unpack_from(f"{order}I", magic)[0] == _ORDER:
                self.order = order
                self.interfaces = []
                return
        raise Damaged("a section header without its byte-order magic", start)

    def _read(self, kind: int, body: bytes, start: int) -> Frame | None:
        if kind == INTERFACE:
            self.interfaces.append(self._interface(body))
            return None
        if kind == ENHANCED:
            which, high, low, size, length = unpack_from(f"{self.order}IIIII", body)
            direction = self._direction(body[20 + (size + 3 & ~3) :]) if len(body) > 20 + size else 0
            return self._frame(which, high << 32 | low, body[20 : 20 + size], length, start + 28, direction)
        if kind == PACKET:
            which, _, high, low, size, length = unpack_from(f"{self.order}HHIIII", body)
            return self._frame(which, high << 32 | low, body[20 : 20 + size], length, start + 28, 0)
        if kind == SIMPLE:
            length = unpack_from(f"{self.order}I", body)[0]
            size = length
            if self.interfaces and self.interfaces[0].snap:
                size = min(size, self.interfaces[0].snap)
            return self._frame(0, None, body[4 : 4 + size], length, start + 12, 0)
        return None

    def _claimed(self, kind: int, body: bytes) -> int:
        at = {ENHANCED: 12, PACKET: 12}.get(kind)
        return 0 if at is None else int(unpack_from(f"{self.order}I", body, at)[0])

    def _frame(self, which: int, ticks: int | None, data: bytes, length: int, offset: int, direction: int) -> Frame:
        if which >= len(self.interfaces):
            raise Damaged(f"a packet of interface {which}, and the section has {len(self.interfaces)}", offset)
        interface = self.interfaces[which]
        self.number += 1
        when = 0 if ticks is None else ticks * 1_000_000_000 // interface.units + interface.offset * 1_000_000_000
        return Frame(self.number, when, interface.link, data, max(length, len(data)), offset, direction, which)

    def _interface(self, body: bytes) -> Interface:
        link, _, snap = unpack_from(f"{self.order}HHI", body)
        units, offset = 1_000_000, 0
        for code, value in self._options(body[8:]):
            if code == _IF_TSRESOL and value:
                exponent = value[0] & 0x7F
                units = 1 << exponent if value[0] & 0x80 else 10 ** min(exponent, 40)
            elif code == _IF_TSOFFSET and len(value) == 8:
                offset = int(unpack_from(f"{self.order}q", value)[0])
        return Interface(link, snap, units, offset)

    def _direction(self, octets: bytes) -> int:
        for code, value in self._options(octets):
            if code == _EPB_FLAGS and len(value) == 4:
                return int(unpack_from(f"{self.order}I", value)[0]) & 3
        return 0

    def _options(self, octets: bytes) -> Iterator[tuple[int, bytes]]:
        head = Struct(f"{self.order}HH")
        at = 0
        while at + 4 <= len(octets):
            code, length = head.unpack_from(octets, at)
            if code == 0:
                return
            yield code, octets[at + 4 : at + 4 + length]
            at += 4 + (length + 3 & ~3)
