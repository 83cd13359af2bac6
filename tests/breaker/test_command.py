"""The command: what it prints and writes, how it exits, and that it leaves nothing behind."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.breaker.running import PROGRAMS, needs_kernel, program, tulpen_break
from tests.link.rights import SOURCE, as_nobody, interpreter, readable_source

pytestmark = needs_kernel
NAIVE = program("naive", "{host}", "{port}")
QUICK = ("--fault", "refused", "--fault", "rst-at-byte")


def test_the_control_is_drawn_to_its_end() -> None:
    done = tulpen_break("--fault", "refused", "--ladder", "control")
    assert done.returncode == 0
    for words in ("SYN-SENT", "SYN-RECEIVED", "ESTABLISHED", "FIN-WAIT-1", "TIME-WAIT", "2 MSL have passed   CLOSED"):
        assert words in done.stdout
    assert "segments" not in done.stdout  # every one of them is drawn
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_exit_status_and_table() -> None:
    good = tulpen_break(*QUICK, "--", *NAIVE)
    assert (good.returncode, good.stderr) == (0, "")
    assert "2 faults in" in good.stdout
    bad = tulpen_break("--fault", "fin-at-byte", "--", *NAIVE)
    assert bad.returncode == 1
    assert "wrong" in bad.stdout
    assert "What a good program would have done" in bad.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--fault", "rst-at-bite"), "did you mean 'rst-at-byte'"),
        (("--fault", "rst-at-byte:bites=3"), "has no parameter 'bites' (it has: bytes, times)"),
        (("--fault", "rst-at-byte:bytes=x"), "is no number that fits"),
        (("-4", "-6"), "exclude each other"),
        (("--env", "NONSENSE"), "NAME=VALUE"),
        (("--upstream", "nowhere"), "HOST:PORT"),
        (("--upstream", "127.0.0.1:1"), "nothing answers"),
        (("--server", "8000"), "needs the server's command"),
        (("--", "/no/such/program"), "No such file"),
        (("--", "false"), "fails with a healthy server (exit 1)"),
        (("--deadline", "0.5", "--", "sleep", "5"), "does not end with a healthy server"),
    ],
)
def test_usage_and_environment(arguments: tuple[str, ...], words: str) -> None:
    done = tulpen_break(*arguments)
    assert done.returncode == 2
    assert words in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_json() -> None:
    done = tulpen_break("--json", "--fault", "fin-at-byte:bytes=10", "--", *NAIVE)
    report = json.loads(done.stdout)
    assert report["found"] == ["fin-at-byte:bytes=10"]
    (result,) = report["results"]
    assert result["outcome"] == "wrong"
    assert result["parameters"] == {"bytes": 10, "times": 0}
    assert result["connections"][0]["tulpen"][-1] in ("TIME-WAIT", "CLOSED")
    assert result["met"] == 1
    assert report["control"]["outcome"] == "ok"


def test_what_is_written(tmp_path: Path) -> None:
    page, xml, pcaps = tmp_path / "r.html", tmp_path / "r.xml", tmp_path / "pcaps"
    files = ("--html", str(page), "--junit", str(xml), "--pcap", str(pcaps))
    done = tulpen_break(*QUICK, "--fault", "fin-at-byte", *files, "--", *NAIVE)
    assert done.returncode == 1
    html = page.read_text(encoding="utf-8")
    assert html.startswith("<!DOCTYPE html>")
    assert "<svg" in html
    assert 'pcaps/fin-at-byte.pcapng"' in html
    suite = ET.parse(xml).getroot()
    assert (suite.get("tests"), suite.get("failures")) == ("3", "1")
    assert sorted(path.name for path in pcaps.iterdir()) == [
        "fin-at-byte.pcapng",
        "healthy.pcapng",
        "refused.pcapng",
        "rst-at-byte.pcapng",
    ]
    assert all(path.read_bytes().startswith(b"\x0a\x0d\x0d\x0a") for path in pcaps.iterdir())


def test_a_pinned_test_repeats_the_run(tmp_path: Path) -> None:
    test = tmp_path / "test_pinned.py"
    tulpen_break(*QUICK, "--fault", "fin-at-byte:bytes=7", "--pin", str(test), "--", *NAIVE)
    argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(test)]
    env = os.environ | {"PYTHONPATH": str(SOURCE)}
    done = subprocess.run(argv, capture_output=True, text=True, check=False, env=env, cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    assert "3 passed" in done.stdout
    test.write_text(test.read_text(encoding="utf-8").replace('"wrong"', '"ok"'), encoding="utf-8")
    done = subprocess.run(argv, capture_output=True, text=True, check=False, env=env, cwd=tmp_path)
    assert "1 failed, 2 passed" in done.stdout


def test_what_is_served_can_be_chosen(tmp_path: Path) -> None:
    body = tmp_path / "body.json"
    body.write_text('{"answer": 42}')
    script = (
        "import json, os, urllib.request as u; "
        "print(json.load(u.urlopen(os.environ['SERVICE']))['answer'], os.environ['TULPEN_PORT'])"
    )
    done = tulpen_break("--json", "--fault", "refused", "--body", str(body), "--env", "SERVICE={url}",
                        "--", sys.executable, "-c", script)  # fmt: skip
    assert json.loads(done.stdout)["control"]["stdout"]["size"] == len("42 8080\n"), done.stderr


def test_a_program_that_never_connects_is_told_of() -> None:
    done = tulpen_break("--fault", "refused", "--", "echo", "hello")
    assert "never connected" in " ".join(done.stdout.split())


def test_the_list() -> None:
    done = tulpen_break("--list")
    assert done.returncode == 0
    assert "rst-at-byte" in done.stdout
    assert "syn-flood" in tulpen_break("--server", "80", "--list").stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_behind(number: signal.Signals, tmp_path: Path) -> None:
    mark = f"tulpen-test-{os.getpid()}-{number}"
    argv = [sys.executable, "-m", "tulpen", "break", "--fault", "never-accepted", "--deadline", "60"]
    argv += ["--", sys.executable, str(PROGRAMS / "naive.py"), "{host}", "{port}", mark]
    env = os.environ | {"PYTHONPATH": str(SOURCE), "TMPDIR": str(tmp_path)}
    running = subprocess.Popen(argv, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until = time.monotonic() + 60
    while victims(mark) < 2:  # the victim, and this command line
        assert time.monotonic() < until
        time.sleep(0.05)
    running.send_signal(number)
    status = running.wait(60)
    until = time.monotonic() + 60
    assert status == {signal.SIGINT: 130, signal.SIGTERM: 143}.get(number, -number)
    while victims(mark) and time.monotonic() < until:
        time.sleep(0.05)
    assert victims(mark) == 0
    if number is not signal.SIGKILL:
        assert list(tmp_path.iterdir()) == []


def victims(mark: str) -> int:
    """How many processes bear the mark."""
    found = 0
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                found += mark.encode() in (process / "cmdline").read_bytes()
            except OSError:
                continue
    return found


@pytest.mark.skipif(os.geteuid() != 0, reason="the other tests run as an ordinary user already")
@pytest.mark.parametrize("device", ["auto", "veth"])
def test_an_ordinary_user(device: str) -> None:
    python = interpreter()
    if python is None or shutil.which("setpriv") is None:
        pytest.skip("no Python here that an ordinary user can run")
    import click

    packages = str(Path(click.__file__).parents[1])
    with readable_source() as source:
        argv = [*as_nobody(), python, "-m", "tulpen", "break", *QUICK, "--device", device]
        env = {"PATH": os.environ["PATH"], "PYTHONPATH": f"{source}:{packages}", "HOME": "/"}
        done = subprocess.run(argv, capture_output=True, text=True, check=False, env=env, cwd="/", timeout=180)
    if "ModuleNotFoundError" in done.stderr:
        pytest.skip("an ordinary user cannot read the packages of this environment")
    assert done.returncode == 0, done.stderr
    assert "2 error" in done.stdout
