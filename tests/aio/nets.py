"""The two networks that the same scenario runs on: the kernel's loopback with asyncio, and two tulpen hosts."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any, Protocol

from tulpen.aio import Interface
from tulpen.host.host import Host
from tulpen.link.pipe import pipe
from tulpen.tcp.config import Settings

CLIENT = "10.0.0.1"
SERVER = "10.0.0.2"
CLIENT_6 = "fd00::1"
SERVER_6 = "fd00::2"


class Net(Protocol):
    """What a scenario needs of a network."""

    server_host: str

    async def create_server(self, factory: Callable[[], asyncio.BaseProtocol], **kwds: Any) -> Any: ...

    async def create_connection(
        self, factory: Callable[[], asyncio.BaseProtocol], port: int, **kwds: Any
    ) -> tuple[asyncio.Transport, Any]: ...

    async def open_connection(self, port: int, **kwds: Any) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]: ...

    async def start_server(self, connected: Any, **kwds: Any) -> Any: ...


class Kernel:
    """asyncio as it comes, on 127.0.0.1."""

    server_host = "127.0.0.1"

    async def create_server(self, factory: Callable[[], asyncio.BaseProtocol], **kwds: Any) -> Any:
        return await asyncio.get_running_loop().create_server(factory, self.server_host, 0, **kwds)

    async def create_connection(
        self, factory: Callable[[], asyncio.BaseProtocol], port: int, **kwds: Any
    ) -> tuple[asyncio.Transport, Any]:
        return await asyncio.get_running_loop().create_connection(factory, self.server_host, port, **kwds)

    async def open_connection(self, port: int, **kwds: Any) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(self.server_host, port, **kwds)

    async def start_server(self, connected: Any, **kwds: Any) -> Any:
        return await asyncio.start_server(connected, self.server_host, 0, **kwds)


class Tulpen:
    """Two tulpen hosts over a link in memory."""

    def __init__(self, client: Interface, server: Interface, server_host: str = SERVER) -> None:
        self.client = client
        self.server = server
        self.server_host = server_host

    async def create_server(self, factory: Callable[[], asyncio.BaseProtocol], **kwds: Any) -> Any:
        return await self.server.create_server(factory, self.server_host, 0, **kwds)

    async def create_connection(
        self, factory: Callable[[], asyncio.BaseProtocol], port: int, **kwds: Any
    ) -> tuple[asyncio.Transport, Any]:
        return await self.client.create_connection(factory, self.server_host, port, **kwds)

    async def open_connection(self, port: int, **kwds: Any) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await self.client.open_connection(self.server_host, port, **kwds)

    async def start_server(self, connected: Any, **kwds: Any) -> Any:
        return await self.server.start_server(connected, self.server_host, 0, **kwds)


@contextlib.asynccontextmanager
async def two_hosts(
    *, server_host: str = SERVER, settings: Settings | None = None, mtu: int = 1500, linger: float = 2.0
) -> AsyncIterator[Tulpen]:
    """Two hosts, 10.0.0.1 with fd00::1 and 10.0.0.2 with fd00::2, joined by a pipe."""
    left, right = pipe(mtu=mtu)
    client = Host([CLIENT, CLIENT_6], settings=settings, secret=b"client", mtu=mtu)
    server = Host([SERVER, SERVER_6], settings=settings, secret=b"server", mtu=mtu)
    async with Interface(server, right, linger=linger) as other, Interface(client, left, linger=linger) as one:
        yield Tulpen(one, other, server_host)
    left.close()
    right.close()


Scenario = Callable[[Any], Any]


def on_the_kernel(scenario: Scenario) -> Any:
    """Run ``scenario`` over asyncio's own transports."""

    async def main() -> Any:
        async with asyncio.timeout(120):
            return await scenario(Kernel())

    return asyncio.run(main())


def on_tulpen(scenario: Scenario, **kwds: Any) -> Any:
    """Run ``scenario`` over two tulpen hosts."""

    async def main() -> Any:
        async with asyncio.timeout(120), two_hosts(**kwds) as net:
            return await scenario(net)

    return asyncio.run(main())
