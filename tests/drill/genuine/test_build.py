from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tulpen.cli.main import run
from tulpen.drill.genuine.build import find_program, shared_object
from tulpen.errors import TulpenError

COMPILER = shutil.which("cc") or shutil.which("gcc")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("CC", raising=False)
    return tmp_path / "cache"


@pytest.mark.skipif(COMPILER is None, reason="needs a C compiler")
def test_it_is_made_once(cache: Path) -> None:
    first = shared_object()
    made = first.stat().st_mtime_ns
    assert first.is_relative_to(cache)
    assert shared_object() == first
    assert first.stat().st_mtime_ns == made
    assert [path.name for path in first.parent.iterdir()] == [first.name]


def test_without_a_compiler_it_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(TulpenError, match="no C compiler"):
        shared_object()


def test_a_compiler_that_fails_is_quoted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "false")
    with pytest.raises(TulpenError, match="false cannot compile"):
        shared_object()


def test_a_cache_that_cannot_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/nowhere")
    monkeypatch.setenv("CC", "true")
    with pytest.raises(TulpenError) as raised:
        shared_object()
    assert "XDG_CACHE_HOME" in raised.value.remedy


def test_a_program_that_is_not_there() -> None:
    with pytest.raises(TulpenError, match="no program"):
        find_program("/no/such/packetdrill")


@pytest.mark.parametrize(
    "arguments",
    [["--compare"], ["--with", "/no/such/packetdrill"], ["--with", "true", "--kernel"]],
    ids=" ".join,
)
def test_the_command_refuses(arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = tmp_path / "a.pkt"
    script.write_text("0 < S 0:0(0) win 5\n")
    assert run(["drill", *arguments, str(script)]) == 2
    assert "Traceback" not in capsys.readouterr().err
