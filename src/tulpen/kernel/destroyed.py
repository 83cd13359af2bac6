"""Each TCP socket's last numbers: the kernel tells whoever listens when it destroys one (sock_diag(7)).

These multicast groups are open to every user; they tell of the network namespace that the
netlink socket was made in.
"""

from __future__ import annotations

import contextlib
import os
import re
import socket
import struct
from pathlib import Path
from typing import Final, NamedTuple, final

from tulpen.kernel.sock_diag import NETLINK_SOCK_DIAG, TcpInfo, read_tcp_info
from tulpen.kernel.socket_name import unmapped
from tulpen.tcp.trace import FourTuple

_SOL_NETLINK: Final = 270
_ADD_MEMBERSHIP: Final = 1
_GROUPS: Final = (1, 3)  # SKNLGRP_INET_TCP_DESTROY, SKNLGRP_INET6_TCP_DESTROY
_RCVBUFFORCE: Final = 33
_BUFFER: Final = 64 << 20  # a message of 380 octets costs 1,280
_COOKIE: Final = struct.Struct("=60xQ")  # nlmsghdr, then inet_diag_msg up to the cookie
_LARGEST: Final = 8192
_NAME: Final = struct.Struct("=16xB3x2s2s16s16s")  # family; ports, addresses
_ATTRIBUTES: Final = 88  # where they begin
_ATTRIBUTE: Final = struct.Struct("=HH")
_INFO: Final = 2  # INET_DIAG_INFO
_AF_INET: Final = 2


class Last(NamedTuple):
    """What a destroyed socket was.

    One that was reset by its own end has forgotten its remote end, and its numbers are 0.
    """

    name: FourTuple
    info: TcpInfo | None


def read_octets(message: bytes) -> tuple[int, int] | None:
    """Return the octets that were sent, without repetitions, and received, with the FIN; None: it has forgotten them.

    The information is looked for where it stood the last time: it is asked for very often.
    """
    global _info_at  # noqa: PLW0603 (where it stands is the kernel's habit, not anybody's state)
    at = _info_at
    if len(message) < at + 220 or _ATTRIBUTE.unpack_from(message, at)[1] != _INFO:
        at = _find_info(message)
        if len(message) < at + 220:
            return None
        _info_at = at
    received, segments, sent, repeated = _OCTETS.unpack_from(message, at + 4)
    return (sent - repeated, received) if segments else None


_OCTETS: Final = struct.Struct("=128xQ4xI56xQQ")  # tcp_info: bytes_received, segs_in, bytes_sent, bytes_retrans
_info_at = _ATTRIBUTES


def _find_info(message: bytes) -> int:
    at = _ATTRIBUTES
    while at + 4 <= len(message):
        length, kind = _ATTRIBUTE.unpack_from(message, at)
        if kind == _INFO:
            return at
        at += max((length + 3) & ~3, 4)
    return len(message)


def read_last(message: bytes) -> Last | None:
    """Return what a message says; None: it is none."""
    if len(message) < _ATTRIBUTES:
        return None
    family, sport, dport, source, destination = _NAME.unpack_from(message)
    if family == _AF_INET:
        source, destination = source[:4], destination[:4]
    name = FourTuple(
        unmapped(source), int.from_bytes(sport, "big"), unmapped(destination), int.from_bytes(dport, "big")
    )
    at = _find_info(message)
    if at >= len(message):
        return Last(name, None)
    return Last(name, read_tcp_info(message[at + 4 : at + _ATTRIBUTE.unpack_from(message, at)[0]]))


@final
class Destroyed:
    """Listens from when it is constructed, in one network namespace; for one thread."""

    __slots__ = ("_overrun", "_socket")

    def __init__(self, sock: socket.socket | None = None) -> None:
        self._overrun = False
        if sock is None:
            sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG)
        self._socket = sock
        try:
            for option in (_RCVBUFFORCE, socket.SO_RCVBUF):
                with contextlib.suppress(PermissionError):
                    sock.setsockopt(socket.SOL_SOCKET, option, _BUFFER)
                    break
            sock.bind((0, 0))
            for group in _GROUPS:
                sock.setsockopt(_SOL_NETLINK, _ADD_MEMBERSHIP, group)
            sock.setblocking(False)
        except BaseException:
            sock.close()
            raise

    def fileno(self) -> int:
        """The descriptor that is ready to read when something was destroyed."""
        return self._socket.fileno()

    def read(self, into: dict[int, bytes], most: int = 100_000) -> int:
        """Put every message that has come under its socket's cookie; return how many, at most ``most``.

        ``read_last`` reads a message.
        """
        receive, number = self._socket.recv, 0
        while number < most:
            try:
                message = receive(_LARGEST)
            except BlockingIOError:
                break
            except OSError:  # ENOBUFS: it says once that messages were dropped
                self._overrun = True
                continue
            if len(message) >= _COOKIE.size:
                into[_COOKIE.unpack_from(message)[0]] = message
                number += 1
        return number

    def lost(self) -> int:
        """Return how many messages the kernel had no room for."""
        if not self._overrun:
            return 0
        inode = os.fstat(self._socket.fileno()).st_ino
        with contextlib.suppress(OSError):
            # The last columns: Drops, Inode.  Only our own namespace's sockets are listed.
            found = re.search(rf"\s(\d+)\s+{inode}\s*$", Path("/proc/net/netlink").read_text(), re.MULTILINE)
            if found is not None:
                return int(found[1])
        return 1

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()
