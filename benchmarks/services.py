"""What every server of the benchmarks offers, by asyncio's streams: echo, discard and chargen (RFC 862, 863, 864).

``python -m benchmarks.services ADDRESS`` offers them on the kernel's TCP.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any

from benchmarks.client import CHARGEN, CHUNK, DISCARD, ECHO

BACKLOG = 4096

StartServer = Callable[..., Any]


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
    writer.close()


async def discard(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Read to the end, then say so."""
    while await reader.read(1 << 18):
        pass
    writer.write(b"!")
    writer.close()


async def chargen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send as many octets as the first eight ask for."""
    left = int.from_bytes(await reader.readexactly(8), "big")
    while left > 0:
        writer.write(CHUNK if left >= len(CHUNK) else CHUNK[:left])
        left -= len(CHUNK)
        await writer.drain()
    writer.close()


@cache
def congestion_control() -> str:
    """Return what both ends of every connection use: CUBIC, or Reno where only root may choose CUBIC."""
    with socket.socket() as sock:
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"cubic")
        except OSError:
            return "reno"
    return "cubic"


Service = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def leaving(service: Service) -> Service:
    """Return a service whose clients may go when they like."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await service(reader, writer)
        except (ConnectionError, EOFError, asyncio.CancelledError):
            writer.close()

    return serve


SERVICES = {ECHO: leaving(echo), DISCARD: leaving(discard), CHARGEN: leaving(chargen)}


async def start(start_server: StartServer, address: str | None) -> list[Any]:
    """Start the three with ``start_server``, asyncio's or an interface's."""
    return [await start_server(service, address, port, backlog=BACKLOG) for port, service in SERVICES.items()]


async def start_on_kernel(address: str) -> list[asyncio.Server]:
    """Start them on this machine's TCP, with the congestion control of the clients."""
    servers: list[asyncio.Server] = await start(asyncio.start_server, address)
    for server in servers:
        for sock in server.sockets:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, congestion_control().encode())
    return servers


async def main(address: str) -> None:
    await start_on_kernel(address)
    await asyncio.Event().wait()  # the private network ends it


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
