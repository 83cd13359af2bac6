"""gVisor's netstack, from Debian's packages of its source and of Go."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from benchmarks.peers.build import OUTPUT, built
from benchmarks.peers.spawned import cpu_of, spawned
from benchmarks.place import LARGEST, InPrivate, Place, private_network
from benchmarks.services import congestion_control
from tulpen.link.devices import FAR, NEAR
from tulpen.link.namespace import INSIDE, OUTSIDE

_ENVIRONMENT = (
    ("GO111MODULE", "off"),
    ("GOPATH", "/usr/share/gocode"),
    ("GOCACHE", str(OUTPUT / "go")),
    ("GOFLAGS", ""),
)


def program() -> Path:
    """Return the program of ``gvisor.go``."""
    argv = ("go", "build", "-o", "{program}", "{source}")
    return built("gvisor.go", argv, _ENVIRONMENT, needs="golang-go golang-gvisor-gvisor-dev")


@asynccontextmanager
async def plain() -> AsyncIterator[Place]:
    """On the TUN device that tulpen gets."""
    with private_network(device="tun") as private:
        async with spawned(_argv(private.link.fileno()), [private.link.fileno()]) as pid:
            yield InPrivate(private, OUTSIDE[0], lambda: cpu_of(pid))


@asynccontextmanager
async def with_gso() -> AsyncIterator[Place]:
    """On a packet socket: gVisor leaves cutting to a device of this kind alone."""
    with private_network(device="veth", offload=True) as private:
        argv = [*_argv(private.link.fileno()), "-near", NEAR.hex(":"), "-far", FAR.hex(":"), "-gso", str(LARGEST)]
        async with spawned(argv, [private.link.fileno()]) as pid:
            yield InPrivate(private, OUTSIDE[0], lambda: cpu_of(pid))


def _argv(fd: int) -> list[str]:
    remote = INSIDE[0].partition("/")[0]
    return [
        str(program()), "-fd", str(fd), "-local", OUTSIDE[0], "-remote", remote, "-congestion", congestion_control(),
    ]  # fmt: skip
