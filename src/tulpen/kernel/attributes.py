"""What sock_diag tells of a socket beside its fixed fields, each as a netlink attribute (linux/inet_diag.h).

An attribute that this kernel does not give is absent, and one of an unknown kind is let be.
"""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import Final, NamedTuple

_ATTRIBUTE: Final = struct.Struct("=HH")
_NUMBER: Final = struct.Struct("=I")
_KIND: Final = 0x3FFF  # without NLA_F_NESTED and NLA_F_NET_BYTEORDER


class Kind(IntEnum):
    """An attribute's number; those up to eight can be asked for."""

    INFO = 2
    CONGESTION = 4  # INET_DIAG_CONG
    TOS = 5
    TRAFFIC_CLASS = 6
    MEMORY = 7  # INET_DIAG_SKMEMINFO
    SHUTDOWN = 8
    V6ONLY = 11
    MARK = 15
    CONTROL_GROUP = 21

    @property
    def bit(self) -> int:
        """The bit that asks for it in a request."""
        return 1 << (self - 1)


class SocketMemory(NamedTuple):
    """The octets that a socket's buffers hold and may hold (``skmem`` of ss), and what it has dropped."""

    receive: int  # r: held by what has arrived
    receive_limit: int  # rb: SO_RCVBUF
    send: int  # t: held by what is on its way out
    send_limit: int  # tb: SO_SNDBUF
    forward: int  # f: reserved and not used yet
    queued: int  # w: held by what is to be sent
    options: int  # o
    backlog: int  # bl: arrived while the owner was busy
    drops: int  # d: of a listener the connections that it has lost


def attributes(octets: memoryview) -> dict[int, memoryview]:
    """Return the attributes by kind; what is torn off at the end is left out."""
    found: dict[int, memoryview] = {}
    while len(octets) >= _ATTRIBUTE.size:
        length, kind = _ATTRIBUTE.unpack_from(octets)
        if not _ATTRIBUTE.size <= length <= len(octets):
            break
        found[kind & _KIND] = octets[_ATTRIBUTE.size : length]
        octets = octets[(length + 3) & ~3 :]
    return found


def socket_memory(octets: memoryview | None) -> SocketMemory | None:
    """Return what INET_DIAG_SKMEMINFO says; numbers that an older kernel does not give are 0."""
    if octets is None:
        return None
    numbers = bytes(octets[:36]).ljust(36, b"\0")
    return SocketMemory(*struct.unpack("=9I", numbers))


def name(octets: memoryview | None) -> str:
    """Return a name that ends with NUL; empty where there is none."""
    return "" if octets is None else bytes(octets).partition(b"\0")[0].decode("ascii", "replace")


def number(octets: memoryview | None) -> int | None:
    """Return a number of four octets, or of one."""
    if octets is None or not octets:
        return None
    return int(_NUMBER.unpack_from(octets)[0]) if len(octets) >= _NUMBER.size else octets[0]
