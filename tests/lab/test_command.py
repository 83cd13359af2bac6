"""``tulpen lab``: what it writes, and with which status it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from tests.link.rights import SOURCE, needs_network
from tests.link.test_gone import gone
from tulpen.cli.main import run
from tulpen.lab.catalogue import MODULES


def test_it_lists_the_incidents(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["lab", "--json"]) == 0
    assert [row["name"] for row in json.loads(capsys.readouterr().out)] == list(MODULES)


def test_it_tells_the_theory(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["lab", "close-wait", "--explain"]) == 0
    assert "RFC 9293" in capsys.readouterr().out


def test_a_run_tells_its_story(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["lab", "close"]) == 0
    out = capsys.readouterr().out
    assert "holds  who closed first ends in TIME-WAIT, the other in CLOSED" in out.replace("\n", " ")
    assert "ss -tan state time-wait" in out


def test_what_is_broken_on_purpose_is_found(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["lab", "close", "--spoil", "--json"]) == 1
    [account] = json.loads(capsys.readouterr().out)["runs"]
    assert account["held"] is False


def test_backends_side_by_side(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["lab", "isn", "--on", "all"]) == 0
    assert "agree" in capsys.readouterr().out


def test_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page, capture = tmp_path / "page.html", tmp_path / "capture.pcapng"
    assert run(["lab", "close", "--html", str(page), "--pcap", str(capture)]) == 0
    assert page.read_text().startswith("<!DOCTYPE html>")
    capsys.readouterr()
    assert run(["read", str(capture), "--json"]) == 0
    assert "connections" in json.loads(capsys.readouterr().out)
    assert (tmp_path / "capture-3.pcapng").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["lab", "closed"], "Did you mean close?"),
        (["lab", "tw-recycle", "--on", "kernel"], "4.12"),
        (["lab", "close", "--set", "tcp_tw_reuse"], "NAME=VALUE"),
        (["lab", "close", "--set", "tcp_no_such=1"], "tcp_no_such"),
        (["lab", "close", "--html", "/no/such/folder/page.html"], "/no/such/folder"),
    ],
)
def test_what_cannot_be(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments) == 2
    assert words in capsys.readouterr().err


@needs_network
@pytest.mark.kernel
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_behind(number: signal.Signals) -> None:
    mark = uuid.uuid4().hex
    program = subprocess.Popen(
        [sys.executable, "-u", "-m", "tulpen", "lab", "half-open", "--on", "kernel"],
        env={**os.environ, "PYTHONPATH": str(SOURCE), "TULPEN_TEST": mark},
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, start_new_session=True,
    )  # fmt: skip
    assert program.stdout is not None
    assert "cable is cut" in program.stdout.readline()
    program.send_signal(number)
    program.stdout.close()
    assert program.wait(60) != 0
    assert gone(mark)
