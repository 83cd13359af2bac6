"""Captures of the real kernel, made by ``tulpen read -i`` in a private network."""

from __future__ import annotations

import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.link.rights import needs_network
from tulpen.capture.frame import Frame
from tulpen.capture.live import frames
from tulpen.capture.reader import Reader
from tulpen.capture.reading import Reading
from tulpen.errors import TulpenError
from tulpen.link.namespace import PrivateNetwork

pytestmark = [pytest.mark.root, pytest.mark.kernel, needs_network]

LINGER_0 = struct.pack("ii", 1, 0)
PATIENCE = 60.0
BACKOFF = 4  # where struct tcp_info says how often the timer of the probes was doubled
STOP = b"that is all"  # a datagram that says so


class Heard(threading.Thread):
    """Listens on an interface of the namespace that this thread began in, until it is told to stop."""

    def __init__(self, network: PrivateNetwork) -> None:
        super().__init__()
        self.network = network
        self.frames: list[Frame] = []

    def run(self) -> None:
        with self.network.inside():
            live = frames("lo", seconds=PATIENCE)
            for frame in live:
                self.frames.append(frame)
                if frame.data.endswith(STOP):
                    return


@contextmanager
def heard(network: PrivateNetwork) -> Iterator[Reading]:
    """What passed on the loopback of a network meanwhile."""
    listener = Heard(network)
    listener.start()
    knock = network.open_socket(socket.AF_INET, socket.SOCK_DGRAM)
    deadline = time.monotonic() + PATIENCE
    while not listener.frames and time.monotonic() < deadline:  # until it hears the knocks it does not listen
        knock.sendto(b"", ("127.0.0.1", 9))
        time.sleep(0.01)
    reading = Reading()
    try:
        yield reading
    finally:
        knock.sendto(STOP, ("127.0.0.1", 9))
        listener.join(PATIENCE)
        knock.close()
        reader = Reader(reading)
        reader.take(listener.frames)
        reader.finish()


class Pair:
    """Two connected sockets of the kernel."""

    def __init__(self, network: PrivateNetwork) -> None:
        self.listener = network.open_socket(socket.AF_INET, socket.SOCK_STREAM)
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen()
        self.client = network.open_socket(socket.AF_INET, socket.SOCK_STREAM)
        self.client.settimeout(PATIENCE)
        self.client.connect(self.listener.getsockname())
        self.server, _ = self.listener.accept()
        self.server.settimeout(PATIENCE)

    def close(self) -> None:
        for each in (self.client, self.server, self.listener):
            each.close()


def client_closes(pair: Pair) -> None:
    pair.client.sendall(b"hello")
    assert pair.server.recv(10) == b"hello"
    pair.client.close()
    assert pair.server.recv(10) == b""
    pair.server.close()


def server_closes(pair: Pair) -> None:
    pair.server.close()
    assert pair.client.recv(10) == b""
    pair.client.close()


def linger_0(pair: Pair) -> None:
    pair.client.sendall(b"hello")
    assert pair.server.recv(10) == b"hello"
    pair.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_0)
    pair.client.close()
    with pytest.raises(ConnectionResetError):
        pair.server.recv(10)


def unread(pair: Pair) -> None:
    pair.client.sendall(b"hello")
    assert pair.server.recv(10, socket.MSG_PEEK) == b"hello"
    pair.server.close()
    with pytest.raises(ConnectionResetError):
        pair.client.recv(10)


def late_text(pair: Pair) -> None:
    pair.server.close()
    assert pair.client.recv(10) == b""
    pair.client.sendall(b"hello")
    deadline = time.monotonic() + PATIENCE
    while pair.client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0 and time.monotonic() < deadline:
        time.sleep(0.01)


def half_close(pair: Pair) -> None:
    pair.client.shutdown(socket.SHUT_WR)
    assert pair.server.recv(10) == b""
    pair.server.sendall(b"more")
    assert pair.client.recv(10) == b"more"


