"""A SYN flood through a TUN device: cookies answered in a second, and healthy clients beside it."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from benchmarks import services
from benchmarks.amount import amount
from benchmarks.case import Case, Figures, Unavailable
from benchmarks.place import private_network
from tulpen.aio import Interface
from tulpen.host.host import Host
from tulpen.link.namespace import OUTSIDE
from tulpen.tcp.config import Settings

FLOODER = str(Path(__file__).with_name("flooder.py"))
SECONDS = 4
OFFERED = 300_000  # SYNs a second at most, so that the flood alone does not starve the machine


async def flooded() -> dict[str, float]:
    """Return the SYNs answered a second, and the percentage of the healthy clients that were served."""
    settings = Settings(tcp_max_syn_backlog=1, tcp_syncookies=2)
    with private_network(device="tun") as private:
        if private.user_namespace:
            raise Unavailable("a raw socket inside is for root alone")
        host = Host(OUTSIDE, secret=b"benchmark", settings=settings)
        async with Interface(host, private.link, linger=0.1) as net:
            await services.start(net.start_server, None)
            argv = [sys.executable, "-I", FLOODER, OUTSIDE[0], str(amount(SECONDS)), str(OFFERED)]
            command = private.start(argv, deadline=60)
            finished = await asyncio.get_running_loop().run_in_executor(None, command.wait)
            if finished.status:
                raise RuntimeError(finished.stderr.text)
            told = json.loads(finished.stdout.text)
            return {
                "answered": host.counters()["SyncookiesSent"] / told["seconds"],
                "served": 100 * told["served"] / told["asked"],
            }


GROUP = "SYN flood, cookies, one process"
_figures = Figures(lambda: asyncio.run(flooded()))
FLOOD = [
    Case(GROUP, "SYNs answered", "SYN/s", _figures.figure("answered")),
    Case(GROUP, "healthy clients served meanwhile", "%", _figures.figure("served")),
]
