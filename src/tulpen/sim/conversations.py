"""Small programs for one connection: a sink, a source, an echo, requests and responses.

They count and hash what passes, so that both ends can be compared.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final

from tulpen.host.socket import Socket
from tulpen.sim.application import Conversation
from tulpen.sim.chance import Chance
from tulpen.tcp.errors import TcpError
from tulpen.tcp.signals import Signal
from tulpen.tcp.state import MAY_SEND

CHUNK: Final = 65_536


class Tally:
    """How many octets passed, and their hash."""

    __slots__ = ("_hash", "octets")

    def __init__(self) -> None:
        self.octets = 0
        self._hash = sha256()

    def add(self, data: bytes | memoryview) -> None:
        """Count ``data``."""
        self.octets += len(data)
        self._hash.update(data)

    @property
    def digest(self) -> str:
        """The SHA-256 of everything so far."""
        return self._hash.hexdigest()


class Reader(Conversation):
    """What conversations that read have in common: everything received goes through ``took``."""

    def __init__(self) -> None:
        self.received = Tally()
        self.ended = False  # their FIN came and all before it was read
        self.closed = False  # the connection is over, or we have let go of it
        self.error = 0  # errno, once over

    def failed(self, error: TcpError, now: int) -> None:
        """Note the errno."""
        self.closed = True
        self.error = error.errno

    def on(self, signal: Signal, now: int) -> None:
        """Read what there is."""
        if signal is Signal.CLOSED:
            self.closed = True
            self.error = self.socket.error
        elif signal in (Signal.READABLE, Signal.EOF):
            self.read(now)

    def read(self, now: int) -> None:
        """Receive until nothing is left, then look for the end."""
        while self.socket.readable:
            data = self.socket.receive(CHUNK, now)
            self.received.add(data)
            self.took(data, now)
        if self.socket.eof and not self.ended:
            self.ended = True
            self.finished(now)

    def close(self, now: int) -> None:
        """Let go of the connection: nothing more is heard of it."""
        self.closed = True
        self.socket.close(now)

    def took(self, data: bytes | memoryview, now: int) -> None:
        """Do something with what was received."""

    def finished(self, now: int) -> None:
        """Everything has been received: close."""
        self.close(now)


class Sink(Reader):
    """Reads everything, and closes when the peer has closed."""


class Writer(Reader):
    """What conversations that write have in common: ``more`` is asked for text while there is room."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = Tally()
        self._unsent = memoryview(b"")

    def begin(self, socket: Socket, now: int) -> None:
        """Take the connection; an accepted one is written to at once."""
        super().begin(socket, now)
        if MAY_SEND[socket.state]:
            self.write(now)

    def on(self, signal: Signal, now: int) -> None:
        """Read what there is, write what there is room for."""
        super().on(signal, now)
        if signal in (Signal.CONNECTED, Signal.WRITABLE) and not self.closed:
            self.write(now)

    def write(self, now: int) -> None:
        """Send until there is no room or nothing is left."""
        while self._unsent or self._refill(now):
            taken = self.socket.send(self._unsent, now)
            if not taken:
                return
            self.sent.add(self._unsent[:taken])
            self._unsent = self._unsent[taken:]

    def _refill(self, now: int) -> bool:
        self._unsent = memoryview(self.more(now))
        return len(self._unsent) > 0

    def more(self, now: int) -> bytes:
        """Return what to send next; nothing if nothing is left for now."""
        return b""


class Source(Writer):
    """Sends so many random octets and then its FIN; reads meanwhile, and closes when both are done."""

    def __init__(self, octets: int, chance: Chance | None = None) -> None:
        super().__init__()
        self.left = octets
        self._chance = chance if chance is not None else Chance("source")
        self._shut = False

    def more(self, now: int) -> bytes:
        """Return the next octets; after the last, shut down."""
        size = min(self.left, CHUNK)
        self.left -= size
        if not size and not self._shut:
            self._shut = True
            self.socket.shutdown(now)
            self._close_if_done(now)
        return self._chance.octets(size)

    def finished(self, now: int) -> None:
        """They have sent everything."""
        self._close_if_done(now)

    def _close_if_done(self, now: int) -> None:
        if self._shut and self.ended:
            self.close(now)


class Echo(Writer):
    """Sends back what it receives, no faster than it is taken; closes when the peer has closed."""

    def __init__(self) -> None:
        super().__init__()
        self._waiting = bytearray()

    def on(self, signal: Signal, now: int) -> None:
        """Read on where room to send was what was missing."""
        super().on(signal, now)
        if signal is Signal.WRITABLE and not self.closed:
            self.read(now)

    def took(self, data: bytes | memoryview, now: int) -> None:
        """Send it back."""
        self._waiting += data
        self.write(now)

    def more(self, now: int) -> bytes:
        """Return what waits; at the end of it, close."""
        data = bytes(self._waiting)
        self._waiting.clear()
        if not data and self.ended:
            self.close(now)
        return data

    def read(self, now: int) -> None:
        """Receive no more than one chunk ahead of what could be sent."""
        while self.socket.readable and len(self._waiting) + len(self._unsent) < CHUNK:
            data = self.socket.receive(CHUNK, now)
            self.received.add(data)
            self.took(data, now)
        if self.socket.eof and not self.ended:
            self.ended = True
            self.write(now)


class Requester(Writer):
    """Sends a request of ``size`` octets, waits for the response, pauses, and so on ``times`` times."""

    def __init__(self, times: int, *, size: int = 100, response: int = 1000, pause: int = 0) -> None:
        super().__init__()
        self.left = times
        self.size = size
        self.response = response
        self.pause = pause
        self.responses = 0
        self._awaited = 0
        self._due: int | None = None

    def more(self, now: int) -> bytes:
        """Return a request if none is under way."""
        if self._awaited or self._due is not None or not self.left:
            return b""
        self.left -= 1
        self._awaited = self.response
        return bytes(self.size)

    def took(self, data: bytes | memoryview, now: int) -> None:
        """Count towards the response."""
        self._awaited -= len(data)
        if self._awaited > 0:
            return
        self.responses += 1
        if not self.left:
            self.close(now)
        elif self.pause:
            self._due = now + self.pause
        else:
            self.write(now)

    def deadline(self) -> int | None:
        """Return when the pause ends."""
        return self._due

    def timeout(self, now: int) -> None:
        """Send the next request."""
        self._due = None
        self.write(now)


class Responder(Writer):
    """Answers every ``size`` octets of request with ``response`` octets; closes when the peer has closed."""

    def __init__(self, *, size: int = 100, response: int = 1000) -> None:
        super().__init__()
        self.size = size
        self.response = response
        self._asked = 0
        self._owed = 0

    def took(self, data: bytes | memoryview, now: int) -> None:
        """Answer the requests that are complete."""
        self._asked += len(data)
        requests, self._asked = divmod(self._asked, self.size)
        self._owed += requests * self.response
        self.write(now)

    def more(self, now: int) -> bytes:
        """Return what is owed."""
        size = min(self._owed, CHUNK)
        self._owed -= size
        return bytes(size)
