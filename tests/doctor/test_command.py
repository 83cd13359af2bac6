from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.doctor.far import wait_for
from tests.doctor.room import Room
from tests.kernel.tracing import needs_tracing
from tests.link.rights import as_nobody, interpreter, needs_network, readable_source
from tulpen.cli.main import run
from tulpen.doctor.examine import Examination
from tulpen.doctor.finding import Finding, Fix, Severity
from tulpen.doctor.report import lines
from tulpen.kernel.tracefs import Tracefs
from tulpen.link.namespace import PrivateNetwork

pytestmark = [pytest.mark.kernel]

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: it enters another network namespace")


@pytest.fixture
def cookies_off() -> PrivateNetwork:
    return PrivateNetwork(sysctls={"net.ipv4.tcp_syncookies": 0})


@pytest.mark.root
@needs_network
@needs_root
def test_a_namespace_by_its_process(cookies_off: PrivateNetwork, capsys: pytest.CaptureFixture[str]) -> None:
    with cookies_off as network:
        words = ["doctor", "--for", "0.2", "--interval", "0.1", "--pid", str(network.pid)]
        assert run(words) == 1
        said = capsys.readouterr().out
        assert "1. warning" in said
        assert "net.ipv4.tcp_syncookies = 0 lets a handful of forged SYNs shut a listener." in said
        assert "sysctl -w net.ipv4.tcp_syncookies=1" in said
        assert "lab      tulpen lab syn-flood --on kernel" in said
        assert run([*words, "--json"]) == 1
        report = json.loads(capsys.readouterr().out)
        assert report["findings"][0]["check"] == "sysctls"
        assert report["findings"][0]["severity"] == "warning"
        assert report["findings"][0]["namespace"] == f"of process {network.pid}"
        network.set_sysctl("net.ipv4.tcp_syncookies", 1)
        assert run(words) == 0
        assert "Nothing wrong was found" in capsys.readouterr().out


@pytest.mark.root
@needs_network
@needs_root
def test_every_namespace(cookies_off: PrivateNetwork, capsys: pytest.CaptureFixture[str]) -> None:
    with cookies_off as network, PrivateNetwork():
        here = Path("/proc/self/ns/net").readlink()
        assert run(["doctor", "--for", "0.2", "--all-netns", "--json"]) == 1
        assert Path("/proc/thread-self/ns/net").readlink() == here
        report = json.loads(capsys.readouterr().out)
        assert report["namespaces"] >= 3
        off = [each for each in report["findings"] if "tcp_syncookies = 0" in each["sentence"]]
        assert any(each["namespace"].startswith(f"{network.pid}/") for each in off)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--pid", "4194999"], "there is no process 4194999"),
        (["--netns", "no-such-name"], "there is no network namespace no-such-name"),
        (["--netns", "/no/such/file"], "there is no network namespace /no/such/file"),
        (["--pid", "1", "--all-netns"], "exclude each other"),
    ],
)
def test_what_cannot_be_looked_at_is_said(words: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor", "--for", "0.2", *words]) == 2
    assert says in capsys.readouterr().err


@pytest.mark.root
@needs_tracing
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
@pytest.mark.parametrize("words", [["--for", "600"], ["--metrics", "127.0.0.1:0"]])
def test_whatever_ends_it_leaves_no_trace_instance(number: signal.Signals, words: list[str]) -> None:
    files = Tracefs()
    command = subprocess.Popen(
        [sys.executable, "-m", "tulpen", "doctor", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )

    def instances() -> list[Path]:
        assert command.poll() is None, command.communicate()
        return list((files.root / "instances").glob(f"tulpen-{command.pid}-*"))

    try:
        wait_for(instances, "it traces", 60)
        left = instances()
        command.send_signal(number)
        _, errors = command.communicate(timeout=60)
        assert not any(path.exists() for path in left)
        assert "Traceback" not in errors
    finally:
        command.kill()
        files.close()


CLOSE_WAIT = """
import socket, time
server = socket.create_server(("127.0.0.1", 8080))
socket.create_connection(("127.0.0.1", 8080)).close()
kept, _ = server.accept()
time.sleep(600)
"""


@pytest.mark.root
@needs_network
def test_as_an_ordinary_user_it_says_what_it_cannot_see() -> None:
    """The sockets of others are seen with their user, not with their process."""
    python = interpreter()
    if os.geteuid() or python is None:
        pytest.skip("needs root and a Python that everybody may run: to be two users")
    with PrivateNetwork() as network, readable_source() as folder:
        network.start([sys.executable, "-I", "-c", CLOSE_WAIT])
        room = Room(network)
        wait_for(lambda: any(sock.state.title == "CLOSE-WAIT" for sock in room.sockets()), "it leaks")
        words = [python, "-m", "tulpen", "doctor", "--for", "6", "--json"]
        env = {"PYTHONPATH": os.pathsep.join([folder, *sys.path[1:]]), "PATH": os.environ["PATH"]}
        finished = network.run([*as_nobody(), *words], env=env, cwd="/", deadline=60)
    assert finished.status == 1, finished.stderr.text
    report = json.loads(finished.stdout.text)
    [finding] = [each for each in report["findings"] if each["check"] == "close-wait"]
    assert "a process of uid 0 leaks 1 socket in CLOSE-WAIT" in finding["sentence"]
    assert finding["holders"][0]["pid"] is None
    assert any("may not be read" in each for each in report["missing"])


def test_a_long_line_goes_on_under_its_text() -> None:
    fix = Fix("read what comes, or close: the process is blocked elsewhere or has forgotten the socket")
    finding = Finding("close-wait", Severity.WARNING, "api (pid 812) leaks " + "ä" * 40 + ".", (), "now", (fix,), "no")
    examination = Examination((finding,), (), 1, 1, 5.0)
    told = [line.plain.rstrip() for line in lines(examination, 40)]
    assert max(map(len, told)) <= 40
    assert told[told.index("   fix      read what comes, or close:") + 1] == "            the process is blocked"
    assert all(line.startswith("   ") for line in told[1 : told.index("")])
    [whole] = [line.plain for line in lines(examination) if "fix" in line.plain]
    assert whole == f"   fix      {fix.what}"


def test_a_reader_who_leaves_early_is_no_finding() -> None:
    read, write = os.pipe()
    os.close(read)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "tulpen", "doctor", "--for", "0.2"],
            stdout=write, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    finally:
        os.close(write)
    assert (done.returncode, done.stderr) == (0, "")


def test_it_is_in_the_help() -> None:
    said = subprocess.run(
        [sys.executable, "-m", "tulpen", "doctor", "--help"], capture_output=True, text=True, check=True
    ).stdout
    assert "--all-netns" in said
    assert "Exit status: nothing wrong (0), something found (1), it cannot look" in said
