"""10,000 connections a second, watched: CPU an event, CPU of the program that is watched, events lost."""

from __future__ import annotations

import atexit
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path

from benchmarks.case import Case, Unavailable
from tulpen.link.namespace import PrivateNetwork

CONNECTIONS_MADE = 20_000
RATE = 10_000
SOURCE = Path(__file__).parents[1] / "src"
TULPEN = (sys.executable, "-m", "tulpen", "watch")
BPFTRACE = (
    "bpftrace", "-e",
    'tracepoint:sock:inet_sock_set_state { printf("%d %s %d %d > %d %d > %d\\n", nsecs, comm, pid, args->sport,'
    " args->dport, args->oldstate, args->newstate); }",
)  # fmt: skip
TCPSTATES = ("tcpstates",)
SETTLED = 4.0  # seconds in which every watcher has begun
# Their tracefs is mounted for them alone.
MOUNTED = ("unshare", "-m", "sh", "-c", 'mount -t tracefs nodev /sys/kernel/tracing; exec "$@"', "sh")


@cache
def churn() -> str:
    """Compile the program that is watched."""
    if shutil.which("cc") is None:
        raise Unavailable("there is no C compiler")
    folder = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, folder)
    program = f"{folder}/churn"
    subprocess.run(["cc", "-O2", "-o", program, Path(__file__).with_name("churn.c")], check=True)
    return program


def load() -> float:
    """Run it in a private network; return the CPU microseconds of a connection."""
    with PrivateNetwork() as network:
        done = network.run([churn(), "8080", str(CONNECTIONS_MADE), str(RATE)], deadline=120)
        if done.status:
            raise Unavailable(done.stderr.text.strip())
    return float(done.stdout.text.split()[0]) / CONNECTIONS_MADE * 1e6


class Watcher:
    """A program that watches; its output goes to a file."""

    def __init__(self, argv: Sequence[str]) -> None:
        if os.geteuid():
            raise Unavailable("tracing is for root")
        if shutil.which(argv[0]) is None:
            raise Unavailable(f"{argv[0]} is not installed")
        self.own = argv[0] == sys.executable
        self.out = tempfile.TemporaryFile()  # noqa: SIM115 (closed by stop)
        self.process = subprocess.Popen(
            [*(() if self.own else MOUNTED), *argv], stdout=self.out, stderr=subprocess.PIPE, text=True,
            env={**os.environ, "PYTHONPATH": str(SOURCE)},
        )  # fmt: skip
        time.sleep(SETTLED)
        if self.process.poll() is not None:
            raise Unavailable(f"{argv[0]} does not run here")

    def cpu(self) -> float:
        """Return the CPU microseconds that it has taken."""
        threads = Path(f"/proc/{self.process.pid}/task").iterdir()
        return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads) / 1e3

    def stop(self) -> tuple[int, int]:
        """End it; return how many events it told, and how many it says were lost."""
        self.process.send_signal(signal.SIGINT)
        _, words = self.process.communicate(timeout=60)
        self.out.seek(0)
        told = self.out.read().decode(errors="replace")
        self.out.close()
        if self.own:
            found = re.search(r"([\d,]+) events(?:; ([\d,]+) events were lost)?", words)
            assert found is not None, words
            events, lost = (int((number or "0").replace(",", "")) for number in found.groups())
            return events, lost
        lost = sum(int(number) for number in re.findall(r"[Ll]ost (\d+) events", told + words))
        return told.count("\n"), lost


@contextmanager
def watching(argv: Sequence[str]) -> Iterator[Watcher]:
    watcher = Watcher(argv)
    try:
        yield watcher
    finally:
        if watcher.process.poll() is None:
            watcher.process.kill()
            watcher.process.wait()


def an_event(argv: Sequence[str]) -> float:
    """Return the CPU microseconds of the watcher, an event."""
    with watching(argv) as watcher:
        before = watcher.cpu()
        load()
        time.sleep(0.7)
        spent = watcher.cpu() - before
        events, _ = watcher.stop()
    return spent / events


def lost(argv: Sequence[str]) -> float:
    with watching(argv) as watcher:
        load()
        time.sleep(0.7)
        return float(watcher.stop()[1])


def under(argv: Sequence[str]) -> float:
    """Return the CPU microseconds of a connection while it is watched."""
    with watching(argv) as watcher:
        spent = load()
        watcher.stop()
    return spent


def cases() -> Iterator[Case]:
    """Every question to every watcher."""
    counting = (*TULPEN, "--json", "--bad", "--no-octets")
    telling = (*TULPEN, "--json")
    watchers: list[tuple[str, Sequence[str]]] = [
        ("tulpen watch --bad --no-octets", counting), ("tulpen watch --json", telling),
        ("bpftrace, a line each", BPFTRACE), ("tcpstates of libbpf-tools", TCPSTATES),
    ]  # fmt: skip
    questions: list[tuple[str, str, Callable[[Sequence[str]], float]]] = [
        ("watch: CPU an event", "µs", an_event), ("watch: events lost", "events", lost),
    ]  # fmt: skip
    for group, unit, measure in questions:
        for name, argv in watchers:
            beside = "" if argv is counting or measure is lost else watchers[0][0]
            yield Case(group, name, unit, partial(measure, argv), beside, smaller=True)
    group = "watch: CPU of the watched program, a connection"
    yield Case(group, "not watched", "µs", load, smaller=True)
    for name, argv in watchers:
        yield Case(group, name, "µs", partial(under, argv), "not watched", smaller=True)


WATCH = list(cases())
