"""asyncio's StreamReader and its protocol, which keep what arrives in the pieces it came in.

asyncio's own copies an octet three times between the transport and the reader's caller, here
``read`` copies it once.  Everything else works on asyncio's buffer, gathered when it is needed.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, final

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable
    from typing import SupportsIndex

    from tulpen.aio.streams import ClientConnected

#: Pieces smaller than this are joined, so that an octet costs about an octet.
SMALL: Final = 512

Piece = bytes | memoryview  # of octets that do not change


@final
class Reader(asyncio.StreamReader):
    """asyncio's reader, in all that can be seen of it."""

    _gathered: bytearray | None = None
    _pieces: list[Piece] | None = None  # behind what is gathered

    if TYPE_CHECKING:  # of StreamReader
        _eof: bool
        _exception: BaseException | None
        _limit: int
        _paused: bool
        _transport: Any
        _wait_for_data: Callable[[str], Awaitable[None]]
        _wakeup_waiter: Callable[[], None]

    @property
    def _buffer(self) -> bytearray:
        """What asyncio's methods read and delete from."""
        gathered = self._gathered
        if gathered is None:
            gathered = self._gathered = bytearray()
        if self._pieces:
            for piece in self._pieces:
                gathered.extend(piece)
            self._pieces = None
        return gathered

    @_buffer.setter
    def _buffer(self, empty: bytearray) -> None:
        """Asked for by StreamReader's constructor; there is none until it is needed."""

    def feed_data(self, data: Iterable[SupportsIndex]) -> None:
        """Take what has arrived; a memoryview has to be one of octets that do not change."""
        assert not self._eof, "feed_data after feed_eof"
        if not data:
            return
        pieces, piece = self._pieces, data if isinstance(data, bytes | memoryview) else bytes(data)
        if not pieces:
            self._pieces = [piece]
        elif len(piece) < SMALL and len(pieces[-1]) < SMALL:
            pieces[-1] = b"".join((pieces[-1], piece))
        else:
            pieces.append(piece)
        self._wakeup_waiter()
        if not self._paused and self._transport is not None and self._octets() > 2 * self._limit:
            self._transport.pause_reading()
            self._paused = True

    async def read(self, n: int = -1) -> bytes:
        """Return up to ``n`` octets, at least one unless the stream has ended; all there will be if negative."""
        if n <= 0 or self._gathered or self._exception is not None:
            return await super().read(n)
        if not self._pieces:
            if self._eof:
                return b""
            await self._wait_for_data("read")
        pieces = self._pieces
        if not pieces:
            return b""
        data = _taken(pieces, n)
        if self._paused and self._octets() <= self._limit:
            self._paused = False
            self._transport.resume_reading()
        return data

    def at_eof(self) -> bool:
        """Say whether everything has come, and is read."""
        return self._eof and not self._gathered and not self._pieces

    def _octets(self) -> int:
        """Return how many wait to be read."""
        octets = len(self._gathered) if self._gathered else 0
        return octets + sum(map(len, self._pieces)) if self._pieces else octets


def _taken(pieces: list[Piece], limit: int) -> bytes:
    """Take up to ``limit`` octets off the front of ``pieces``."""
    if len(pieces) == 1 and len(pieces[0]) <= limit:
        return bytes(pieces.pop())
    count, octets = 0, 0
    for piece in pieces:
        if octets + len(piece) > limit:
            break
        octets += len(piece)
        count += 1
    parts = pieces[:count]
    del pieces[:count]
    if pieces and octets < limit:
        first = memoryview(pieces[0])
        parts.append(first[: limit - octets])
        pieces[0] = first[limit - octets :]
    return b"".join(parts)


@final
class StreamProtocol(asyncio.StreamReaderProtocol):
    """asyncio's protocol of streams, which a transport of ours hands pieces to."""

    if TYPE_CHECKING:  # of StreamReaderProtocol
        _stream_reader: asyncio.StreamReader | None

    def __init__(
        self,
        reader: asyncio.StreamReader,
        client_connected: ClientConnected | None = None,
        *,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        super().__init__(reader, client_connected, loop=loop)
        self._drain_waiters: list[asyncio.Future[None]] = []  # an empty deque, as asyncio has it, takes 760 octets

    def pieces_received(self, pieces: list[Piece]) -> None:
        """Take what has arrived, uncopied."""
        reader = self._stream_reader
        if reader is not None:
            for piece in pieces:
                reader.feed_data(piece)
