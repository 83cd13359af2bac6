"""``tulpen ss`` beside ss and psutil: CPU time, user and system, where there are very many sockets."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable

from benchmarks.case import Case, Unavailable
from benchmarks.socket_crowd import crowd

GROUP = "80,000 established, 20,000 TIME-WAIT: CPU"
PIPELINE = "ss -tan | awk '{print $1}' | sort | uniq -c"
PSUTIL = """
import time
try:
    import psutil
except ImportError:
    raise SystemExit("psutil is not installed")
began = time.process_time()
psutil.net_connections("tcp")
print(time.process_time() - began)
"""

TULPEN = """
import sys, time
from tulpen.kernel.dump import Dump
from tulpen.kernel.processes import processes
from tulpen.kernel.table import quicken
if "numpy" in sys.argv and not quicken():
    raise SystemExit("numpy is not installed")
def take(dump):
    table = dump.take()
    shown = (  # what ss -tan shows, as Python's values
        table.states(), table.receive_queues(), table.send_queues(), table.families(),
        table.local_addresses(), table.local_ports(), table.remote_addresses(), table.remote_ports(),
    )
    if "processes" in sys.argv:
        pids = processes(bpf="bpf" in sys.argv).pids()
        return [pids.get(inode) for inode in table.inodes()]
dump = Dump()
take(dump)
began = time.process_time()
take(dump)
print(time.process_time() - began)
"""


def of_command(*argv: str) -> Callable[[], float]:
    def measure() -> float:
        if shutil.which(argv[0]) is None:
            raise Unavailable(f"{argv[0]} is not installed")
        return 1000 * crowd().cost(argv)

    return measure


def of_tulpen(*words: str) -> Callable[[], float]:
    return of_command(sys.executable, "-m", "tulpen", "ss", *words)


def of_psutil() -> float:
    crowd().settle()
    return 1000 * float(crowd().run([sys.executable, "-c", PSUTIL]))


def of_table(mode: str) -> Callable[[], float]:
    """Measure the table; the interpreter is up, modules and programs are loaded, the second of two is counted."""

    def measure() -> float:
        crowd().settle()
        return 1000 * float(crowd().run([sys.executable, "-c", TULPEN, *mode.split()]))

    return measure


SOCKETS = [
    Case(GROUP, "ss -tan", "ms", of_command("ss", "-tan"), smaller=True),
    Case(GROUP, "the table, numpy", "ms", of_table("numpy"), "ss -tan", smaller=True),
    Case(GROUP, "the table, stdlib", "ms", of_table(""), "ss -tan", smaller=True),
    Case(GROUP, "ss -tanp", "ms", of_command("ss", "-tanp"), smaller=True),
    Case(GROUP, "processes, BPF", "ms", of_table("numpy processes bpf"), "ss -tanp", smaller=True),
    Case(GROUP, "processes, /proc", "ms", of_table("numpy processes"), "ss -tanp", smaller=True),
    Case(GROUP, "psutil", "ms", of_psutil, smaller=True),
    Case(GROUP, "as psutil, /proc", "ms", of_table("numpy processes"), "psutil", smaller=True),
    Case(GROUP, "ss | awk | sort | uniq", "ms", of_command("sh", "-c", PIPELINE), smaller=True),
    Case(GROUP, "--by state", "ms", of_tulpen("--by", "state"), "ss | awk | sort | uniq", smaller=True),
    Case(GROUP, "--by process, BPF", "ms", of_tulpen("--bpf", "--by", "process"), "ss -tanp", smaller=True),
    Case(GROUP, "--by process, /proc", "ms", of_tulpen("--no-bpf", "--by", "process"), "ss -tanp", smaller=True),
    Case(GROUP, "-p, every line", "ms", of_tulpen("-p"), "ss -tanp", smaller=True),
]
