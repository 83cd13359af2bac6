"""asyncio on a tulpen host: the functions of asyncio's streams and event loop, over a TCP in Python.

    async with tulpen.Interface(host, link):
        reader, writer = await tulpen.open_connection("10.0.0.1", 80)

The functions here work on the interface that the surrounding ``async with`` has opened;
an ``Interface`` has them as methods too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from tulpen.aio.interface import Interface, current
from tulpen.aio.server import Server
from tulpen.aio.transport import Transport

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from tulpen.aio.listening import Hosts
    from tulpen.aio.streams import ClientConnected

    P = TypeVar("P", bound=asyncio.BaseProtocol)

__all__ = [
    "Interface",
    "Server",
    "Transport",
    "create_connection",
    "create_server",
    "current",
    "open_connection",
    "start_server",
]


async def open_connection(
    host: str | None = None, port: int | str | None = None, **kwds: Any
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect as ``asyncio.open_connection`` does, on the current interface."""
    return await current().open_connection(host, port, **kwds)


async def start_server(
    client_connected_cb: ClientConnected, host: Hosts = None, port: int | str | None = None, **kwds: Any
) -> Server:
    """Listen as ``asyncio.start_server`` does, on the current interface."""
    return await current().start_server(client_connected_cb, host, port, **kwds)


async def create_connection(
    protocol_factory: Callable[[], P], host: str | None = None, port: int | str | None = None, **kwds: Any
) -> tuple[asyncio.Transport, P]:
    """Connect as ``loop.create_connection`` does, on the current interface."""
    return await current().create_connection(protocol_factory, host, port, **kwds)


async def create_server(
    protocol_factory: Callable[[], asyncio.BaseProtocol],
    host: Hosts = None,
    port: int | str | None = None,
    **kwds: Any,
) -> Server:
    """Listen as ``loop.create_server`` does, on the current interface."""
    return await current().create_server(protocol_factory, host, port, **kwds)
