"""What the cases that move octets have in common: a client program, and where the server is."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Protocol

from benchmarks.case import Unavailable
from tulpen.aio import Interface
from tulpen.host.host import Host
from tulpen.link.namespace import OUTSIDE, NotPermitted, PrivateNetwork

PORT = 8000
LARGEST = 64_000  # octets of text that the device cuts into segments


class Place(Protocol):
    """Where the server of a case listens, and where its client runs."""

    address: str

    async def start_server(self, connected: Any) -> Any: ...

    async def create_server(self, factory: Any) -> Any: ...

    async def client(self, script: str, *args: object) -> str: ...


class Loopback:
    """The kernel's own TCP over its loopback, by asyncio."""

    address = "127.0.0.1"

    async def start_server(self, connected: Any) -> Any:
        return await asyncio.start_server(connected, self.address, PORT, backlog=4096)

    async def create_server(self, factory: Any) -> Any:
        return await asyncio.get_running_loop().create_server(factory, self.address, PORT, backlog=4096)

    async def client(self, script: str, *args: object) -> str:
        argv = [sys.executable, "-I", "-c", script, self.address, str(PORT), *map(str, args)]
        process = await asyncio.create_subprocess_exec(*argv, stdout=subprocess.PIPE)
        out, _ = await process.communicate()
        return out.decode()


class OverTun:
    """A tulpen host; its client is the kernel in a private network."""

    def __init__(self, private: PrivateNetwork, net: Interface) -> None:
        self.address = OUTSIDE[0]
        self.private = private
        self.net = net

    async def start_server(self, connected: Any) -> Any:
        return await self.net.start_server(connected, None, PORT, backlog=4096)

    async def create_server(self, factory: Any) -> Any:
        return await self.net.create_server(factory, None, PORT, backlog=4096)

    async def client(self, script: str, *args: object) -> str:
        argv = [sys.executable, "-I", "-c", script, self.address, str(PORT), *map(str, args)]
        command = self.private.start(argv, deadline=300)
        finished = await asyncio.get_running_loop().run_in_executor(None, command.wait)
        if finished.status:
            raise RuntimeError(finished.stderr.text)
        return finished.stdout.text


@asynccontextmanager
async def over_tun(*, offload: bool) -> AsyncIterator[OverTun]:
    """Put a tulpen host on the TUN device of a private network."""
    try:
        private = PrivateNetwork(offload=offload, sysctls={"net.ipv4.tcp_congestion_control": "reno"})
    except NotPermitted as reason:
        raise Unavailable(str(reason)) from None
    with private:
        host = Host(OUTSIDE, secret=b"benchmark", gso_max=LARGEST if offload else 0)
        async with Interface(host, private.link, linger=1.0) as net:
            yield OverTun(private, net)


def on_loopback(work: Callable[[Place], Awaitable[float]]) -> float:
    """Run ``work`` over the kernel's loopback."""

    async def main() -> float:
        return await work(Loopback())

    return asyncio.run(main())


def on_tun(work: Callable[[Place], Awaitable[float]], *, offload: bool = False) -> float:
    """Run ``work`` over a TUN device."""

    async def main() -> float:
        async with over_tun(offload=offload) as place:
            return await work(place)

    return asyncio.run(main())
