"""Messages with descriptors over a Unix stream socket (unix(7), SCM_RIGHTS).

A message is any value that ``marshal`` can write: both ends are the same interpreter.
"""

from __future__ import annotations

import array
import marshal
import os
import socket
import struct
from collections.abc import Sequence
from typing import Any, Final

STATUS: Final = struct.Struct("=i")  # a command's end, told through a pipe: its exit status, or minus the signal

_LENGTH: Final = struct.Struct("=I")
_MOST_FDS: Final = 8


def send(sock: socket.socket, value: Any, fds: Sequence[int] = ()) -> None:
    """Send one message; the descriptors arrive as copies."""
    body = marshal.dumps(value)
    _announce(sock, body, fds)
    sock.sendall(body)


def give(sock: socket.socket, value: Any, fds: Sequence[int]) -> None:
    """Send one message; whoever has it is the only holder of its descriptors, which are closed here."""
    body = marshal.dumps(value)
    try:
        _announce(sock, body, fds)
    finally:
        for fd in fds:
            os.close(fd)
    sock.sendall(body)


def _announce(sock: socket.socket, body: bytes, fds: Sequence[int]) -> None:
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
    sock.sendmsg([_LENGTH.pack(len(body))], rights)


def receive(sock: socket.socket) -> tuple[Any, list[int]]:
    """Wait for one message.  Raises EOFError when the other end is gone."""
    fds = array.array("i")
    room = socket.CMSG_SPACE(_MOST_FDS * fds.itemsize)
    head, rights, _, _ = sock.recvmsg(_LENGTH.size, room, socket.MSG_CMSG_CLOEXEC)
    for _, kind, data in rights:
        if kind == socket.SCM_RIGHTS:
            fds.frombytes(data[: len(data) - len(data) % fds.itemsize])
    length = _LENGTH.unpack(head + _exactly(sock, _LENGTH.size - len(head)))[0]
    return marshal.loads(_exactly(sock, length)), list(fds)


def _exactly(sock: socket.socket, count: int) -> bytes:
    parts = []
    while count:
        part = sock.recv(min(count, 1 << 16))
        if not part:
            raise EOFError
        parts.append(part)
        count -= len(part)
    return b"".join(parts)
