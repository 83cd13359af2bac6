"""A real server behind the faults: what the victim says goes on to it, what it says comes back.

The victim's requests and the server's answers are told apart by turns: octets from the
victim after octets from the server begin a request, and a pause of the server's ends an
answer.
"""

from __future__ import annotations

import errno
import select
import socket
from typing import Final

ROOM: Final = 256 * 1024
PAUSE: Final = 100_000_000


class Relay:
    """The service of one connection: a real socket to the real server."""

    __slots__ = ("_connected", "_down", "_ended", "_eof", "_shut", "_socket", "_turn", "_up",
                 "answered", "asked", "broken", "error", "quiet")  # fmt: skip

    def __init__(self, host: str, port: int) -> None:
        self.asked = 0
        self.answered = 0
        self._ended = False  # the server will say nothing more
        self.broken = False
        self.error = 0
        self.quiet: int | None = None  # when the server's answer is taken to be complete
        self._up = bytearray()  # for the server
        self._down = bytearray()  # for the victim
        self._turn = True  # the next octets of the victim's begin a request
        self._eof = False  # the victim will say nothing more
        self._shut = False
        self._connected = False
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        self._socket: socket.socket | None = socket.socket(family, kind, protocol)
        self._socket.setblocking(False)
        number = self._socket.connect_ex(address)
        if number not in (0, errno.EINPROGRESS):
            self._break(number)

    @property
    def finished(self) -> bool:
        """The server has closed, and all that it said has been taken."""
        return self._ended and not self._down

    @property
    def room(self) -> int:
        """Octets that may be received now."""
        return 0 if self.broken else ROOM - len(self._up)

    def receive(self, data: bytes | memoryview) -> None:
        """Pass octets of the victim's on."""
        if self._turn:
            self._turn = False
            self.asked += 1
        self._up += data
        self._write()

    def eof(self) -> None:
        """The victim will say nothing more."""
        self._eof = True
        self._write()

    def take(self, limit: int) -> bytes:
        """Return octets of the server's."""
        data = bytes(self._down[:limit])
        del self._down[:limit]
        return data

    def closed(self) -> None:
        """The connection to the victim is gone; so goes that to the server."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def deadline(self) -> int | None:
        """Return when the server's pause is long enough."""
        return self.quiet

    def timeout(self, now: int) -> None:
        """The server has paused: its answer is complete."""
        self.quiet = None
        self.answered = self.asked

    # The real socket.

    def fileno(self) -> int:
        """Return the real socket's descriptor; -1: it is closed."""
        return -1 if self._socket is None else self._socket.fileno()

    def events(self) -> int:
        """Return what to poll for."""
        wanted = 0
        if len(self._down) < ROOM and not self._ended:
            wanted |= select.POLLIN
        if self._up or not self._connected or (self._eof and not self._shut):
            wanted |= select.POLLOUT
        return wanted

    def ready(self, now: int) -> None:
        """Read and write what can be."""
        if self._socket is None:
            return
        if not self._connected:
            number = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if number:
                self._break(number)
                return
            self._connected = True
        self._write()
        self._read(now)

    def _read(self, now: int) -> None:
        while self._socket is not None and not self._ended and len(self._down) < ROOM:
            try:
                data = self._socket.recv(65_536)
            except BlockingIOError:
                return
            except OSError as error:
                self._break(error.errno or errno.EIO)
                return
            if not data:
                self._ended = True
                self.answered = self.asked
                self.quiet = None
                return
            self._down += data
            self._turn = True
            self.quiet = now + PAUSE

    def _write(self) -> None:
        if self._socket is None or not self._connected:
            return
        try:
            while self._up:
                del self._up[: self._socket.send(self._up)]
            if self._eof and not self._shut:
                self._shut = True
                self._socket.shutdown(socket.SHUT_WR)
        except BlockingIOError:
            pass
        except OSError as error:
            self._break(error.errno or errno.EIO)

    def _break(self, number: int) -> None:
        self.broken = True
        self.error = number
        self.closed()
