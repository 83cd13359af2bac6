"""A peer that is a process of its own: started, waited for, watched, and ended."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from benchmarks.case import Unavailable

READY = 20.0  # seconds


def cpu_of(pid: int) -> float:
    """Return the seconds of processor time that the living threads of a process have used."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        total += int((task / "schedstat").read_text().split()[0])
    return total / 1e9


@asynccontextmanager
async def spawned(argv: Sequence[str], fds: Sequence[int] = ()) -> AsyncIterator[int]:
    """Run a program that says when it is ready and ends when its standard input does; yield its pid."""
    process = await asyncio.create_subprocess_exec(
        *argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, pass_fds=fds
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        line = await asyncio.wait_for(process.stdout.readline(), READY)
        if line.strip() != b"ready":
            said = (await process.stderr.read()).decode().strip().splitlines()
            raise Unavailable(f"does not start here: {said[-1] if said else 'no word why'}")
        yield process.pid
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()
