"""A frame of a capture, and what a file says that is no capture, or is damaged."""

from __future__ import annotations

from typing import Final, NamedTuple

INBOUND: Final = 1
OUTBOUND: Final = 2

MOST: Final = 16 << 20  # octets of a frame or block; whoever claims more is damaged


class Frame(NamedTuple):
    """One frame as it stands in the file."""

    number: int  # 1 is the first, as tshark counts
    when: int  # nanoseconds since 1970
    link: int  # its link type (LINKTYPE_ETHERNET is 1)
    data: bytes  # what was captured
    length: int  # octets that it had on the wire
    offset: int  # where its octets begin in the file, decompressed
    direction: int = 0  # INBOUND or OUTBOUND where the capture says so
    interface: int = 0


class Damaged(Exception):
    """The octets from ``offset`` on are no capture; everything before them could be read."""

    def __init__(self, what: str, offset: int) -> None:
        super().__init__(f"{what}, at byte {offset:,}")
        self.what = what
        self.offset = offset
