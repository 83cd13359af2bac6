"""What every link is: a way for whole IP packets to come and go, without waiting."""

from __future__ import annotations

from typing import Protocol

from tulpen.wire.ip import Offload

Arrival = tuple[bytes | memoryview, Offload | None]  # the octets stay as they are for as long as anybody holds them

BATCH = 64  # the most packets one read() gives, so that a flood starves nobody


class Link(Protocol):
    """Carries IP packets.  What it cannot carry at this moment is lost, as on any network."""

    @property
    def mtu(self) -> int:
        """The largest packet in octets, not counting segments left to the device to cut."""

    @property
    def offload(self) -> bool:
        """Whether large segments and unfinished checksums may be written, and are read."""

    def read(self) -> list[Arrival]:
        """Return the packets that are there now (64 at most); none is the empty list."""

    def write(self, buffer: bytes | memoryview, offload: Offload | None = None, text: bytes | memoryview = b"") -> None:
        """Send one packet; ``offload`` says what is left to the device, ``text`` follows ``buffer`` in it."""

    def fileno(self) -> int:
        """Return a descriptor that is readable when ``read`` has something to give."""

    def close(self) -> None:
        """Let go of the device; closing twice does no harm."""
