"""asyncio's streams, made as ``asyncio.open_connection`` and ``asyncio.start_server`` make them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from tulpen.aio.reader import Reader, StreamProtocol

LIMIT: Final = 64 * 1024  # of a StreamReader, as in asyncio

ClientConnected = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None] | None]


def new_reader(
    loop: asyncio.AbstractEventLoop, limit: int
) -> tuple[asyncio.StreamReader, asyncio.StreamReaderProtocol]:
    """Return a reader and the protocol that feeds it."""
    reader = Reader(limit=limit, loop=loop)
    return reader, StreamProtocol(reader, loop=loop)


def new_writer(
    loop: asyncio.AbstractEventLoop,
    transport: asyncio.Transport,
    protocol: asyncio.StreamReaderProtocol,
    reader: asyncio.StreamReader,
) -> asyncio.StreamWriter:
    """Return the writer of a connected pair."""
    return asyncio.StreamWriter(transport, protocol, reader, loop)


def serving(
    loop: asyncio.AbstractEventLoop, client_connected: ClientConnected, limit: int
) -> Callable[[], asyncio.StreamReaderProtocol]:
    """Return the factory whose protocols call ``client_connected`` with a reader and a writer."""

    def make() -> asyncio.StreamReaderProtocol:
        reader = Reader(limit=limit, loop=loop)
        return StreamProtocol(reader, client_connected, loop=loop)

    return make
