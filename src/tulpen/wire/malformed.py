"""Why octets could not be read: the only exceptions that parsing raises."""

from __future__ import annotations

from enum import Enum


class Kind(Enum):
    """Which rule the octets break."""

    TRUNCATED = "truncated"
    VERSION = "version"
    HEADER_LENGTH = "header length"
    TOTAL_LENGTH = "total length"
    DATA_OFFSET = "data offset"
    CHECKSUM = "checksum"
    FRAGMENT = "fragment"
    EXTENSION_HEADER = "extension header"


class Malformed(Exception):
    """Octets that are no packet; ``what`` is a sentence, ``offset`` the octet it speaks of."""

    def __init__(self, kind: Kind, what: str, offset: int) -> None:
        super().__init__(f"{what} (at octet {offset})")
        self.kind = kind
        self.what = what
        self.offset = offset


class BadChecksum(Malformed):
    """The checksum of TCP or ICMP is wrong (RFC 9293 §3.1 MUST-3)."""

    def __init__(self, what: str, offset: int) -> None:
        super().__init__(Kind.CHECKSUM, what, offset)


class Fragment(Malformed):
    """A part of a packet that was cut on its way (RFC 791 §3.2, RFC 8200 §4.5)."""

    def __init__(self, what: str, offset: int) -> None:
        super().__init__(Kind.FRAGMENT, what, offset)
