"""A small HTTP/1.1 server without I/O (RFC 9112): what victims fetch from.

GET is answered with the page, whatever the path; POST and PUT with a line that says how
much arrived and its SHA-256, so that the victim's output tells what the server saw.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from hashlib import sha256
from typing import Final

HEAD_LIMIT: Final = 65_536
CHUNK: Final = 8192
ROOM: Final = 1 << 20


class Framing(Enum):
    """How the end of an answer is told (RFC 9112 §6.3)."""

    LENGTH = "Content-Length"
    CHUNKED = "chunked"
    UNTIL_CLOSE = "close"


def numbered_lines(size: int) -> bytes:
    """Return ``size`` octets of text in which every line says where it stands."""
    lines = bytearray()
    while len(lines) < size:
        lines += b"%09d the quick brown fox jumps over the lazy dog\n" % len(lines)
    return bytes(lines[:size])


@dataclass(frozen=True, slots=True)
class Page:
    """What the server serves."""

    body: bytes
    media_type: str = "text/plain"


class Http:
    """One connection's worth of HTTP."""

    __slots__ = (
        "_ends",
        "_given",
        "_hash",
        "_head",
        "_heard",
        "_left",
        "_out",
        "_wants",
        "answered",
        "asked",
        "broken",
        "finished",
        "framing",
        "page",
        "room",
    )

    def __init__(self, page: Page, framing: Framing = Framing.LENGTH) -> None:
        self.page = page
        self.framing = framing
        self.asked = 0
        self.answered = 0
        self.finished = False
        self.broken = False
        self.room = ROOM
        self._head = bytearray()  # heard, not yet a whole head
        self._left: int | None = None  # octets of the request's content to come; None: a head is awaited
        self._wants: _Request | None = None
        self._heard = 0
        self._hash = sha256()
        self._out = bytearray()
        self._given = 0  # octets taken so far
        self._ends: list[int] = []  # where each answer ends, counted as ``_given`` counts

    def receive(self, data: bytes | memoryview) -> None:
        """Take octets of requests."""
        self._head += data
        while not self.finished and self._advance():
            pass

    def eof(self) -> None:
        """The client will ask nothing more; what it asked is still answered."""
        self.finished = True

    def take(self, limit: int) -> bytes:
        """Return the next octets of the answers."""
        data = bytes(self._out[:limit])
        del self._out[:limit]
        self._given += len(data)
        while self._ends and self._ends[0] <= self._given:
            self._ends.pop(0)
            self.answered += 1
        return data

    def closed(self) -> None:
        """The connection is gone."""

    def deadline(self) -> int | None:
        """Return None: it never waits."""
        return None

    def timeout(self, now: int) -> None:
        """Do nothing."""

    def _advance(self) -> bool:
        """Take one head or a piece of content from what was heard; False if there is too little."""
        if self._left is None:
            end = self._head.find(b"\r\n\r\n")
            if end < 0:
                if len(self._head) > HEAD_LIMIT:
                    self._refuse(b"431 Request Header Fields Too Large")
                return False
            head = bytes(self._head[:end])
            del self._head[: end + 4]
            return self._begin(head)
        assert self._wants is not None
        if self._wants.chunked:
            return self._chunks()
        piece = bytes(self._head[: self._left])
        del self._head[: self._left]
        self._content(piece)
        self._left -= len(piece)
        if self._left == 0:
            self._answer()
            return True
        return False

    def _begin(self, head: bytes) -> bool:
        try:
            request = _Request(head)
        except ValueError:
            self._refuse(b"400 Bad Request")
            return False
        self._wants = request
        self._left = request.length
        self._heard = 0
        self._hash = sha256()
        if request.expects:
            self._out += b"HTTP/1.1 100 Continue\r\n\r\n"
        if not request.chunked and request.length == 0:
            self._answer()
        return True

    def _chunks(self) -> bool:
        """Take one chunk (RFC 9112 §7.1)."""
        line = self._head.find(b"\r\n")
        if line < 0:
            return False
        try:
            size = int(bytes(self._head[:line]).split(b";")[0], 16)
        except ValueError:
            self._refuse(b"400 Bad Request")
            return False
        whole = line + 2 + size + 2
        if len(self._head) < whole:
            return False
        self._content(bytes(self._head[line + 2 : line + 2 + size]))
        del self._head[:whole]
        if size == 0:
            self._answer()
        return True

    def _content(self, piece: bytes) -> None:
        self._hash.update(piece)
        self._heard += len(piece)

    def _refuse(self, status: bytes) -> None:
        self._out += b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        self._ends.append(self._given + len(self._out))
        self.finished = True

    def _answer(self) -> None:
        request = self._wants
        assert request is not None
        self._left = None
        self._wants = None
        self.asked += 1
        if request.method in (b"POST", b"PUT", b"PATCH"):
            body = b"received %d octets, sha256 %s\n" % (self._heard, self._hash.hexdigest().encode())
            kind = "text/plain"
        else:
            body, kind = self.page.body, self.page.media_type
        framing = self.framing
        if framing is Framing.CHUNKED and not request.modern:
            framing = Framing.UNTIL_CLOSE
        closes = request.closes or framing is Framing.UNTIL_CLOSE
        self._out += _head(framing, len(body), kind, closes)
        if request.method != b"HEAD":
            self._out += _chunked(body) if framing is Framing.CHUNKED else body
        self._ends.append(self._given + len(self._out))
        self.finished = closes


class _Request:
    """The head of a request."""

    __slots__ = ("chunked", "closes", "expects", "length", "method", "modern")

    def __init__(self, head: bytes) -> None:
        """Read a request line and its fields; raises ValueError."""
        first, *lines = head.lstrip(b"\r\n").split(b"\r\n")
        self.method, _, version = first.split(b" ", 2)
        fields = {}
        for line in lines:
            name, _, value = line.partition(b":")
            fields[name.strip().lower()] = value.strip()
        self.modern = version == b"HTTP/1.1"
        connection = fields.get(b"connection", b"").lower()
        self.closes = b"close" in connection or (not self.modern and b"keep-alive" not in connection)
        self.chunked = fields.get(b"transfer-encoding", b"").lower() == b"chunked"
        self.length = int(fields.get(b"content-length", b"0"))
        if self.length < 0:
            raise ValueError("a negative Content-Length")
        self.expects = fields.get(b"expect", b"").lower() == b"100-continue"


def _head(framing: Framing, length: int, kind: str, closes: bool) -> bytes:
    lines = ["HTTP/1.1 200 OK", "Server: tulpen", f"Content-Type: {kind}"]
    if framing is Framing.LENGTH:
        lines.append(f"Content-Length: {length}")
    elif framing is Framing.CHUNKED:
        lines.append("Transfer-Encoding: chunked")
    lines.append("Connection: close" if closes else "Connection: keep-alive")
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def _chunked(body: bytes) -> bytes:
    out = bytearray()
    for start in range(0, len(body), CHUNK):
        piece = body[start : start + CHUNK]
        out += b"%x\r\n" % len(piece) + piece + b"\r\n"
    return bytes(out) + b"0\r\n\r\n"
