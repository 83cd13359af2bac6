"""lwIP as Debian builds it, on the TUN device that tulpen gets, without offload, which it does not have."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from benchmarks.peers.build import built
from benchmarks.peers.spawned import cpu_of, spawned
from benchmarks.place import InPrivate, Place, private_network
from tulpen.link.namespace import OUTSIDE


@asynccontextmanager
async def lwip() -> AsyncIterator[Place]:
    """Build and run ``lwip.c``."""
    argv = ("cc", "-O2", "-o", "{program}", "{source}", "-I/usr/include/lwip", "-llwip")
    program = built("lwip.c", argv, needs="gcc liblwip-dev")
    with private_network(device="tun") as private:
        fd = private.link.fileno()
        async with spawned([str(program), str(fd), OUTSIDE[0], "1500"], [fd]) as pid:
            yield InPrivate(private, OUTSIDE[0], lambda: cpu_of(pid))
