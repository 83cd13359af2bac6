"""``tulpen ss`` on the real kernel, in private networks."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.link.rights import SOURCE, as_nobody, interpreter, needs_network, readable_source
from tests.second_try import first_try
from tulpen.cli.main import run
from tulpen.link.namespace import Finished, PrivateNetwork

pytestmark = [pytest.mark.root, pytest.mark.kernel, needs_network]

SERVER = """
import socket, time
listener = socket.create_server(("192.0.2.1", 8080), backlog=2)
other = socket.create_server(("::", 9090), family=socket.AF_INET6, dualstack_ipv6=True)
leaked = []
for i in range(5):
    client = socket.create_connection(("192.0.2.1", 8080))
    served, _ = listener.accept()
    leaked.append(served)
    if i < 3:
        client.close()
    else:
        client.sendall(b"unread" * i)
        leaked.append(client)
print("up", flush=True)
time.sleep(600)
"""


class Populated:
    """A network with sockets in it; some of them, FIN-WAIT-2 that nobody holds, are there for a minute only."""

    def __init__(self) -> None:
        self._network: PrivateNetwork | None = None
        self._made = 0.0

    def fresh(self) -> PrivateNetwork:
        if self._network is None or time.monotonic() - self._made > 20:
            self.close()
            self._network = PrivateNetwork()
            self._made = time.monotonic()
            read, write = os.pipe()
            self._network.start([sys.executable, "-c", SERVER], stdout=write)
            os.close(write)
            with os.fdopen(read) as said:
                assert said.readline() == "up\n"
        return self._network

    def close(self) -> None:
        if self._network is not None:
            self._network.close()
            self._network = None


@pytest.fixture(scope="module")
def populated() -> Iterator[Populated]:
    with closing(Populated()) as populated:
        yield populated


@pytest.fixture
def network(request: pytest.FixtureRequest, populated: Populated) -> PrivateNetwork:
    if not first_try(request):
        populated.close()
    return populated.fresh()


def _ss(network: PrivateNetwork, *words: str, env: dict[str, str] | None = None) -> Finished:
    return network.run(
        [sys.executable, "-m", "tulpen", "ss", *words],
        deadline=60.0,
        env={**os.environ, "PYTHONPATH": str(SOURCE), **(env or {})},
    )


def _sockets(network: PrivateNetwork, *words: str) -> list[dict[str, Any]]:
    done = _ss(network, "--json", *words)
    assert done.status == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout.text)["sockets"]
    return found


def test_the_table_has_the_same_columns_whatever_it_holds(network: PrivateNetwork) -> None:
    for words in ([], ["state", "close-wait"], ["state", "closing"]):
        lines = _ss(network, *words).stdout.text.splitlines()
        assert lines[0].split() == ["STATE", "RECV-Q", "SEND-Q", "DROPS", "LOCAL", "PEER"]
        assert all(len(line.split()) == 6 for line in lines)
    assert len(lines) == 1


def test_a_leak_of_close_wait_is_pinned_on_its_process(network: PrivateNetwork) -> None:
    leaked = _sockets(network, "-p", "state", "close-wait")
    assert len(leaked) == 3
    assert {(each["state"], each["local_address"], each["local_port"]) for each in leaked} == {
        ("CLOSE-WAIT", "192.0.2.1", 8080)
    }
    assert {len(each["processes"]) for each in leaked} == {1}
    (pid,) = {each["processes"][0]["pid"] for each in leaked}
    (line,) = _ss(network, "-H", "--by", "process", "state", "close-wait").stdout.text.splitlines()
    assert line.split() == ["3", f"{leaked[0]['processes'][0]['command']}({pid})", "CLOSE-WAIT:3"]


@pytest.mark.parametrize(
    ("words", "count"),
    [
        ("state established", 4),
        ("state established sport = :8080", 2),
        ("state connected ( dport = :8080 or sport = :8080 )", 10),
        ("state connected dst 192.0.2.0/24 and not sport = :8080", 5),
        ("-l", 2),
        ("-l src :9090", 1),
        ("-4 -l", 1),
        ("-6 -l", 1),
    ],
)
def test_what_is_selected(network: PrivateNetwork, words: str, count: int) -> None:
    assert len(_sockets(network, *words.split())) == count


def test_counts(network: PrivateNetwork) -> None:
    lines = _ss(network, "--by", "state").stdout.text.splitlines()
    assert lines[0].split() == ["COUNT", "STATE"]
    assert {tuple(line.split()) for line in lines[1:]} == {
        ("4", "ESTABLISHED"), ("3", "CLOSE-WAIT"), ("3", "FIN-WAIT-2"), ("2", "LISTEN"),
    }  # fmt: skip
    ports = json.loads(_ss(network, "--json", "--by", "port").stdout.text)["counts"]
    assert {each["what"]: each["total"] for each in ports} == {":8080 here": 6, ":8080 there": 5, ":9090 here": 1}
    peers = json.loads(_ss(network, "--json", "--by", "peer", "state", "connected").stdout.text)["counts"]
    assert peers == [{"what": "192.0.2.1", "total": 10, "states": {"ESTABLISHED": 4, "FIN-WAIT-2": 3, "CLOSE-WAIT": 3}}]
    users = json.loads(_ss(network, "--json", "--by", "user").stdout.text)["counts"]
    assert sum(each["total"] for each in users) == 12


def test_everything_about_a_socket(network: PrivateNetwork) -> None:
    found = _sockets(network, "-pomie", "state", "established", "sport", "=", ":8080", "--sort", "recv-q")
    most = found[0]
    assert [each["recv_q"] for each in found] == [24, 18]
    assert most["tcp_info"]["bytes_received"] == 24
    assert most["memory"]["receive_limit"] > 0
    assert most["congestion"]
    assert most["timer"] in ("off", "keepalive")
    text = _ss(network, "-pomie", "state", "established", "sport", "=", ":8080").stdout.text
    assert text.splitlines()[0].split()[6:] == ["TIMER", "USER", "INODE", "COOKIE", "PROCESS"]
    assert "skmem:(r" in text
    assert "bytes_received:24" in text


def test_a_listener_of_both_families_bears_a_star(network: PrivateNetwork) -> None:
    rows = [line.split() for line in _ss(network, "-lH", "--sort", "-local").stdout.text.splitlines()]
    assert {row[3] for row in rows} == {"0"}
    assert {row[4] for row in rows} == {"192.0.2.1:8080", "*:9090"}


def test_the_drops_of_a_listener_are_counted() -> None:
    with PrivateNetwork() as network, network.open_socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.bind(("192.0.2.1", 80))
        listener.listen(0)
        clients = []
        for _ in range(6):
            client = network.open_socket(socket.AF_INET, socket.SOCK_STREAM)
            client.setblocking(False)
            client.connect_ex(("192.0.2.1", 80))
            clients.append(client)
        deadline = time.monotonic() + 90
        while not (found := _sockets(network, "-l"))[0]["drops"]:
            assert time.monotonic() < deadline
        assert (found[0]["recv_q"], found[0]["send_q"]) == (1, 0)
        for client in clients:
            client.close()


@pytest.mark.skipif(shutil.which("ss") is None, reason="ss is not installed (iproute2)")
def test_it_says_what_ss_says(network: PrivateNetwork) -> None:
    names = {"ESTAB": "ESTABLISHED", "FIN-WAIT-1": "FIN-WAIT-1", "SYN-RECV": "SYN-RECEIVED"}
    theirs = set()
    for line in network.run(["ss", "-Htan"], deadline=60.0).stdout.text.splitlines():
        state, recv_q, send_q, local, peer = line.split()
        theirs.add((names.get(state, state), recv_q, send_q, local, peer))
    ours = set()
    for line in _ss(network, "-H").stdout.text.splitlines():
        state, recv_q, send_q, _, local, peer = line.split()
        ours.add((state, recv_q, send_q, local, peer))
    assert ours == theirs


@pytest.mark.skipif(os.geteuid() != 0, reason="entering another network namespace needs root")
def test_every_namespace(network: PrivateNetwork, capsys: pytest.CaptureFixture[str]) -> None:
    with PrivateNetwork() as second, second.open_socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.bind(("192.0.2.1", 1234))
        listener.listen()
        assert run(["ss", "--all-netns", "--json", "-p", "-l"]) == 0
        found = json.loads(capsys.readouterr().out)["sockets"]
        pids = [[holder["pid"] for holder in each["processes"] or ()] for each in found]
        (mine,) = [
            each for each, who in zip(found, pids, strict=True) if os.getpid() in who and each["local_port"] == 1234
        ]
        (theirs,) = [
            each
            for each, who in zip(found, pids, strict=True)
            if each["local_port"] == 9090 and who and _namespace(who[0]) == _namespace(network.pid)
        ]
        assert theirs["netns"] != mine["netns"]
        assert run(["ss", "--all-netns", "-lH", "--sort", "-local"]) == 0
        names = [line.split()[5] for line in capsys.readouterr().out.splitlines()]
        assert "192.0.2.1:1234" in names
        four = [_key(name) for name in names if name[0].isdecimal()]
        assert four == sorted(four)  # whatever namespace they are in
        assert run(["ss", "--net", str(second.pid), "--json"]) == 0
        (only,) = json.loads(capsys.readouterr().out)["sockets"]
        assert only["local_port"] == 1234
        assert run(["ss", "--all-netns", "-s"]) == 0
        assert "network namespace" in capsys.readouterr().out


def test_what_is_bound_and_no_more_has_to_be_asked_for(network: PrivateNetwork) -> None:
    with network.open_socket(socket.AF_INET, socket.SOCK_STREAM) as bound:
        bound.bind(("192.0.2.1", 4321))
        assert not [each for each in _sockets(network) if each["local_port"] == 4321]
        asked = _sockets(network, "state", "closed")
        if not asked:
            pytest.skip("this kernel tells of such sockets from 6.8 on")
        assert [(each["state"], each["local_port"]) for each in asked] == [("CLOSED", 4321)]


def test_a_screen_is_drawn_again_in_its_height(network: PrivateNetwork) -> None:
    master, slave = os.openpty()
    termios.tcsetwinsize(slave, (6, 100))
    env = {name: value for name, value in os.environ.items() if name not in {"LINES", "COLUMNS"}}
    watching = network.start(
        [sys.executable, "-m", "tulpen", "ss", "--watch", "0.1"],
        stdin=slave,
        stdout=slave,
        env={**env, "PYTHONPATH": str(SOURCE), "NO_COLOR": "1"},
    )
    os.close(slave)
    shown = b""
    while shown.count(b"\x1b[H\x1b[J") < 3:
        shown += os.read(master, 4096)
    watching.kill(signal.SIGINT)
    assert watching.wait().status == 0
    os.close(master)
    screen = shown.split(b"\x1b[H\x1b[J")[1]
    assert screen.count(b"\r\n") == 5
    assert b"\x1b" not in screen


def _namespace(pid: int) -> int:
    return Path(f"/proc/{pid}/ns/net").stat().st_ino


def _key(name: str) -> tuple[bytes, int]:
    host, _, port = name.rpartition(":")
    return socket.inet_aton(host.partition("%")[0]), int(port)


def test_the_summary(network: PrivateNetwork) -> None:
    said = json.loads(_ss(network, "-s", "--json").stdout.text)
    assert said["states"]["CLOSE-WAIT"] == 3
    (totals,) = [each["totals"] for each in said["namespaces"]]
    assert totals["time_wait"] == 3  # FIN-WAIT-2 without a process is kept as TIME-WAIT is
    assert totals["used"] > 0


@pytest.mark.skipif(os.geteuid() != 0 or interpreter() is None, reason="becomes another user; needs root")
def test_an_ordinary_user_sees_the_table_and_is_told_what_it_lacks(network: PrivateNetwork) -> None:
    with readable_source() as source:
        done = network.run(
            [
                *as_nobody(),
                f"PYTHONPATH={':'.join([source, *_packages()])}",
                *(str(interpreter()), "-m", "tulpen", "ss", "-p"),
            ],
            deadline=60.0,
            cwd="/",
        )
    if "No module named" in done.stderr.text:
        pytest.skip("an ordinary user cannot read click here")
    lines = done.stdout.text.splitlines()
    assert len(lines) == 13
    assert {line.split()[-1] for line in lines[1:]} == {"?", "-"}
    assert "root" in done.stderr.text


def _packages() -> list[str]:
    return [path for path in sys.path if path.endswith("site-packages")]


def test_again_and_again_until_interrupted(network: PrivateNetwork) -> None:
    read, write = os.pipe()
    watching = network.start(
        [sys.executable, "-m", "tulpen", "ss", "--json", "--by", "state", "--watch", "0.1"],
        stdout=write,
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
    )
    os.close(write)
    with os.fdopen(read) as lines:
        for _ in range(3):
            assert json.loads(lines.readline())["by"] == "state"
        watching.kill(signal.SIGINT)
        lines.read()
    assert watching.wait().status == 0


def test_no_colour_in_a_pipe(network: PrivateNetwork) -> None:
    assert "\x1b" not in _ss(network).stdout.text


def test_the_words_of_netstat(network: PrivateNetwork) -> None:
    done = _ss(network, "-tulpen")
    header, *lines = done.stdout.text.splitlines()
    assert header.split()[-4:] == ["USER", "INODE", "COOKIE", "PROCESS"]
    assert {line.split()[0] for line in lines} == {"LISTEN"}
    assert "TCP alone" in done.stderr.text


def test_nobody_is_the_user_of_what_has_no_process(network: PrivateNetwork) -> None:
    users = {each["user"] for each in _sockets(network) if not each["inode"]}
    assert users == {None}
    assert "-" in {line.split()[1] for line in _ss(network, "-H", "--by", "user").stdout.text.splitlines()}


def test_a_namespace_that_may_not_be_known_is_no_missing_one() -> None:
    python = interpreter()
    if os.geteuid() or python is None:
        pytest.skip("needs root and a Python that everybody may run: to be two users")
    with PrivateNetwork() as network, readable_source() as source:
        done = network.run(
            [
                *as_nobody(),
                f"PYTHONPATH={':'.join([source, *_packages()])}",
                *(str(python), "-m", "tulpen", "ss", "--net", str(network.pid)),
            ],
            deadline=60.0,
            cwd="/",
        )
    if "No module named" in done.stderr.text:
        pytest.skip("an ordinary user cannot read click here")
    assert done.status == 2
    assert f"process {network.pid} may not be known" in done.stderr.text


@pytest.mark.parametrize("words", [["state", "nonsense"], ["--net", "nowhere"], ["--sort", "nonsense"], ["dport", "="]])
def test_what_it_cannot_work_with(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["ss", *words]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("tulpen: ")
    assert "Traceback" not in said.err
