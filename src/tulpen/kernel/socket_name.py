"""The name of a connection in an event of a tracepoint: four fields, or a sockaddr."""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from tulpen.tcp.trace import FourTuple

if TYPE_CHECKING:
    from tulpen.kernel.tcp_layout import NameFields

_AF_INET: Final = 2
_AF_INET6: Final = 10
_MAPPED: Final = bytes(10) + b"\xff\xff"  # RFC 4291 §2.5.5.2
_u16: Final = struct.Struct("=H").unpack_from


def read_name(octets: bytes | memoryview, at: int, fields: NameFields) -> FourTuple:
    """Return the name in an inet_sock_set_state; one of IPv4 on an IPv6 socket bears its IPv4 addresses."""
    family = _u16(octets, at + fields.family)[0]
    if family == _AF_INET and fields.saddr >= 0:
        size, source, destination = 4, at + fields.saddr, at + fields.daddr
    else:
        size, source, destination = 16, at + fields.saddr_v6, at + fields.daddr_v6
    return FourTuple(
        unmapped(bytes(octets[source : source + size])),
        _u16(octets, at + fields.sport)[0],
        unmapped(bytes(octets[destination : destination + size])),
        _u16(octets, at + fields.dport)[0],
    )


def read_sockaddr(octets: bytes | memoryview, at: int) -> tuple[bytes, int] | None:
    """Return the address and the port of a sockaddr_in or sockaddr_in6; None: it is neither."""
    family = _u16(octets, at)[0]
    port = int.from_bytes(octets[at + 2 : at + 4], "big")
    if family == _AF_INET:
        return bytes(octets[at + 4 : at + 8]), port
    if family == _AF_INET6:
        return unmapped(bytes(octets[at + 8 : at + 24])), port
    return None


@lru_cache(maxsize=4096)
def unmapped(address: bytes) -> bytes:
    """Return an IPv4 address for one that is mapped into IPv6, any other as it is."""
    return address[12:] if address.startswith(_MAPPED) else address
