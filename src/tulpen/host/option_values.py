"""What the number of a socket option may be, and what becomes of it: as in Linux (tcp(7))."""

from __future__ import annotations

from errno import EINVAL
from typing import Final

from tulpen.tcp.errors import TcpError

_RANGES: Final[dict[str, tuple[int, int]]] = {
    "ip_mtu_discover": (0, 5),
    "tcp_maxseg": (88, 32_767),
    "tcp_syncnt": (1, 127),
    "tcp_keepidle": (1, 32_767),
    "tcp_keepintvl": (1, 32_767),
    "tcp_keepcnt": (1, 127),
}
_MOST_LINGER: Final = 120  # seconds


def taken(field: str, number: int) -> int | None:
    """Return what a field of ``SocketOptions`` becomes, None for what the host says; EINVAL where it may not be."""
    if field in ("tcp_maxseg", "tcp_linger2") and not number:
        return None
    if field == "tcp_linger2":
        return min(max(number, -1), _MOST_LINGER)
    if field == "tcp_notsent_lowat":
        return number & 0xFFFF_FFFF
    least, most = _RANGES.get(field, (number, number))
    if not least <= number <= most:
        raise TcpError(EINVAL, f"{field} is from {least} to {most}")
    return number
