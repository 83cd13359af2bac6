"""One thread of the program: the questions it asks, and the call it waits in."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Final, final

from tulpen.drill.genuine.protocol import Answer, Question, take_question

if TYPE_CHECKING:
    from tulpen.drill.genuine.calls import Begun

_PIECE: Final = 1 << 16


@final
class Channel:
    """A connection from ``shim.c``.  A thread asks one thing at a time."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(True)
        self.sock = sock
        self.main = False  # it is the thread that runs the script
        self.ended = False
        self.begun: Begun | None = None  # a call that waits
        self.busy = False  # its call has returned, and it has not yet come to rest
        self.running = False  # it is at work just now, and not to be asked again
        self.deadline: int | None = None
        self._octets = bytearray()

    def fileno(self) -> int:
        """The descriptor of the socket."""
        return self.sock.fileno()

    def read(self) -> None:
        """Take what has come; only called where something has."""
        try:
            piece = self.sock.recv(_PIECE)
        except ConnectionError:
            piece = b""
        self._octets += piece
        self.ended = not piece

    def question(self) -> Question | None:
        """Take the next question, if one is there."""
        return take_question(self._octets)

    def answer(self, answer: Answer) -> None:
        """Answer the question; nobody may be there any more."""
        try:
            self.sock.sendall(answer.encode())
        except ConnectionError:
            self.ended = True

    def close(self) -> None:
        """Hang up."""
        self.sock.close()
