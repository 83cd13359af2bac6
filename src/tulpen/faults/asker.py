"""A healthy client without I/O: asks again and again, and notes how each question went.

It is the measure by which a server under bad clients is judged, and the victim where
faults are tried in virtual time.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING

from tulpen.faults.http_answer import HttpAnswer
from tulpen.host.socket import Socket
from tulpen.tcp.errors import TcpError
from tulpen.tcp.signals import Signal

if TYPE_CHECKING:
    from tulpen.host.host import Host
    from tulpen.host.listener import Listener
    from tulpen.tcp.config import SocketOptions

READ = 65_536


@dataclass(slots=True)
class Asked:
    """One question: when it was begun and how it ended."""

    began: int
    first: int | None = None  # when the first octet of the answer came
    ended: int | None = None  # None: it was still open when its time was up, or the run ended
    whole: bool = False  # the answer is complete
    error: int = 0  # errno
    octets: int = 0
    digest: str = ""
    pieces: list[int] = field(default_factory=list)  # octets of each read

    @property
    def gave_up(self) -> bool:
        """Whether there was no end to it in time."""
        return self.ended is None

    @property
    def latency(self) -> int:
        """Nanoseconds until the answer was there."""
        return (self.began if self.ended is None else self.ended) - self.began


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked; the answer is HTTP's, or, where ``http`` is False, whatever comes first."""

    octets: bytes
    http: bool = True


class Asker:
    """Asks ``times`` times (0: without end), a new connection each unless ``pooled``."""

    def __init__(
        self,
        remote: bytes,
        port: int,
        question: Question,
        *,
        times: int = 1,
        pause: int = 0,
        patience: int | None = None,
        pooled: bool = False,
        options: SocketOptions | None = None,
        local: bytes | None = None,
    ) -> None:
        self.remote = remote
        self.port = port
        self.question = question
        self.times = times
        self.pause = pause  # between the end of one question and the next
        self.patience = patience  # for one question; None: for ever
        self.pooled = pooled
        self.options = options
        self.local = local
        self.asked: list[Asked] = []
        self.finished = False
        self._host: Host | None = None
        self._socket: Socket | None = None
        self._unsent = b""
        self._answer: HttpAnswer | None = None
        self._digest = sha256()
        self._next: int | None = None

    def start(self, host: Host, now: int) -> None:
        """Ask the first question."""
        self._host = host
        self._ask(now)

    def stop(self, now: int) -> None:
        """Ask no more; a question that is still open is struck out."""
        self.finished = True
        self._next = None
        if self._answer is not None:
            self.asked.pop()
            self._answer = None
        self._drop(now)

    def on(self, handle: Socket | Listener, signal: Signal, host: Host, now: int) -> None:
        """Go on with the question."""
        if handle is not self._socket:
            return
        if signal in (Signal.CONNECTED, Signal.WRITABLE):
            self._send(now)
        elif signal in (Signal.READABLE, Signal.EOF):
            self._read(now)
        elif signal is Signal.CLOSED:
            self._read(now)
            if self._socket is handle:
                self._socket = None
                self._end(now, error=handle.error)

    def deadline(self) -> int | None:
        """Return when to ask next, or when patience is over."""
        if self._next is not None:
            return self._next
        if self._open and self.patience is not None:
            return self.asked[-1].began + self.patience
        return None

    def timeout(self, now: int) -> None:
        """Ask the next question, or give this one up."""
        if self._next is not None:
            if now >= self._next:
                self._ask(now)
        elif self._open and self.patience is not None and now >= self.asked[-1].began + self.patience:
            self._drop(now)
            self._plan(now)

    @property
    def _open(self) -> bool:
        return self._answer is not None

    def _ask(self, now: int) -> None:
        assert self._host is not None
        self._next = None
        self._answer = HttpAnswer()
        self._digest = sha256()
        self._unsent = self.question.octets
        self.asked.append(Asked(now))
        if self._socket is not None:
            self._send(now)
            return
        try:
            self._socket = self._host.connect(
                self.remote, self.port, now, local=self.local, options=self.options and self.options.clone()
            )
        except TcpError as error:
            self._end(now, error=error.errno)

    def _send(self, now: int) -> None:
        if self._socket is None or not self._unsent:
            return
        with suppress(TcpError):  # CLOSED says why
            self._unsent = self._unsent[self._socket.send(self._unsent, now) :]

    def _read(self, now: int) -> None:
        socket = self._socket
        while socket is not None and socket is self._socket and socket.readable:
            self._take(socket.receive(READ, now), now)
        if socket is not None and socket is self._socket and socket.eof:
            self._socket = None
            socket.close(now)
            if self._answer is not None:
                self._answer.eof()
                self._end(now, whole=self._is_whole())

    def _take(self, data: bytes | memoryview, now: int) -> None:
        if self._answer is None:
            return  # said without being asked
        asked = self.asked[-1]
        if asked.first is None:
            asked.first = now
        asked.octets += len(data)
        asked.pieces.append(len(data))
        self._digest.update(data)
        self._answer.feed(bytes(data))
        if self._answer.complete or not self.question.http:
            self._end(now, whole=True)
            if not self.pooled:
                self._close(now)

    def _is_whole(self) -> bool:
        assert self._answer is not None
        return self._answer.complete if self.question.http else self.asked[-1].octets > 0

    def _end(self, now: int, *, whole: bool = False, error: int = 0) -> None:
        if self._answer is None:
            return
        asked = self.asked[-1]
        asked.ended, asked.whole, asked.error = now, whole, error
        asked.digest = self._answer.digest if self.question.http else self._digest.hexdigest()
        self._answer = None
        self._plan(now)

    def _plan(self, now: int) -> None:
        if self.finished or (self.times and len(self.asked) >= self.times):
            self.finished = True
        else:
            self._next = now + self.pause

    def _drop(self, now: int) -> None:
        """Give up: reset, so that nothing of it stays behind."""
        if self._answer is not None:
            self.asked[-1].digest = self._answer.digest
        self._answer = None
        if self._socket is not None:
            self._socket.abort(now)
            self._socket = None

    def _close(self, now: int) -> None:
        if self._socket is not None:
            socket, self._socket = self._socket, None
            socket.close(now)
