"""A hundred network namespaces with processes: all of their sockets at once, beside ss -N for each."""

from __future__ import annotations

import functools
import os
import shutil
import socket
import sys
import time
from collections.abc import Callable

from benchmarks.case import Case, Unavailable
from tulpen.kernel.snapshot import Source, Wanted
from tulpen.link.namespace import NotPermitted, PrivateNetwork

COUNT = 100
GROUP = f"{COUNT} network namespaces with processes"

# ss -N finds namespaces by their names in /run/netns: here in a /run that only this script sees.
LOOP = """
set -e
mount -t tmpfs none /run
mkdir /run/netns
for pid in "$@"; do
    touch /run/netns/n$pid
    mount --bind /proc/$pid/ns/net /run/netns/n$pid
done
exec "$PYTHON" -c '
import resource, subprocess, sys, time
began = time.perf_counter()
for pid in sys.argv[1:]:
    subprocess.run(["ss", "-N", f"n{pid}", "-tanp"], stdout=subprocess.DEVNULL, check=True)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(time.perf_counter() - began, used.ru_utime + used.ru_stime)
' "$@"
"""


@functools.cache
def networks() -> list[PrivateNetwork]:
    """Return the networks, each with a listener and a connection to it."""
    if os.geteuid() != 0:
        raise Unavailable("entering other network namespaces needs root")
    try:
        made = [PrivateNetwork() for _ in range(COUNT)]
    except NotPermitted as error:
        raise Unavailable(str(error)) from None
    for network in made:
        listener = network.open_socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.bind(("192.0.2.1", 80))
        listener.listen()
        client = network.open_socket(socket.AF_INET, socket.SOCK_STREAM)
        client.connect(("192.0.2.1", 80))
        HELD.extend((listener, client, listener.accept()[0]))
    return made


HELD: list[socket.socket] = []


def of_tulpen(clock: Callable[[], float]) -> Callable[[], float]:
    def measure() -> float:
        networks()
        began = clock()
        source = Source(Wanted(everywhere=True, processes=True))
        snapshot = source.take()
        total = sum(len(view.table) for view in snapshot.views)
        taken = clock() - began
        source.close()
        if total < 3 * COUNT:
            raise Unavailable(f"{total} sockets were found, and there are more")
        return 1000 * taken

    return measure


@functools.cache
def looped(number: int) -> tuple[float, float]:
    """Return what ss took, wall and CPU; ``number`` is the round."""
    import subprocess

    if shutil.which("ss") is None or shutil.which("unshare") is None:
        raise Unavailable("ss or unshare is not installed")
    pids = [str(network.pid) for network in networks()]
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", LOOP, "sh", *pids],
        env={**os.environ, "PYTHON": sys.executable}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise Unavailable(done.stderr.strip().splitlines()[-1])
    wall, cpu = map(float, done.stdout.split())
    return 1000 * wall, 1000 * cpu


def of_ss(which: int) -> Callable[[], float]:
    rounds = iter(range(1_000_000))
    return lambda: looped(next(rounds))[which]


NAMESPACES = [
    Case(GROUP, "ss -N: time", "ms", of_ss(0), smaller=True),
    Case(GROUP, "tulpen: time", "ms", of_tulpen(time.perf_counter), "ss -N: time", smaller=True),
    Case(GROUP, "ss -N: CPU", "ms", of_ss(1), smaller=True),
    Case(GROUP, "tulpen: CPU", "ms", of_tulpen(time.process_time), "ss -N: CPU", smaller=True),
]
