"""PyTCP from PyPI, on a packet socket: it speaks Ethernet."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from benchmarks.case import Unavailable
from benchmarks.peers.spawned import cpu_of, spawned
from benchmarks.place import InPrivate, Place, private_network
from tulpen.link.devices import FAR
from tulpen.link.namespace import INSIDE, OUTSIDE

_SERVICES = Path(__file__).with_name("pytcp_services.py")


@asynccontextmanager
async def pytcp() -> AsyncIterator[Place]:
    """Run ``pytcp_services.py``, without PyTCP's debugging."""
    if importlib.util.find_spec("pytcp") is None:
        raise Unavailable("not there: pip install PyTCP")
    with private_network(device="veth") as private:
        fd = private.link.fileno()
        # A device without ARP sends to its own Ethernet address, and PyTCP takes nothing that is not for its own.
        ends = [OUTSIDE[0], INSIDE[0].partition("/")[0], FAR.hex(":")]
        async with spawned([sys.executable, "-PO", str(_SERVICES), str(fd), *ends], [fd]) as pid:
            yield InPrivate(private, OUTSIDE[0], lambda: cpu_of(pid))
