"""Nothing of a private network is left behind, however its program ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.link.rights import SOURCE, needs_network

pytestmark = [pytest.mark.root, needs_network]

PATIENCE = 60  # seconds

PROGRAM = """
import os, sys, threading, time
from tulpen.link.namespace import PrivateNetwork
networks = [PrivateNetwork(), PrivateNetwork(device="veth")]
for network in networks:
    # one that stays in its group, one that leaves it, one that is an orphan in a session of its own
    network.start(["sh", "-c", "sleep 600 & setsid sleep 600 & (setsid sh -c 'sleep 600 & sleep 600' &) ; sleep 600"])
if "fork" in sys.argv and os.fork() == 0:
    time.sleep(600)
print("up", flush=True)
sys.stdin.readline()
if "exception" in sys.argv:
    raise RuntimeError("a mistake")
time.sleep(600)
"""


def _marked(mark: str) -> list[str]:
    """Return the command lines of the processes whose environment bears the mark."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                if mark.encode() in (entry / "environ").read_bytes():
                    found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode())
            except OSError:
                continue
    return found


def _started(mark: str, *words: str) -> subprocess.Popen[str]:
    program = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *words],
        env={**os.environ, "PYTHONPATH": str(SOURCE), "TULPEN_TEST": mark},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    assert program.stdin is not None
    assert program.stdout is not None
    assert program.stdout.readline() == "up\n"
    assert _until(lambda: _marked(mark).count("sleep 600 ") == 10)  # five in each network
    program.stdin.write("go on\n")
    program.stdin.flush()
    return program


def _until(true: Callable[[], bool]) -> bool:
    """Wait for something; return whether it came about."""
    deadline = time.monotonic() + PATIENCE
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def gone(mark: str) -> bool:
    return _until(lambda: not _marked(mark))


def _kill(program: subprocess.Popen[str]) -> None:
    program.kill()


def _interrupt(program: subprocess.Popen[str]) -> None:
    os.killpg(program.pid, signal.SIGINT)  # as Ctrl-C reaches everything in the foreground


def _terminate(program: subprocess.Popen[str]) -> None:
    program.terminate()


@pytest.mark.parametrize("end", [_kill, _interrupt, _terminate])
def test_nothing_is_left_after_a_signal(end: Callable[[subprocess.Popen[str]], None]) -> None:
    mark = uuid.uuid4().hex
    with _started(mark) as program:
        assert len(_marked(mark)) >= 14
        end(program)
        program.wait(PATIENCE)
    assert gone(mark), _marked(mark)


def test_nothing_is_left_after_an_exception() -> None:
    mark = uuid.uuid4().hex
    with _started(mark, "exception") as program:
        assert program.wait(PATIENCE) == 1
    assert gone(mark), _marked(mark)


def test_a_fork_of_the_program_keeps_nothing_alive() -> None:
    mark = uuid.uuid4().hex
    with _started(mark, "fork") as program:
        program.kill()
        program.wait(PATIENCE)
        assert _until(lambda: len(_marked(mark)) <= 1)
        left = _marked(mark)
        os.killpg(program.pid, signal.SIGKILL)  # the fork
    assert len(left) == 1
    assert gone(mark)
