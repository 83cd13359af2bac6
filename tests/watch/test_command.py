"""``tulpen watch`` as a program, on the real kernel."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.kernel.tracing import needs_tracing

pytestmark = [pytest.mark.root, pytest.mark.kernel, needs_tracing]

SOURCE = str(Path(__file__).parents[2] / "src")


def start(*words: str, before: tuple[str, ...] = ()) -> subprocess.Popen[str]:
    argv = [*before, sys.executable, "-m", "tulpen", "watch", *words]
    environment = {**os.environ, "PYTHONPATH": SOURCE, "NO_COLOR": "1"}
    return subprocess.Popen(argv, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def connect(port: int) -> None:
    with socket.create_server(("127.0.0.1", port)) as listener:
        client = socket.create_connection(("127.0.0.1", port))
        server, _ = listener.accept()
        client.close()
        assert server.recv(1) == b""
        server.close()


def test_lines_come_as_connections_end_and_an_interrupt_is_the_usual_end() -> None:
    port = random.randrange(20_000, 30_000)
    with start("--json", "--port", str(port)) as watch:
        assert watch.stdout is not None
        assert watch.stderr is not None
        os.set_blocking(watch.stdout.fileno(), False)
        line = ""
        while not line:  # it may not be tracing yet
            assert watch.poll() is None, watch.communicate()
            connect(port)
            try:
                watch.wait(0.3)
            except subprocess.TimeoutExpired:
                line = watch.stdout.readline()
        os.set_blocking(watch.stdout.fileno(), True)
        watch.send_signal(signal.SIGTERM)
        rest = watch.stdout.read()
        words = watch.stderr.read()
        assert watch.wait(90) == 0
    told = [json.loads(each) for each in (line + rest).splitlines()]
    endings = {each["ending"] for each in told}
    assert "orderly" in endings
    assert endings <= {"orderly", "half-closed"}  # on a busy machine one end is closed well before the other
    assert {each["pid"] for each in told} <= {os.getpid(), None}
    assert "ends of connections" in words


def test_it_stops_after_so_many() -> None:
    port = random.randrange(20_000, 30_000)
    with start("--lines", "--port", str(port), "--count", "1") as watch:
        while watch.poll() is None:
            connect(port)
            try:
                watch.wait(0.3)
            except subprocess.TimeoutExpired:
                continue
        assert watch.stdout is not None
        assert len(watch.stdout.read().splitlines()) == 1
        assert watch.returncode == 0


def test_without_privileges_less_is_told() -> None:
    if Path("/sys/kernel/tracing/instances").exists():
        pytest.skip("tracefs is mounted, and root owns it with or without privileges")
    if shutil.which("unshare") is None or subprocess.run(["unshare", "-U", "true"], check=False).returncode:
        pytest.skip("no user namespace may be made here")
    port = random.randrange(20_000, 30_000)
    with start("--json", "--port", str(port), "--count", "1", before=("unshare", "-U")) as watch:
        while watch.poll() is None:
            connect(port)
            try:
                watch.wait(0.3)
            except subprocess.TimeoutExpired:
                continue
        assert watch.stdout is not None
        assert watch.stderr is not None
        assert json.loads(watch.stdout.read())["ending"] == "orderly"
        assert "tracing is for root: run it with sudo" in watch.stderr.read()


@pytest.mark.parametrize(
    "words", [["--state", "sideways"], ["--ending", "badly"], ["--port", "70000"], ["--for", "-1"]]
)
def test_what_makes_no_sense_is_a_usage_error(words: list[str]) -> None:
    with start(*words) as watch:
        assert watch.wait(90) == 2
        assert watch.stderr is not None
        assert "Traceback" not in watch.stderr.read()
