"""A crowd of TCP sockets in a private network, and what a command costs that looks at them."""

from __future__ import annotations

import functools
import os
import resource
import sys
from collections.abc import Sequence
from typing import TextIO

from benchmarks.case import Unavailable
from tulpen.link.namespace import NotPermitted, PrivateNetwork

ESTABLISHED = 80_000
TIME_WAIT = 20_000
_SPARE = 200  # descriptors that a process needs beside its sockets

_HOLD = """
import socket, sys, time
number, connections = map(int, sys.argv[1:])
name = (f"127.0.1.{number + 1}", 8000)
listener = socket.create_server(name, backlog=128)
held = []
for _ in range(connections):
    client = socket.create_connection(name)
    held += [client, listener.accept()[0]]
print("up", flush=True)
time.sleep(3600)
"""

_LINGER = """
import socket, sys
name = ("127.0.2.1", 9000)
listener = socket.create_server(name, backlog=128)
def waiting():
    with open("/proc/net/sockstat") as file:
        words = file.read().split()
    return int(words[words.index("tw") + 1])
for line in sys.stdin:
    for _ in range(max(int(line) - waiting(), 0)):
        client = socket.create_connection(name)
        served, _ = listener.accept()
        client.close()
        served.close()
    print(waiting(), flush=True)
"""

_COST = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_utime + used.ru_stime)
"""


class Crowd:
    """``ESTABLISHED`` sockets, held by as many processes as their limit of descriptors asks for, and TIME-WAIT."""

    def __init__(self) -> None:
        try:
            self.network = PrivateNetwork(
                sysctls={"net.ipv4.ip_local_port_range": "1024 65535", "net.ipv4.tcp_max_tw_buckets": 4 * TIME_WAIT}
            )
        except NotPermitted as error:
            raise Unavailable(str(error)) from None
        _, limit = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
        self.processes = -(-ESTABLISHED // (min(limit, 20_000) - _SPARE))
        for number in range(self.processes):
            self._start(_HOLD, number, ESTABLISHED // 2 // self.processes).readline()
        inside, self._ask = os.pipe()
        self._lingering = self._start(_LINGER, stdin=inside)
        os.close(inside)

    def settle(self) -> None:
        """Have so many in TIME-WAIT again: they last a minute."""
        os.write(self._ask, b"%d\n" % TIME_WAIT)
        if not self._lingering.readline():
            raise Unavailable("the process that makes TIME-WAIT has ended")

    def cost(self, argv: Sequence[str]) -> float:
        """Run a command inside and return its CPU seconds, user and system, those of its children too."""
        self.settle()
        return float(self.run([sys.executable, "-c", _COST, *argv]))

    def run(self, argv: Sequence[str]) -> str:
        """Run a command inside and return what it says."""
        done = self.network.run(argv, deadline=120.0)
        if done.status:
            raise Unavailable(done.last_words)
        return done.stdout.text

    def _start(self, program: str, *words: int, stdin: int | None = None) -> TextIO:
        read, write = os.pipe()
        self.network.start([sys.executable, "-c", program, *map(str, words)], stdin=stdin, stdout=write)
        os.close(write)
        return os.fdopen(read)


@functools.cache
def crowd() -> Crowd:
    """Return the crowd, made when it is first asked for."""
    return Crowd()
