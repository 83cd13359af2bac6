"""The frames of a file, whatever its form."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tulpen.capture import pcap, pcapng
from tulpen.errors import TulpenError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tulpen.capture.frame import Frame
    from tulpen.capture.octets import Octets


def frames(octets: Octets) -> Iterator[Frame]:
    """Return the frames of a capture.

    Raises TulpenError at once where the octets are neither pcap nor pcapng, and Damaged after the last frame that
    could be read.
    """
    magic = octets.take(4)
    if magic == pcapng.MAGIC:
        return pcapng.frames(octets, magic)
    order = pcap.order_of(magic)
    if order:
        return pcap.frames(octets, magic, order)
    raise refused(octets.name, magic)


def refused(name: str, magic: bytes) -> TulpenError:
    """Return the error for octets that begin with ``magic``, which is no capture's."""
    if not magic:
        return TulpenError(f"{name} is empty: not even a capture's header is there")
    return TulpenError(
        f"{name} is neither pcap nor pcapng: it begins with {magic.hex(' ')}, at byte 0",
        "editcap -F pcapng FILE new.pcapng turns most other formats into one of them",
    )
