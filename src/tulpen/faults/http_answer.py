"""Where an HTTP answer ends (RFC 9112 §6.3), and what its content was, without I/O."""

from __future__ import annotations

from hashlib import sha256
from typing import Final

HEAD_LIMIT: Final = 65_536


class HttpAnswer:
    """The answer to one GET; ``digest`` is that of its content, so that a Date does no harm."""

    __slots__ = ("_buffer", "_chunked", "_hash", "_head", "_left", "complete", "status")

    def __init__(self) -> None:
        self.complete = False
        self.status = 0
        self._buffer = bytearray()
        self._head = True
        self._chunked = False
        self._left: int | None = None  # octets of content to come; None: until the connection ends
        self._hash = sha256()

    @property
    def digest(self) -> str:
        """The SHA-256 of the content so far."""
        return self._hash.hexdigest()

    def feed(self, data: bytes) -> None:
        """Take octets."""
        self._buffer += data
        while not self.complete and self._advance():
            pass

    def eof(self) -> None:
        """The connection has ended."""
        if not self._head and not self._chunked and self._left is None:
            self.complete = True

    def _advance(self) -> bool:
        if self._head:
            return self._take_head()
        if self._chunked:
            return self._take_chunk()
        size = len(self._buffer) if self._left is None else min(len(self._buffer), self._left)
        self._content(size)
        if self._left is not None:
            self._left -= size
            self.complete = self._left == 0
        return False

    def _take_head(self) -> bool:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            self.complete = len(self._buffer) > HEAD_LIMIT  # no HTTP: let it be over
            return False
        first, *lines = bytes(self._buffer[:end]).split(b"\r\n")
        del self._buffer[: end + 4]
        words = first.split(b" ")
        self.status = int(words[1]) if len(words) > 1 and words[1].isdigit() else 0
        if 100 <= self.status < 200:
            return True
        self._head = False
        fields = {name.strip().lower(): value.strip() for name, _, value in (line.partition(b":") for line in lines)}
        self._chunked = fields.get(b"transfer-encoding", b"").lower() == b"chunked"
        length = fields.get(b"content-length", b"")
        self._left = int(length) if length.isdigit() and not self._chunked else None
        if self._left == 0 or self.status in (204, 304):
            self.complete = True
        return True

    def _take_chunk(self) -> bool:
        line = self._buffer.find(b"\r\n")
        if line < 0:
            return False
        size = int(bytes(self._buffer[:line]).split(b";")[0] or b"0", 16)
        if len(self._buffer) < line + 2 + size + 2:
            return False
        del self._buffer[: line + 2]
        self._content(size)
        del self._buffer[:2]
        self.complete = size == 0
        return True

    def _content(self, size: int) -> None:
        self._hash.update(self._buffer[:size])
        del self._buffer[:size]
