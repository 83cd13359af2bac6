"""The trace instance on the real kernel: made, read, counted, and removed however the program ends."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.kernel.tracing import needs_tracing
from tests.link.rights import as_nobody, interpreter, readable_source
from tulpen.kernel.tcp_trace import TcpTrace
from tulpen.kernel.tracefs import Tracefs

pytestmark = [pytest.mark.root, pytest.mark.kernel, needs_tracing]

SOURCE = str(Path(__file__).parents[2] / "src")
HOLDER = "import sys, time; from tulpen.kernel.tcp_trace import TcpTrace\nwith TcpTrace(buffers=1 << 20) as trace:\n"


def instances(pid: int) -> list[str]:
    tracefs = Tracefs()
    try:
        return [path.name for path in (tracefs.root / "instances").glob(f"tulpen-{pid}-*")]
    finally:
        tracefs.close()


def listener() -> tuple[socket.socket, int]:
    while True:
        port = random.randrange(20_000, 30_000)
        try:
            return socket.create_server(("127.0.0.1", port)), port
        except OSError:
            continue


def connect(server: socket.socket, number: int) -> None:
    for _ in range(number):
        client = socket.create_connection(server.getsockname())
        accepted, _ = server.accept()
        client.close()
        accepted.recv(1)
        accepted.close()


@pytest.mark.parametrize("bulk", [True, False])
def test_every_transition_is_read(bulk: bool) -> None:
    if bulk:
        pytest.importorskip("numpy")
    server, port = listener()
    with server, TcpTrace(ports=frozenset({port}), bulk=bulk) as trace:
        connect(server, 500)
        trace.stop()
        words = []
        while (batch := trace.poll()) is not None:
            words += [word for _, word, *_ in batch.runs if len(word) > 2]
        assert trace.lost() == 0
    opened = b"".join(words)
    assert opened.count(0x72) == opened.count(0xA3) == 500
    assert opened.count(0x89) == 500


def test_what_does_not_fit_is_counted_exactly() -> None:
    server, port = listener()
    with server, TcpTrace(ports=frozenset({port}), buffers=8192) as small, TcpTrace(ports=frozenset({port})) as large:
        connect(server, 1000)
        for trace in (small, large):
            trace.stop()
        seen = {}
        for name, trace in (("small", small), ("large", large)):
            seen[name] = [0] * 256
            while (batch := trace.poll()) is not None:
                seen[name] = [a + b for a, b in zip(seen[name], batch.counts, strict=True)]
        lost = small.lost()
    transitions = {name: sum(counts[0x10:0xD0]) for name, counts in seen.items()}
    assert lost > 0
    assert transitions["large"] == 10 * 1000
    assert transitions["small"] < transitions["large"]
    # The destructions of other sockets of this machine are among those that were lost.
    assert sum(seen["small"]) + lost >= sum(seen["large"]) - 100


def start(body: str) -> subprocess.Popen[str]:
    code = HOLDER + body
    return subprocess.Popen(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": SOURCE}, stdout=subprocess.PIPE, text=True
    )


def test_an_interrupt_leaves_nothing() -> None:
    with start("    print('on', flush=True)\n    time.sleep(60)") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "on\n"
        assert len(instances(process.pid)) == 1
        process.send_signal(signal.SIGINT)
        process.wait(90)
    assert instances(process.pid) == []


def test_what_a_killed_process_left_is_removed_by_the_next() -> None:
    with start("    print('on', flush=True)\n    time.sleep(60)") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "on\n"
        [left] = instances(process.pid)
        process.kill()
        process.wait(90)
    deadline = time.monotonic() + 90
    notes: list[str] = []
    while instances(process.pid):  # another of these tests may have been quicker
        assert time.monotonic() < deadline
        with TcpTrace(buffers=1 << 20) as trace:
            notes += trace.notes
    assert not notes or f"removed the trace instance {left}" in notes[0]


def test_that_of_a_living_process_stays() -> None:
    with TcpTrace(buffers=1 << 20):
        with TcpTrace(buffers=1 << 20) as other:
            assert len(instances(os.getpid())) == 2
            assert other.notes == other.layout.missing or all("killed" not in note for note in other.notes)
        assert len(instances(os.getpid())) == 1
    assert instances(os.getpid()) == []


def test_an_ordinary_user_is_told_what_to_do() -> None:
    python = interpreter()
    if python is None:
        pytest.skip("there is no Python that an ordinary user can run")
    code = (
        "from tulpen.kernel.tcp_trace import TcpTrace\nfrom tulpen.kernel.tracefs import CannotTrace\n"
        "try: TcpTrace()\nexcept CannotTrace as error: print(error.remedy)"
    )
    with readable_source() as folder:
        done = subprocess.run(
            [*as_nobody(), python, "-c", code], env={"PYTHONPATH": folder, "PATH": os.environ["PATH"]},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert "sudo" in done.stdout, done.stderr
