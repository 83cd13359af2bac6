"""A capture read to its end: processor time of the whole process, and its memory, beside tshark and tcptrace."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import tulpen
from benchmarks.amount import amount
from benchmarks.case import Case, Unavailable

SOURCE = Path(tulpen.__file__).parents[1]  # the build that is measured: src, or build/fast
HERE = Path(__file__).parents[1]
TULPEN = (sys.executable, "-m", "tulpen", "read")
OURS = "tulpen read"
READERS: dict[str, Sequence[str]] = {
    OURS: TULPEN,
    "tulpen read --pass exact": (*TULPEN, "--pass", "exact"),
    "tulpen read --parquet": (*TULPEN, "--parquet", "TABLES"),
    "tshark -q -z conv,tcp": ("tshark", "-n", "-q", "-z", "conv,tcp", "-r"),
    "tcptrace -l": ("tcptrace", "-n", "-l"),
}
HEADERS = 96  # octets of each packet in a large capture, as tcpdump -s 96 takes them


class Made(NamedTuple):
    """A capture: how many packets, what part of the segments of text is lost, octets of each packet that are kept."""

    packets: int
    loss: float = 0.0
    snap: int = 65_535

    @property
    def words(self) -> str:
        lost = f", {self.loss * 100:g} % of the text lost" if self.loss else ""
        return f"{self.packets:,} packets{lost}"


MADE: dict[Made, Sequence[str]] = {
    Made(5_000): tuple(READERS),
    Made(50_000): tuple(READERS),
    Made(50_000, 0.05): tuple(READERS),
    Made(3_000_000, snap=HEADERS): [name for name in READERS if name != "tulpen read --pass exact"],
    Made(3_000_000, 0.005, HEADERS): [OURS],
    Made(3_000_000, 0.05, HEADERS): [OURS],
    Made(30_000_000, snap=HEADERS): [OURS, "tulpen read --parquet"],
}


@cache
def capture(made: Made) -> str:
    """Make a capture; return its path."""
    if find_spec("numpy") is None:
        raise Unavailable("numpy is not installed: pip install numpy")
    folder = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, folder)
    path = f"{folder}/capture.pcap"
    # In a process of its own: what a process has used counts for those that it begins.
    make = [sys.executable, "-m", "benchmarks.captures", path, amount(made.packets), made.loss, made.snap]
    subprocess.run(list(map(str, make)), check=True, env={**os.environ, "PYTHONPATH": f"{SOURCE}:{HERE}"})
    return path


class Readers:
    """Each reader at each capture: one run gives its time and its memory."""

    def __init__(self) -> None:
        self._spent: dict[tuple[str, Made], dict[str, list[float]]] = {}

    def figure(self, what: str, name: str, made: Made) -> float:
        left = self._spent.setdefault((name, made), {"cpu": [], "memory": []})
        if not left[what]:
            for each, value in spent(name, capture(made)).items():
                left[each].append(value)
        return left[what].pop()


def spent(name: str, path: str) -> dict[str, float]:
    """Run a reader; return its seconds of processor time and its mebibytes."""
    argv = READERS[name]
    if shutil.which(argv[0]) is None:
        raise Unavailable(f"{argv[0]} is not installed: apt install {argv[0]}")
    if "TABLES" in argv and find_spec("pyarrow") is None:
        raise Unavailable("pyarrow is not installed: pip install 'tulpen[read]'")
    with tempfile.TemporaryDirectory() as folder:
        whole = [f"{folder}/tables" if word == "TABLES" else word for word in argv]
        process = subprocess.Popen(
            [*whole, path], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": str(SOURCE)}, cwd=folder,
        )  # fmt: skip
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 1):
        raise Unavailable(f"{argv[0]} ended with {process.returncode}")
    return {"cpu": usage.ru_utime + usage.ru_stime, "memory": usage.ru_maxrss / 1024}


def cases() -> Iterator[Case]:
    """Every capture to its readers."""
    readers = Readers()
    for what, unit in (("cpu", "s"), ("memory", "MiB")):
        for made, names in MADE.items():
            for name in names:
                ours = "" if name.startswith("tulpen") else OURS
                measure = partial(readers.figure, what, name, made)
                yield Case(f"read: {what}, {made.words}", name, unit, measure, ours=ours, smaller=True)


READ = list(cases())