# what is done; ended, by, cause, TIME-WAIT
DEEDS: list[tuple[Callable[[Pair], None], tuple[str, str, str, str]]] = [
    (client_closes, ("closed", "client", "", "client")),
    (server_closes, ("closed", "server", "", "server")),
    (linger_0, ("reset", "client", "abort", "")),
    (unread, ("reset", "server", "unread-data", "")),
    (late_text, ("reset", "server", "data-after-close", "")),
    (half_close, ("half-closed", "client", "", "")),
]


@pytest.mark.parametrize(("deed", "expected"), DEEDS, ids=lambda value: getattr(value, "__name__", ""))
def test_what_the_kernel_does(deed: Callable[[Pair], None], expected: tuple[str, str, str, str]) -> None:
    with PrivateNetwork() as network:
        with heard(network) as reading:
            pair = Pair(network)
            deed(pair)
            time.sleep(0.05)  # what the last call has sent passes within microseconds; nothing hangs on it
        pair.close()
    (row,) = reading
    assert row.opened == "normal"
    assert (row.ended, row.by, row.cause, row.time_wait) == expected, row.why


def test_a_closed_port() -> None:
    with PrivateNetwork() as network, heard(network) as reading:
        client = network.open_socket(socket.AF_INET, socket.SOCK_STREAM)
        with pytest.raises(ConnectionRefusedError):
            client.connect(("127.0.0.1", 1))
        client.close()
    (row,) = reading
    assert (row.opened, row.cause) == ("refused", "closed-port")


def test_a_window_that_nobody_reads() -> None:
    with PrivateNetwork() as network, heard(network) as reading:
        pair = Pair(network)
        pair.client.setblocking(False)
        with suppress(BlockingIOError):
            while pair.client.send(bytes(100_000)):
                pass
        deadline = time.monotonic() + PATIENCE
        while not pair.client.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 8)[BACKOFF]:
            assert time.monotonic() < deadline
            time.sleep(0.01)  # a probe follows the last of it, and its answer says that there is no room
        pair.close()
    (row,) = reading
    assert "zero-window" in row.findings
    assert any(f.kind == "zero-window" and f.end == "server" for f in reading.findings)


def test_the_command_listens(tmp_path: Path) -> None:
    with PrivateNetwork() as network:
        command = [sys.executable, "-m", "tulpen", "read", "-i", "lo", "--packets", "40", "--seconds", "60", "--json"]
        listening = network.start(command)
        deadline = time.monotonic() + PATIENCE
        while listening.poll() is None and time.monotonic() < deadline:
            pair = Pair(network)
            client_closes(pair)
            pair.close()
        told: dict[str, Any] = json.loads(listening.wait().stdout.text)
    assert told["counts"]["frames"] == 40
    assert told["connections"][-2]["ended"] == "closed"


def test_every_interface_at_once() -> None:
    with PrivateNetwork() as network:
        command = [sys.executable, "-m", "tulpen", "read", "-i", "any", "--packets", "8", "--seconds", "60", "--json"]
        listening = network.start(command)
        deadline = time.monotonic() + PATIENCE
        while listening.poll() is None and time.monotonic() < deadline:
            pair = Pair(network)
            client_closes(pair)
            pair.close()
        assert json.loads(listening.wait().stdout.text)["counts"]["segments"] == 8


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="setpriv (util-linux) is not installed")
@pytest.mark.skipif(os.getuid() != 0, reason="only root can give up the right to listen")
def test_who_may_not_listen_is_told_what_else_to_do() -> None:
    command = ["setpriv", "--bounding-set=-net_raw", sys.executable, "-m", "tulpen", "read", "-i", "lo"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2
    assert "this user may not listen on lo" in done.stderr
    assert "tcpdump -i lo" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_interface_that_is_not_there() -> None:
    with PrivateNetwork() as network, network.inside(), pytest.raises(TulpenError, match="no interface nowhere0"):
        next(frames("nowhere0", seconds=1))
