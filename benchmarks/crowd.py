"""Ten thousand connections at once through one device, all of them moving data."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from benchmarks.amount import amount
from benchmarks.case import Case, Figures
from benchmarks.place import InPrivate, Place, tulpen

CROWDING = str(Path(__file__).with_name("crowding.py"))
CONNECTIONS = 10_000
SECONDS = 20


async def crowd(place: Place) -> dict[str, float]:
    """Return what the crowd tells."""
    assert isinstance(place, InPrivate)
    argv = [sys.executable, "-I", CROWDING, place.address, str(amount(CONNECTIONS)), str(amount(SECONDS))]
    command = place.private.start(argv, deadline=300)
    finished = await asyncio.get_running_loop().run_in_executor(None, command.wait)
    if finished.status:
        raise RuntimeError(finished.stderr.text)
    told: dict[str, float] = json.loads(finished.stdout.text)
    return told


def measure() -> dict[str, float]:
    async def main() -> dict[str, float]:
        async with tulpen(offload=True, queue=2 * CONNECTIONS) as place:
            return await crowd(place)

    return asyncio.run(main())


GROUP = "10,000 connections at once, all receiving"
_figures = Figures(measure)
CROWD = [
    Case(GROUP, "octets", "MB/s", _figures.figure("rate")),
    Case(GROUP, "shares (Jain's index)", "%", _figures.figure("shares")),
    Case(GROUP, "connections that moved", "%", _figures.figure("moving")),
]
