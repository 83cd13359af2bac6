"""A link that writes down what passes, as pcapng (draft-ietf-opsawg-pcapng).

Packets are raw IP with nanosecond timestamps, the direction as the host of the link
sees it, and comments.  Every packet is one write(2), so that a kill loses nothing.
"""

from __future__ import annotations

import os
import struct
import time
from collections.abc import Callable
from typing import Final, final

from tulpen.link.link import Arrival, Link
from tulpen.wire.ip import Offload

INBOUND: Final = 1
OUTBOUND: Final = 2

_SECTION: Final = 0x0A0D0D0A
_INTERFACE: Final = 1
_ENHANCED_PACKET: Final = 6
_BYTE_ORDER: Final = 0x1A2B3C4D
_LINKTYPE_RAW: Final = 101
# options
_COMMENT: Final = 1
_IF_NAME: Final = 2
_EPB_FLAGS: Final = 2
_USERAPPL: Final = 4
_IF_TSRESOL: Final = 9
# epb_flags
_CHECKSUM_NOT_READY: Final = 0x200
_SEGMENTATION_OFFLOAD: Final = 0x800

_OPTION: Final = struct.Struct("=HH")
_BLOCK: Final = struct.Struct("=II")
_PACKET: Final = struct.Struct("=IIIII")  # interface, time high, time low, captured, original


@final
class PcapngWriter:
    """Writes one section with one interface to a file of its own."""

    __slots__ = ("_fd",)

    def __init__(self, path: str | os.PathLike[str], *, name: str = "tulpen", comment: str = "") -> None:
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o644)
        section = _options((_USERAPPL, b"tulpen"), *_comments((comment,) if comment else ()))
        self._write(_block(_SECTION, struct.pack("=IHHq", _BYTE_ORDER, 1, 0, -1), section))
        interface = _options((_IF_NAME, name.encode()), (_IF_TSRESOL, b"\x09"))
        self._write(_block(_INTERFACE, struct.pack("=HHI", _LINKTYPE_RAW, 0, 0), interface))

    def packet(
        self,
        buffer: bytes | memoryview,
        when: int,
        direction: int = 0,
        *,
        comments: tuple[str, ...] = (),
        offload: Offload | None = None,
    ) -> None:
        """Write one packet; ``when`` is in nanoseconds since 1970."""
        flags = direction
        if offload is not None:
            flags |= _CHECKSUM_NOT_READY if offload.needs_checksum else 0
            flags |= _SEGMENTATION_OFFLOAD if offload.gso_size else 0
        size = len(buffer)
        head = _PACKET.pack(0, when >> 32, when & 0xFFFF_FFFF, size, size)
        options = _options((_EPB_FLAGS, struct.pack("=I", flags)), *_comments(comments))
        self._write(_block(_ENHANCED_PACKET, head, buffer, bytes(-size % 4), options))

    def close(self) -> None:
        """Close the file; closing twice does no harm."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _write(self, parts: tuple[bytes | memoryview, ...]) -> None:
        expected = sum(len(part) for part in parts)
        written = os.writev(self._fd, parts)
        if written != expected:  # a full disk takes a part, then says so
            os.write(self._fd, b"".join(parts)[written:])


def _block(kind: int, *parts: bytes | memoryview) -> tuple[bytes | memoryview, ...]:
    length = 12 + sum(len(part) for part in parts)
    return (_BLOCK.pack(kind, length), *parts, length.to_bytes(4, "little" if _LITTLE else "big"))


_LITTLE: Final = struct.pack("=H", 1) == b"\x01\x00"


def _options(*options: tuple[int, bytes]) -> bytes:
    parts = [_OPTION.pack(code, len(value)) + value + bytes(-len(value) % 4) for code, value in options]
    return b"".join(parts) + bytes(4)


def _comments(comments: tuple[str, ...]) -> list[tuple[int, bytes]]:
    return [(_COMMENT, comment.encode()[:65_535]) for comment in comments]


@final
class Tee:
    """Passes everything on to ``link`` and writes it down on the way."""

    __slots__ = ("_clock", "_link", "_remarks", "_writer")

    def __init__(self, link: Link, writer: PcapngWriter, *, clock: Callable[[], int] = time.time_ns) -> None:
        self._link = link
        self._writer = writer
        self._clock = clock
        self._remarks: list[str] = []

    @property
    def mtu(self) -> int:
        """The link's MTU."""
        return self._link.mtu

    @property
    def offload(self) -> bool:
        """Whether the link leaves work to its device."""
        return self._link.offload

    def comment(self, text: str) -> None:
        """Put ``text`` beside the next packet that passes."""
        self._remarks.append(text)

    def read(self) -> list[Arrival]:
        """Read from the link."""
        arrivals = self._link.read()
        if arrivals:
            now = self._clock()
            for buffer, offload in arrivals:
                self._writer.packet(buffer, now, INBOUND, comments=self._spent(), offload=offload)
        return arrivals

    def write(self, buffer: bytes | memoryview, offload: Offload | None = None, text: bytes | memoryview = b"") -> None:
        """Write to the link."""
        whole = b"".join((buffer, text)) if text else buffer
        self._writer.packet(whole, self._clock(), OUTBOUND, comments=self._spent(), offload=offload)
        self._link.write(buffer, offload, text)

    def fileno(self) -> int:
        """Return the link's descriptor."""
        return self._link.fileno()

    def close(self) -> None:
        """Close the file and the link."""
        self._writer.close()
        self._link.close()

    def _spent(self) -> tuple[str, ...]:
        if not self._remarks:
            return ()
        remarks = tuple(self._remarks)
        self._remarks.clear()
        return remarks
