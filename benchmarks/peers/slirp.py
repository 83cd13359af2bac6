"""slirp4netns and passt, between the client's private network and another with asyncio's streams in it.

Their TCP ends at a TAP device inside, and goes on as a socket outside; so each octet crosses the kernel's
loopback there too.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from benchmarks.case import Unavailable
from benchmarks.client import CHARGEN
from benchmarks.peers.spawned import READY, cpu_of
from benchmarks.place import InPrivate, Place, private_network
from tulpen.link.command import Command
from tulpen.link.namespace import PrivateNetwork

TAP = "tap0"
ADDRESS = "10.0.2.100"
GATEWAY = "10.0.2.2"  # stands for the loopback outside
SERVER = "127.0.0.1"
NETNS = "/proc/self/fd/0"  # inherited: passt may not look into the process that holds it


@asynccontextmanager
async def slirp4netns(mtu: int) -> AsyncIterator[Place]:
    """Through slirp4netns."""
    argv = ["slirp4netns", "--configure", f"--mtu={mtu}", "--netns-type=path", NETNS, TAP]
    async with _between(argv) as place:
        yield place


@asynccontextmanager
async def pasta(mtu: int) -> AsyncIterator[Place]:
    """Through passt, by its command for network namespaces."""
    argv = [
        "pasta", "--foreground", "--config-net", "--ipv4-only", "--mtu", str(mtu), "--netns-only", "--runas", "0",
        "--ns-ifname", TAP, "--address", ADDRESS, "--netmask", "24", "--gateway", GATEWAY,
        "--mac-addr", "02:00:00:00:00:03", "--netns", NETNS,
    ]  # fmt: skip
    async with _between(argv) as place:
        yield place


@asynccontextmanager
async def _between(argv: Sequence[str]) -> AsyncIterator[Place]:
    """Start the server outside, the program beside it, and yield the place inside."""
    if shutil.which(argv[0]) is None:
        package = "passt" if argv[0] == "pasta" else argv[0]
        raise Unavailable(f"not there: apt install {package}")
    control = {"net.ipv4.tcp_congestion_control": "reno"}  # the only other that may be set there; nothing is lost
    with (
        private_network(sysctls=control, routes=["0.0.0.0/0"]) as outside,
        private_network(addresses=["192.0.2.1/24"]) as inside,
    ):
        if outside.user_namespace:
            raise Unavailable("joins two network namespaces here as root alone")
        outside.start([sys.executable, "-m", "benchmarks.services", SERVER])
        netns = os.open(f"/proc/{inside.pid}/ns/net", os.O_RDONLY)
        try:
            program = outside.start(argv, stdin=netns)
        finally:
            os.close(netns)
        await _until_there(inside, outside, program)
        yield InPrivate(inside, GATEWAY, lambda: cpu_of(program.pid))


async def _until_there(inside: PrivateNetwork, outside: PrivateNetwork, program: Command) -> None:
    """Wait until the device has its address, and a server answers behind it."""
    loop = asyncio.get_running_loop()
    until = loop.time() + READY
    while loop.time() < until:
        if program.poll() is not None:
            said = program.wait().stderr.text.strip().splitlines()
            raise Unavailable(f"does not start here: {said[-1] if said else 'no word why'}")
        listening = f":{CHARGEN:04X} 00000000:0000 0A" in outside.read_file("/proc/net/tcp")
        if listening and ADDRESS in inside.read_file("/proc/net/fib_trie"):
            return
        await asyncio.sleep(0.05)
    raise Unavailable("gives no address")
