"""What the kernel tells everybody, on the real kernel and as an ordinary user."""

from __future__ import annotations

import contextlib
import json
import os
import random
import socket
import struct
import subprocess
import time

import pytest

from tests.link.rights import as_nobody, interpreter, readable_source
from tulpen.watch.closes import Closes
from tulpen.watch.ended import Ended
from tulpen.watch.verdict import Ending, Opened

pytestmark = pytest.mark.kernel

Pair = tuple[socket.socket, socket.socket, Closes]


@pytest.fixture
def pair() -> Pair:
    while True:
        with contextlib.suppress(OSError):
            listener = socket.create_server(("127.0.0.1", random.randrange(20_000, 30_000)))
            break
    with listener:
        client = socket.create_connection(listener.getsockname())
        server, _ = listener.accept()
        watch = Closes()
    return client, server, watch


def told(watch: Closes, port: int, number: int = 2) -> dict[str, Ended]:
    found: dict[str, Ended] = {}
    deadline = time.monotonic() + 60
    with watch:
        while len(found) < number:
            assert time.monotonic() < deadline, found
            for each in watch.poll():
                if port in (each.name.local_port, each.name.remote_port):
                    found["server" if each.name.local_port == port else "client"] = each
            time.sleep(0.01)
    return found


def test_an_orderly_close(pair: Pair) -> None:
    client, server, watch = pair
    port = server.getsockname()[1]
    client.send(b"hello")
    assert server.recv(9) == b"hello"
    server.send(b"you")
    assert client.recv(9) == b"you"
    client.close()
    assert server.recv(9) == b""
    server.close()
    found = told(watch, port)
    one, other = found["client"], found["server"]
    assert (one.verdict.ending, one.verdict.by, one.verdict.opened) == (Ending.ORDERLY, "us", Opened.ACTIVE)
    assert (other.verdict.ending, other.verdict.by, other.verdict.opened) == (Ending.ORDERLY, "peer", Opened.PASSIVE)
    assert (one.sent, one.received, other.sent, other.received) == (5, 3, 3, 5)
    assert all(standing.inferred for standing in one.verdict.path)


def test_a_reset_is_told_without_its_author(pair: Pair) -> None:
    client, server, watch = pair
    port = server.getsockname()[1]
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    mine = client.getsockname()[1]
    client.close()
    with pytest.raises(ConnectionResetError):
        server.recv(9)
    server.close()
    assert told(watch, port, 1)["server"].verdict.ending is Ending.RESET
    assert mine


def test_one_that_its_own_end_reset_has_forgotten(pair: Pair) -> None:
    client, server, watch = pair
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    port = client.getsockname()[1]
    client.close()
    server.close()
    ended = told(watch, port, 1)["server"]  # by its local port
    assert (ended.verdict.ending, ended.sent) == (Ending.UNKNOWN, None)
    assert ended.name.remote_port == 0


SCRIPT = """
from select import select
from tulpen.watch.closes import Closes
with Closes() as watch:
    print("on", flush=True)
    while select([*watch.descriptors, 0], [], [])[0] != [0]:
        for ended in watch.poll():
            print(ended.as_json(), flush=True)
"""


def test_an_ordinary_user_watches() -> None:
    python = interpreter()
    if python is None:
        pytest.skip("there is no Python that an ordinary user can run")
    with readable_source() as folder:
        environment = {"PYTHONPATH": folder, "PATH": os.environ["PATH"]}
        argv = [*as_nobody(), python, "-c", SCRIPT]
        pipe = subprocess.PIPE
        with subprocess.Popen(argv, env=environment, stdin=pipe, stdout=pipe, text=True) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            assert process.stdout.readline() == "on\n"
            with socket.create_server(("127.0.0.1", 0)) as listener:
                port = listener.getsockname()[1]
                client = socket.create_connection(("127.0.0.1", port))
                server, _ = listener.accept()
                client.close()
                assert server.recv(1) == b""
                server.close()
                while port not in (line := json.loads(process.stdout.readline())).values():
                    pass
            process.stdin.close()
            process.wait(60)
    assert line["ending"] == "orderly"
