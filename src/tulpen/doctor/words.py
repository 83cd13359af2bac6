"""How times, places and numbers are told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tulpen.wire.address import is_unspecified
from tulpen.wire.address import text as address_text

if TYPE_CHECKING:
    from tulpen.kernel.sock_diag import KernelSocket


def endpoint(address: bytes, port: int) -> str:
    """Return ``192.0.2.1:80``, ``[2001:db8::1]:80`` or, for any address, ``*:80``."""
    if not address or is_unspecified(address):
        return f"*:{port}"
    host = address_text(address)
    return f"[{host}]:{port}" if len(address) == 16 else f"{host}:{port}"


def local(sock: KernelSocket) -> str:
    """Return a socket's own end."""
    return endpoint(sock.name.local, sock.name.local_port)


def remote(sock: KernelSocket) -> str:
    """Return a socket's other end."""
    return endpoint(sock.name.remote, sock.name.remote_port)


def lasting(seconds: float) -> str:
    """Return a span of time: ``350 ms``, ``45 s``, ``4 min 10 s``, ``2 h 5 min``, ``3 d 1 h``."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 10:
        return f"{seconds:.1f} s".replace(".0 s", " s")
    whole = round(seconds)
    for unit, size, below, part in (("d", 86_400, "h", 3600), ("h", 3600, "min", 60), ("min", 60, "s", 1)):
        if whole >= size:
            rest = whole % size // part
            return f"{whole // size} {unit}" + (f" {rest} {below}" if rest else "")
    return f"{whole} s"


def count(number: int, noun: str, plural: str = "") -> str:
    """Return ``1 socket``, ``2,000 sockets``."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def share(part: float) -> str:
    """Return a part of one as a percentage."""
    return f"{part:.0%}" if part >= 0.1 else f"{part:.1%}"


def pace(per_second: float) -> str:
    """Return ``12 a second``, ``0.4 a second``."""
    return f"{per_second:,.0f} a second" if per_second >= 10 else f"{per_second:.1f} a second"
