"""Where a server of the benchmarks is, how its client gets there, and what its process has cost so far."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

from benchmarks import client, services
from benchmarks.case import Reading, Unavailable
from tulpen.aio import Interface
from tulpen.host.host import Host
from tulpen.link.namespace import OUTSIDE, Device, NotPermitted, PrivateNetwork
from tulpen.tcp.config import Settings

LARGEST = 65_160  # octets of text that the device cuts into segments: 45 of 1448, and the headers still fit
DEADLINE = 120.0  # seconds
CLIENT = str(Path(client.__file__))


class Place(Protocol):
    """A server with its three services running."""

    address: str

    async def client(self, program: str, count: int) -> float:
        """Run a program of ``benchmarks/client.py`` and return its seconds."""

    def cpu(self) -> float:
        """Return the seconds of processor time that the process of the server's TCP has used."""


Enter = Callable[[], AbstractAsyncContextManager[Place]]
Work = Callable[[Place], Awaitable[float | Reading]]


def at(enter: Enter, work: Work, loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None) -> Any:
    """Return what measures ``work`` at a place."""

    async def main() -> float | Reading:
        async with enter() as place:
            return await work(place)

    def measure() -> float | Reading:
        with asyncio.Runner(loop_factory=loop_factory) as runner:
            return runner.run(main())

    return measure


def uvloop() -> asyncio.AbstractEventLoop:
    """Return uvloop's event loop."""
    try:
        from uvloop import new_event_loop
    except ImportError:
        raise Unavailable("not there: pip install uvloop") from None
    loop: asyncio.AbstractEventLoop = new_event_loop()
    return loop


class Loopback:
    """The kernel's own TCP over its loopback, by asyncio's streams."""

    address = "127.0.0.1"

    async def client(self, program: str, count: int) -> float:
        argv = [sys.executable, "-I", CLIENT, program, self.address, str(count), services.congestion_control()]
        process = await asyncio.create_subprocess_exec(*argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        out, err = await asyncio.wait_for(process.communicate(), DEADLINE)
        if process.returncode:
            raise RuntimeError(err.decode())
        return float(json.loads(out))

    def cpu(self) -> float:
        return time.process_time()


class InPrivate:
    """A server whose clients run in a private network."""

    def __init__(self, private: PrivateNetwork, address: str, cpu: Callable[[], float] = time.process_time) -> None:
        self.address = address
        self.private = private
        self.cpu = cpu

    async def client(self, program: str, count: int) -> float:
        argv = [sys.executable, "-I", CLIENT, program, self.address, str(count), services.congestion_control()]
        command = self.private.start(argv, deadline=DEADLINE)
        finished = await asyncio.get_running_loop().run_in_executor(None, command.wait)
        if finished.status:
            raise RuntimeError(finished.stderr.text)
        return float(json.loads(finished.stdout.text))


@asynccontextmanager
async def loopback() -> AsyncIterator[Place]:
    """asyncio's streams over the kernel's loopback."""
    servers = await services.start_on_kernel(Loopback.address)
    try:
        yield Loopback()
    finally:
        for server in servers:
            server.close()


def private_network(**options: Any) -> PrivateNetwork:
    """Return a private network, where that is allowed."""
    try:
        return PrivateNetwork(**options)
    except NotPermitted as reason:
        raise Unavailable(str(reason)) from None


@asynccontextmanager
async def tulpen(*, offload: bool = False, device: Device = "auto", queue: int = 0) -> AsyncIterator[Place]:
    """Put a tulpen host on the device of a private network, and its services with it, by its public interface.

    ``queue``: packets that may wait in the device; 0: as the kernel has it.
    """
    with private_network(offload=offload, device=device, queue=queue) as private:
        settings = Settings(tcp_congestion_control=services.congestion_control())
        host = Host(OUTSIDE, settings=settings, secret=b"benchmark", gso_max=LARGEST if offload else 0)
        async with Interface(host, private.link, linger=1.0) as net:
            await services.start(net.start_server, None)
            yield InPrivate(private, OUTSIDE[0])
