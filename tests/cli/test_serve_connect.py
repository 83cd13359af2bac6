"""``tulpen serve`` and ``tulpen connect``: an nc-like end, and the states it tells."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from typing import Any

import pytest

from tulpen.link.namespace import NotPermitted, PrivateNetwork

pytestmark = [pytest.mark.kernel, pytest.mark.root]

try:
    PrivateNetwork().close()
except NotPermitted as reason:
    pytest.skip(f"no private network here: {reason}", allow_module_level=True)

TULPEN = [sys.executable, "-m", "tulpen"]
CLIENT = """
import socket
connection = socket.create_connection(("{host}", {port}))
connection.sendall(b"from the client")
connection.shutdown(socket.SHUT_WR)
while data := connection.recv(1000):
    print(data.decode(), end="")
"""
SERVER = """
import socket
listening = socket.create_server(("", {port}))
connection, _ = listening.accept()
connection.sendall(b"welcome ")
while data := connection.recv(1000):
    connection.sendall(data.upper())
"""
RESETTING = """
import socket, struct
listening = socket.create_server(("", {port}))
connection, _ = listening.accept()
connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
connection.close()
"""


def run(*args: str, stdin: bytes = b"", python: str = "") -> subprocess.CompletedProcess[str]:
    """Run tulpen with ``python`` as the command inside."""
    inside = ["--", sys.executable, "-c", python] if python else []
    done = subprocess.run([*TULPEN, *args, *inside], input=stdin, capture_output=True, timeout=120, check=False)
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


def path(stderr: str) -> list[str]:
    """Return the states that the lines of JSON lead to."""
    lines = [json.loads(line) for line in stderr.splitlines() if line.startswith("{")]
    return [line["after"] for line in lines if "after" in line]


def test_serve_by_hand() -> None:
    done = run("serve", "7000", stdin=b"from tulpen\n", python=CLIENT)
    assert done.returncode == 0
    assert done.stdout == "from the client"
    assert "from tulpen" in done.stderr  # what the client prints, its stdout being ours
    assert "LISTEN > SYN-RECEIVED" in done.stderr
    assert "syn: <- SYN win" in done.stderr


def test_serve_echo() -> None:
    done = run("serve", "--echo", "--json", python=CLIENT)
    assert (done.returncode, done.stdout) == (0, "from the client")
    assert path(done.stderr) == ["LISTEN", "SYN-RECEIVED", "ESTABLISHED", "CLOSE-WAIT", "LAST-ACK", "CLOSED"]


@pytest.mark.parametrize("family", [[], ["-6"]])
def test_serve_http(family: list[str]) -> None:
    script = "import sys, urllib.request as u; print(u.urlopen('{url}').read().decode())"
    done = run("serve", "--http", "-q", *family, python=script)
    assert (done.returncode, done.stderr) == (0, "")
    assert "a TCP written in Python" in done.stdout


def test_the_clients_status_counts() -> None:
    done = run("serve", "--discard", python=CLIENT + "raise SystemExit(3)")
    assert done.returncode == 1


def test_segments_are_shown_too() -> None:
    done = run("serve", "--echo", "--segments", "--set", "net.ipv4.tcp_syncookies=2", python=CLIENT)
    assert "-> SYN,ACK" in done.stderr
    assert "<- PSH 1:16 ack 1" in done.stderr
    done = run("serve", "--echo", "--segments", "--json", python=CLIENT)
    segments = [json.loads(line) for line in done.stderr.splitlines()]
    assert {"flags": "SYN", "length": 0}.items() <= next(s["arrived"] for s in segments if "arrived" in s).items()


def test_connect_by_hand() -> None:
    done = run("connect", "7000", "--json", "--wait", "--set", "tcp_timewait_len=1", stdin=b"said aloud", python=SERVER)
    assert (done.returncode, done.stdout) == (0, "welcome SAID ALOUD")
    assert path(done.stderr)[:3] == ["SYN-SENT", "ESTABLISHED", "FIN-WAIT-1"]
    assert path(done.stderr)[-2:] == ["TIME-WAIT", "CLOSED"]


def test_connect_and_send() -> None:
    done = run("connect", "--send", r"a\x62\n", python=SERVER)
    assert (done.returncode, done.stdout) == (0, "welcome AB\n")


def test_a_reset_is_something_found() -> None:
    done = run("connect", python=RESETTING)
    assert done.returncode == 1
    assert "ECONNRESET" in done.stderr
    assert "> CLOSED" in done.stderr


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["serve"], "give a COMMAND"),
        (["connect"], "give a COMMAND"),
        (["serve", "--set", "tcp_no_such=1", "--", "true"], "tcp_no_such"),
        (["serve", "--set", "tcp_rmem=1 2", "--", "true"], "no value for tcp_rmem"),
        (["serve", "--", "no-such-program"], "no-such-program"),
        (["connect", "--", "false"], "before it listened"),
        (["connect", "--patience", "0.2", "--", "sleep", "9"], "nothing listens on port 8000"),
        (["connect", "--send", r"\x", "--", "true"], "escape"),
    ],
)
def test_what_cannot_be_done(args: list[str], said: str) -> None:
    done = run(*args)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_interrupting() -> None:
    script = "import time; print('up', flush=True); time.sleep(600)"
    argv = [*TULPEN, "serve", "--http", "--", sys.executable, "-c", script]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"Traceback" not in err


class Typist:
    """Somebody at a terminal."""

    def __init__(self, *args: str) -> None:
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execvpe(TULPEN[0], [*TULPEN, *args], os.environ | {"SHELL": "/bin/sh", "PS1": "ready$ ", "ENV": ""})
        self.seen = ""

    def until(self, words: str) -> None:
        end = time.monotonic() + 60
        while words not in self.seen:
            assert time.monotonic() < end, self.seen
            if select.select([self.fd], [], [], 0.1)[0]:
                self.read()

    def read(self) -> None:
        try:
            self.seen += os.read(self.fd, 65_536).decode()
        except OSError:  # the other side is closed
            time.sleep(0.05)

    def types(self, line: str) -> None:
        os.write(self.fd, line.encode() + b"\r")

    def status(self) -> int:
        _, status = os.waitpid(self.pid, 0)
        os.close(self.fd)
        return os.waitstatus_to_exitcode(status)


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_shell_in_the_private_network() -> None:
    typist: Any = Typist("serve")
    typist.until("leave this shell to end it")
    typist.until("ready$ ")
    typist.types(
        f"{sys.executable} -c 'import sys, urllib.request as u; print(u.urlopen(sys.argv[1]).read())' $TULPEN_URL"
    )
    typist.until("a TCP written in Python")
    typist.until("ESTABLISHED > ")
    typist.types("exit")
    assert typist.status() == 0


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_connecting_to_what_a_shell_starts() -> None:
    typist: Any = Typist("connect", "7000", "--send", "hello")
    typist.until("once something in this shell listens")
    typist.until("ready$ ")
    script = 'import socket; c, _ = socket.create_server(("", 7000)).accept(); c.sendall(c.recv(9).upper())'
    typist.types(f"{sys.executable} -c '{script}'")
    typist.until("5 octets: b'HELLO'")
    typist.types("exit")
    assert typist.status() == 0
