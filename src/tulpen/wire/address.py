"""Internet addresses: 4 or 16 octets inside the engine, text at its edges (RFC 4291, RFC 5952)."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

UNSPECIFIED_4: Final = bytes(4)
UNSPECIFIED_6: Final = bytes(16)
LOOPBACK_6: Final = bytes(15) + b"\x01"
BROADCAST: Final = b"\xff\xff\xff\xff"


def address(given: str | bytes | IPv4Address | IPv6Address) -> bytes:
    """Return the octets of an address; ValueError if it is none."""
    if isinstance(given, bytes):
        if len(given) not in (4, 16):
            raise ValueError(f"an address has 4 or 16 octets, not {len(given)}")
        return given
    if isinstance(given, str):
        given = ip_address(given)
    return given.packed


def text(octets: bytes) -> str:
    """Return an address as people write it."""
    return str(ip_address(octets))


def is_unspecified(octets: bytes) -> bool:
    """Say whether it is 0.0.0.0 or ::."""
    return octets in (UNSPECIFIED_4, UNSPECIFIED_6)


def is_loopback(octets: bytes) -> bool:
    """Say whether it is in 127.0.0.0/8, or ::1."""
    return octets[0] == 127 if len(octets) == 4 else octets == LOOPBACK_6


def is_multicast(octets: bytes) -> bool:
    """Say whether it is in 224.0.0.0/4 or ff00::/8."""
    return octets[0] & 0xF0 == 0xE0 if len(octets) == 4 else octets[0] == 0xFF


def is_broadcast(octets: bytes) -> bool:
    """Say whether it is 255.255.255.255; the broadcast address of a subnet cannot be told from the octets."""
    return octets == BROADCAST
