"""A capture read to its end: processor time of the whole process, and its memory, beside tshark and tcptrace."""

from __future__ import annotations

import atexit
import os
import random
import shutil
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path

import tulpen
from benchmarks.case import Case, Unavailable
from tulpen.wire.ip import Packet, build_packet
from tulpen.wire.options import Options
from tulpen.wire.segment import ACK, FIN, PSH, SYN, Segment

SOURCE = Path(tulpen.__file__).parents[1]  # the build that is measured: src, or build/fast
ETHERNET = bytes.fromhex("020000000001 020000000002 0800")
SIZES = (5_000, 50_000, 500_000)  # packets
EACH = 20  # packets of a connection, of which nothing is lost
TEXT = 1448
TULPEN = (sys.executable, "-m", "tulpen", "read")
READERS: dict[str, Sequence[str]] = {
    "tulpen read": TULPEN,
    "tulpen read --parquet": (*TULPEN, "--parquet", "TABLES"),
    "tshark -q -z conv,tcp": ("tshark", "-n", "-q", "-z", "conv,tcp", "-r"),
    "tcptrace -l": ("tcptrace", "-n", "-l"),
}

Sent = tuple[int, bytes]  # microseconds, a frame


def connection(number: int, start: int, chance: random.Random, loss: float) -> Iterator[Sent]:
    """Yield a request and eight segments of response, every second acknowledged; both ends close."""
    ends = bytes((10, *(1 + number // 50_000).to_bytes(2, "big"), 1)), bytes((10, 255, 0, 1))
    ports = 10_000 + number % 50_000, 443
    numbers, now, ident = [chance.getrandbits(31), chance.getrandbits(31)], start, number * 32

    def send(side: int, flags: int, size: int = 0, after: int = 300, seq: int | None = None) -> Sent:
        nonlocal now, ident
        now += after
        ident += 1
        begins = numbers[side] if seq is None else seq
        if seq is None:
            numbers[side] += size + bool(flags & (SYN | FIN))
        options = (
            Options(mss=1460, wscale=7, sack_permitted=True)
            if flags & SYN
            else Options(tsval=now & 0xFFFF_FFFF, tsecr=1)
        )
        segment = Segment(
            begins, numbers[1 - side] if flags & ACK else 0, flags, 502, bytes(size), options,
            sport=ports[side], dport=ports[1 - side],
        )  # fmt: skip
        return now, ETHERNET + build_packet(Packet(ends[side], ends[1 - side], segment, ident=ident & 0xFFFF))

    yield from (send(0, SYN), send(1, SYN | ACK, after=20_000), send(0, ACK), send(0, PSH | ACK, 400))
    for place in range(8):
        seq = numbers[1]
        original = send(1, ACK, TEXT)
        if chance.random() < loss:
            yield send(1, ACK, TEXT, after=220_000, seq=seq)  # the first was lost before it was captured
        else:
            yield original
        if place % 2:
            yield send(0, ACK)
    yield from (send(0, FIN | ACK), send(1, FIN | ACK, after=20_000), send(0, ACK))


@cache
def capture(packets: int, loss: float) -> str:
    """Write a capture of so many packets, a hundred connections at a time; return its path."""
    folder = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, folder)
    path, chance = f"{folder}/capture.pcap", random.Random(1)
    with open(path, "wb") as file:  # noqa: PTH123
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65_535, 1))
        for begun in range(0, packets // EACH, 100):
            frames = [
                frame for at in range(begun, min(begun + 100, packets // EACH))
                for frame in connection(at, 1_700_000_000_000_000 + begun * 1000, chance, loss)
            ]  # fmt: skip
            file.writelines(
                struct.pack("<IIII", when // 1_000_000, when % 1_000_000, len(frame), len(frame)) + frame
                for when, frame in sorted(frames, key=lambda each: each[0])
            )
    return path


class Readers:
    """Each reader at each capture: one run gives its time and its memory."""

    def __init__(self) -> None:
        self._spent: dict[tuple[str, int, float], dict[str, list[float]]] = {}

    def figure(self, what: str, name: str, packets: int, loss: float) -> float:
        left = self._spent.setdefault((name, packets, loss), {"cpu": [], "memory": []})
        if not left[what]:
            for each, value in spent(name, capture(packets, loss)).items():
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


def cases(sizes: Sequence[int]) -> Iterator[Case]:
    """Every capture to every reader."""
    readers = Readers()
    captures = [(size, 0.0, f"{size:,} packets") for size in sizes]
    captures.append((sizes[-1], 0.05, f"{sizes[-1]:,} packets, one of twenty segments lost"))
    for what, unit in (("cpu", "s"), ("memory", "MiB")):
        for size, loss, words in captures:
            for name in READERS:
                ours = "" if name.startswith("tulpen") else "tulpen read"
                measure = partial(readers.figure, what, name, size, loss)
                yield Case(f"read: {what}, {words}", name, unit, measure, ours=ours, smaller=True)


READ = list(cases(SIZES))
