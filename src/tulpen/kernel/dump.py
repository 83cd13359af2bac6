"""Asks the kernel for all TCP sockets of a network namespace (sock_diag(7), linux/inet_diag.h).

The older of the two requests asks for both families in one walk through the kernel's
table; where a kernel does not know it, each family is asked for by itself.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator
from errno import EINVAL, ENOENT, EOPNOTSUPP
from typing import Final, final

from tulpen.errors import TulpenError
from tulpen.kernel.sock_diag import NETLINK_SOCK_DIAG
from tulpen.kernel.table import Table

# By the number in net/tcp_states.h.  Sockets that are bound and no more (13) stand in a table of the kernel's own,
# and to walk through that takes as long as through the connections.
EVERY_STATE: Final = 0x1FFF
BOUND: Final = 1 << 13
LISTENERS: Final = 1 << 10
BOTH: Final = 0  # families

_BOTH_FAMILIES: Final = 18  # TCPDIAG_GETSOCK
_BY_FAMILY: Final = 20  # SOCK_DIAG_BY_FAMILY
_REQUEST_BOTH: Final = struct.Struct("=3xB48xI4x")  # inet_diag_req: extensions, sockid, states
_REQUEST_ONE: Final = struct.Struct("=BBBxI48x")  # inet_diag_req_v2: family, protocol, extensions, states, sockid
_HEADER: Final = struct.Struct("=IHHII")  # nlmsghdr
_ERRNO: Final = struct.Struct("=i")
_DUMP: Final = 0x301  # NLM_F_REQUEST | NLM_F_DUMP
_ERROR, _DONE = 2, 3  # NLMSG_ERROR, NLMSG_DONE
_LAST: Final = _HEADER.size + _ERRNO.size  # octets of the message that ends a dump
_TCP: Final = 6

_AT_ONCE: Final = 1 << 16  # octets, twice what the kernel puts into one datagram of a dump
_BLOCK: Final = 1 << 20


@final
class Dump:
    """Reads whole tables through a socket of NETLINK_SOCK_DIAG, in the namespace that this was opened in."""

    __slots__ = ("_block", "_by_family", "_socket")

    def __init__(self, sock: socket.socket | None = None, block: memoryview | None = None) -> None:
        """Take a socket, or open one here; readers that are used one after another can share a ``block``."""
        if sock is None:
            sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG)
        self._socket = sock
        self._block = fresh_block() if block is None else block
        self._by_family = False

    def take(self, states: int = EVERY_STATE, extensions: int = 0, family: int = BOTH) -> Table:
        """Return the sockets in ``states`` (a bit each), with the attributes that the bits of ``extensions`` ask for.

        Raises TulpenError where the kernel has no tcp_diag.
        """
        sequence = int.from_bytes(os.urandom(4), "little") | 1
        if family == BOTH and not self._by_family:
            try:
                return self._ask(
                    [(_BOTH_FAMILIES, _REQUEST_BOTH.pack(extensions, states))], sequence, whole=extensions > 0
                )
            except OSError as error:
                if error.errno not in (EINVAL, ENOENT, EOPNOTSUPP):
                    raise
                self._by_family = True
        families = (socket.AF_INET, socket.AF_INET6) if family == BOTH else (family,)
        requests = [(_BY_FAMILY, _REQUEST_ONE.pack(each, _TCP, extensions, states)) for each in families]
        try:
            return self._ask(requests, sequence, whole=extensions > 0)
        except OSError as error:
            if error.errno != ENOENT:
                raise
            raise TulpenError("this kernel has no tcp_diag, or may not load it", "sudo modprobe tcp_diag") from None

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def _ask(self, requests: list[tuple[int, bytes]], sequence: int, *, whole: bool) -> Table:
        """Return what all requests bring; ``whole``: with the attributes."""
        filled: list[bytes] = []
        tables: list[Table] = []
        for request in requests:
            for octets in self._blocks(*request, sequence):
                if whole:
                    filled.append(bytes(octets))
                else:
                    tables.append(Table(octets))
        return Table(b"".join(filled)) if whole else Table.of(tables)

    def _blocks(self, kind: int, body: bytes, sequence: int) -> Iterator[memoryview]:
        """Send a request; yield the answers, in the block that the next ones overwrite."""
        self._socket.send(_HEADER.pack(_HEADER.size + len(body), kind, _DUMP, sequence, 0) + body)
        block, used, ended = self._block, 0, False
        while not ended:
            if len(block) - used < _AT_ONCE:
                yield block[:used]
                used = 0
            space = block[used : used + _AT_ONCE]
            length = self._socket.recv_into(space, 0, socket.MSG_TRUNC)
            if length > len(space):
                raise OSError("sock_diag gave more at once than ever before")
            length, ended = _without_end(space[:length], sequence)
            used += length
        yield block[:used]


def fresh_block() -> memoryview:
    """Return memory to read into: it is used again and again, since fresh memory costs more than reading."""
    return memoryview(bytearray(_BLOCK))


def _without_end(datagram: memoryview, sequence: int) -> tuple[int, bool]:
    """Return how many octets stand before the message that ends the dump, and whether it is there."""
    if len(datagram) >= _LAST:
        _, kind, _, number, _ = _HEADER.unpack_from(datagram)
        if kind == _ERROR and number == sequence:
            _check(datagram[_HEADER.size :])
        for at in (0, len(datagram) - _LAST):  # alone, or after the last sockets
            length, kind, _, number, _ = _HEADER.unpack_from(datagram, at)
            if kind == _DONE and number == sequence and length <= len(datagram) - at:
                _check(datagram[at + _HEADER.size :])
                return at, True
    if not datagram:
        raise OSError("sock_diag ended before the dump did")
    return len(datagram), False


def _check(octets: memoryview) -> None:
    (number,) = _ERRNO.unpack_from(octets)
    if number < 0:
        raise OSError(-number, os.strerror(-number))
