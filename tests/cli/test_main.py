"""The command line: what it lists, what it says of an error, and with which status it ends."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from tulpen import __version__
from tulpen.cli.group import Entry
from tulpen.cli.main import COMMANDS, run, tulpen
from tulpen.errors import TulpenError


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"tulpen {__version__}\n"


def test_help_lists_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    out = capsys.readouterr().out
    assert "explain" in out
    assert max(len(line) for line in out.splitlines()) <= 80


@pytest.mark.parametrize("entry", COMMANDS, ids=lambda entry: entry.name)
def test_every_command_has_examples(entry: Entry, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([entry.name, "--help"]) == 0
    out = capsys.readouterr().out
    assert "Examples:" in out
    assert "$ tulpen" in out
    assert max(len(line) for line in out.splitlines()) <= 80


@pytest.mark.parametrize("entry", COMMANDS, ids=lambda entry: entry.name)
def test_every_command_can_be_loaded(entry: Entry) -> None:
    module = importlib.import_module(entry.module)
    assert isinstance(module.command, click.Command)


def test_an_unknown_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explian"]) == 2
    assert "explain" in capsys.readouterr().err


def test_an_unknown_option(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", "--jsno"]) == 2
    assert "--json" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("raised", "status", "says"),
    [
        (TulpenError("no TUN device here", "modprobe tun"), 2, "tulpen: no TUN device here\n  modprobe tun\n"),
        (FileNotFoundError(2, "No such file or directory", "x.pcap"), 2, "tulpen: x.pcap: No such file or directory\n"),
        (KeyboardInterrupt(), 130, "tulpen: interrupted\n"),
        (click.UsageError("no"), 2, "Error: no\n"),
    ],
)
def test_what_becomes_of_an_error(
    raised: BaseException, status: int, says: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    @click.command()
    def failing() -> None:
        raise raised

    monkeypatch.setattr(tulpen, "get_command", lambda ctx, name: failing)
    assert run(["failing"]) == status
    assert capsys.readouterr().err.endswith(says)


def test_a_bug_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    @click.command()
    def failing() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(tulpen, "get_command", lambda ctx, name: failing)
    with pytest.raises(ZeroDivisionError):
        run(["failing"])


def test_explain_a_word(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", "time-wait"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("TIME-WAIT, a state")
    assert "--LINGERED--> CLOSED" in out


def test_explain_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", "--json", "LINGERED"]) == 0
    (topic,) = json.loads(capsys.readouterr().out)
    assert topic["name"] == "LINGERED"
    assert [(row["source"], row["target"]) for row in topic["transitions"]] == [("TIME-WAIT", "CLOSED")]


def test_explain_a_fault(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", "zero_window_forever"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("zero-window-forever, a fault")
    assert "tulpen break --fault zero-window-forever" in out


def test_explain_a_word_that_is_an_event_and_a_fault(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", "--json", "refused"]) == 0
    assert [topic["kind"] for topic in json.loads(capsys.readouterr().out)] == ["event", "fault"]


def test_explain_a_word_of_faults_and_bad_clients(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", "--json", "byte-at-a-time", "syn-flood"]) == 0
    assert [topic["kind"] for topic in json.loads(capsys.readouterr().out)] == ["fault", "bad client", "bad client"]


def test_explain_everything(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain"]) == 0
    out = capsys.readouterr().out
    assert all(word in out for word in ("states", "TIME-WAIT", "errnos", "EPIPE", "settings", "counters", "faults"))


def test_explain_an_unknown_word(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", "time-wiat"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "TIME-WAIT" in captured.err


@pytest.mark.parametrize(
    ("form", "begins"), [("text", "CLOSED\n"), ("dot", "digraph"), ("mermaid", "stateDiagram"), ("svg", "<svg")]
)
def test_explain_diagram(form: str, begins: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", "--diagram", form]) == 0
    assert capsys.readouterr().out.startswith(begins)


def test_a_reader_that_leaves_is_no_error() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    ended = subprocess.run(
        [sys.executable, "-m", "tulpen", "explain"], stdout=writer, stderr=subprocess.PIPE, check=False, timeout=60
    )
    os.close(writer)
    assert (ended.returncode, ended.stderr) == (0, b"")


@pytest.mark.parametrize("args", [["--help"], ["explain", "time-wait"]], ids=" ".join)
def test_start_up_loads_nothing_heavy(args: list[str]) -> None:
    heavy = ("rich", "asyncio", "pyroute2", "ssl", "http", "tulpen.sim", "tulpen.aio", "tulpen.link")
    probe = f"import sys; from tulpen.cli.main import run; run(); print([m for m in {heavy} if m in sys.modules])"
    command = [sys.executable, "-c", probe, *args]
    out = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    assert out.endswith("\n[]\n")


@pytest.mark.parametrize("words", [["explain", "time-wait"], ["--help"]])
def test_a_full_disk_is_no_traceback_and_no_finding(words: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "tulpen", *words], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 2
    assert done.stderr == "tulpen: what was to be said cannot be written: No space left on device\n"


@pytest.mark.parametrize("words", [["explain", "time-wait"], ["lab"]])
def test_a_reader_who_leaves_early_is_no_finding(words: list[str]) -> None:
    read, write = os.pipe()
    os.close(read)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "tulpen", *words], stdout=write, stderr=subprocess.PIPE, text=True, check=False
        )
    finally:
        os.close(write)
    assert (done.returncode, done.stderr) == (0, "")
