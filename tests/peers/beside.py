"""A tulpen host beside Linux's TCP: a private network with the kernel inside, and the host on its link."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pytest

from tulpen.aio import Interface
from tulpen.host.host import Host
from tulpen.link.link import Link
from tulpen.link.namespace import INSIDE, OUTSIDE, Finished, NotPermitted, PrivateNetwork
from tulpen.link.pipe import Pipe, pipe
from tulpen.sim.filters import Filter
from tulpen.tcp.config import Settings
from tulpen.wire.ip import build_packet, parse_packet
from tulpen.wire.malformed import Malformed

TULPEN: Final = OUTSIDE[0]
TULPEN_6: Final = OUTSIDE[1]
LINUX: Final = INSIDE[0].partition("/")[0]
LINUX_6: Final = INSIDE[1].partition("/")[0]
DEADLINE: Final = 180.0

try:
    PrivateNetwork().close()
except NotPermitted as reason:
    pytest.skip(f"no private network here: {reason}", allow_module_level=True)


class Beside:
    """Both sides of the link."""

    def __init__(self, private: PrivateNetwork, net: Interface) -> None:
        self.private = private
        self.net = net

    async def run(self, *argv: str | Path, deadline: float = DEADLINE) -> Finished:
        """Run a command inside, and wait for it while the host goes on."""
        command = self.private.start([str(word) for word in argv], deadline=deadline)
        return await asyncio.get_running_loop().run_in_executor(None, command.wait)

    async def python(self, script: str, *args: object, deadline: float = DEADLINE) -> Finished:
        """Run a Python script inside."""
        finished = await self.run(sys.executable, "-I", "-c", script, *map(str, args), deadline=deadline)
        assert finished.status == 0, finished.stderr.text
        return finished

    async def listening(self, port: int) -> None:
        """Wait until something inside listens on a port."""
        wanted = f":{port:04X} 00000000:0000 0A"
        while wanted not in self.private.read_file("/proc/net/tcp"):  # noqa: ASYNC110
            await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def beside_linux(
    *,
    settings: Settings | None = None,
    mtu: int = 1500,
    offload: bool = False,
    device: Any = "auto",
    sysctls: Mapping[str, int | str] | None = None,
    weather: Callable[[], Filter] | None = None,
) -> AsyncIterator[Beside]:
    """Put a host on the link of a new private network; ``weather`` makes a filter for each direction."""
    with PrivateNetwork(mtu=mtu, offload=offload, device=device, sysctls=sysctls) as private:
        host = Host(OUTSIDE, settings=settings, secret=b"peers", mtu=mtu)
        async with contextlib.AsyncExitStack() as stack:
            link: Link = private.link
            if weather is not None:
                link = stack.enter_context(Weather(private.link, weather(), weather()))
            net = await stack.enter_async_context(Interface(host, link))
            yield Beside(private, net)


class Weather:
    """Relays between a device and a pipe, and does to each packet what a filter says."""

    def __init__(self, device: Link, inbound: Filter, outbound: Filter) -> None:
        self._device = device
        self._filters = inbound, outbound
        self._near, self._far = pipe(device.mtu)
        self._loop = asyncio.get_running_loop()

    def __enter__(self) -> Pipe:
        self._loop.add_reader(self._device.fileno(), self._relay, self._device, self._far, self._filters[0])
        self._loop.add_reader(self._far.fileno(), self._relay, self._far, self._device, self._filters[1])
        return self._near

    def __exit__(self, *_: object) -> None:
        self._loop.remove_reader(self._device.fileno())
        self._loop.remove_reader(self._far.fileno())
        self._far.close()
        self._near.close()

    def _relay(self, source: Link, target: Link, passes: Filter) -> None:
        for buffer, _ in source.read():
            try:
                packet = parse_packet(buffer)
            except Malformed:
                continue
            for delay, out in passes(packet, int(self._loop.time() * 1e9)):
                self._loop.call_later(delay / 1e9, target.write, build_packet(out))


def run(scenario: Callable[[Beside], Awaitable[None]], *, seconds: float = DEADLINE, **kwds: Any) -> None:
    """Run ``scenario`` beside Linux."""

    async def main() -> None:
        async with asyncio.timeout(seconds), beside_linux(**kwds) as beside:
            await scenario(beside)

    asyncio.run(main())


def pattern(octets: int) -> bytes:
    """Return octets that do not repeat within a window."""
    block = b"".join(number.to_bytes(4, "big") for number in range(65_536 * 4))
    return (block * (octets // len(block) + 1))[:octets]


def sha256(data: bytes | Sequence[bytes]) -> str:
    """Return the hash in hex."""
    return hashlib.sha256(data if isinstance(data, bytes) else b"".join(data)).hexdigest()
