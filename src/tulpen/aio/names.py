"""Addresses as asyncio's callers write and read them.

A tulpen host has no resolver, so a host is an IP literal; what comes back to the
caller has the shapes of the socket module: ``(host, port)`` and for IPv6
``(host, port, flowinfo, scope_id)``.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from tulpen.wire.address import address, text

if TYPE_CHECKING:
    from tulpen.tcp.trace import FourTuple

SockName = tuple[str, int] | tuple[str, int, int, int]


def literal(host: str | bytes, family: int = socket.AF_UNSPEC) -> bytes:
    """Return the octets of an IP literal; socket.gaierror where it is a name or of the other family."""
    words = host.decode("ascii", "replace") if isinstance(host, bytes) else host
    try:
        octets = address(words.partition("%")[0])
    except ValueError:
        raise socket.gaierror(
            socket.EAI_NONAME, f"a tulpen host resolves no names: give an IP address, not {words!r}"
        ) from None
    if family not in (socket.AF_UNSPEC, family_of(octets)):
        raise socket.gaierror(socket.EAI_FAMILY, f"{words} is not an address of {socket.AddressFamily(family).name}")
    return octets


def port_number(port: int | str | None) -> int:
    """Return a port given as a number or in digits; service names are not known."""
    if port is None or port == "":
        return 0
    try:
        number = int(port)
    except ValueError:
        raise socket.gaierror(socket.EAI_SERVICE, f"a port is a number, not {port!r}") from None
    if not 0 <= number <= 0xFFFF:
        raise OverflowError(f"a port is 0 to 65535, not {number}")
    return number


def family_of(octets: bytes) -> socket.AddressFamily:
    """Return AF_INET or AF_INET6."""
    return socket.AF_INET if len(octets) == 4 else socket.AF_INET6


def sock_name(octets: bytes, port: int) -> SockName:
    """Return an address and port as ``socket.getsockname`` gives them."""
    if len(octets) == 4:
        return (text(octets), port)
    return (text(octets), port, 0, 0)


def local_name(name: FourTuple) -> SockName:
    """Return the connection's own end."""
    return sock_name(name.local, name.local_port)


def peer_name(name: FourTuple) -> SockName:
    """Return the connection's other end."""
    return sock_name(name.remote, name.remote_port)
