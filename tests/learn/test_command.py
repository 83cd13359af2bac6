"""``tulpen learn``."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tulpen.cli.main import run
from tulpen.learn.machine import loads


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("learn") / "tulpen.json"
    pictures = ["--dot", str(path.with_suffix(".dot")), "--svg", str(path.with_suffix(".svg"))]
    assert run(["learn", "--extra", "0", "--save", str(path), *pictures]) == 0
    return path


def test_the_machine_is_saved(saved: Path) -> None:
    machine = loads(saved.read_text(encoding="utf-8"), "saved")
    assert machine.run(["CONNECT"]) == [("SYN(fresh)", "SYN-SENT")]


def test_the_pictures(saved: Path) -> None:
    svg = ET.fromstring(saved.with_suffix(".svg").read_text(encoding="utf-8"))
    words = " ".join(svg.itertext())
    assert "FIN-WAIT-2" in words
    assert "RFC9293" not in words
    dot = saved.with_suffix(".dot").read_text(encoding="utf-8")
    assert dot.count("->") > 20
    assert dot.startswith("digraph machine {")


def test_what_it_says(saved: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["learn", str(saved), "--rows"]) == 0
    out = capsys.readouterr().out
    assert "0 unexplained" in out
    assert "S05 RFC: RFC9293 3.10.7.3" in out


def test_json(saved: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["learn", str(saved), "--json"]) == 0
    whole = json.loads(capsys.readouterr().out)
    assert whole["rows"]["0 CONNECT"] == {"row": "U02", "kind": "RFC"}


def test_no_difference(saved: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["learn", "--diff", str(saved), str(saved)]) == 0
    assert "answer every word alike" in capsys.readouterr().out


def test_a_difference(saved: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = tmp_path / "other.json"
    text = saved.read_text(encoding="utf-8")
    other.write_text(text.replace('"CONNECT": ["SYN(fresh)"', '"CONNECT": ["SYN(nxt)"').replace("tulpen 0", "odd 0"))
    assert run(["learn", "--diff", str(saved), str(other)]) == 1
    out = capsys.readouterr().out
    assert out.splitlines()[0] == "CONNECT"
    assert "SYN(nxt)" in out
    assert run(["learn", "--diff", str(saved), str(other), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["differences"][0]["word"] == ["CONNECT"]


def test_an_unexplained_transition(saved: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = tmp_path / "other.json"
    other.write_text(saved.read_text(encoding="utf-8").replace('"CONNECT": ["SYN(fresh)"', '"CONNECT": ["SYN(nxt)"'))
    assert run(["learn", str(other)]) == 1
    assert "unexplained: CONNECT: SYN(nxt), SYN-SENT" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["nobody"], "neither tulpen, linux, far nor a file"),
        (["--alphabet", "greek"], "is none of life"),
        (["linux", "--alphabet", "time"], "time is virtual for tulpen alone"),
        (["far"], "far needs --tun"),
        (["far", "--alphabet", "life"], "only the alphabet far has no calls"),
    ],
)
def test_what_cannot_be_done(args: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["learn", *args]) == 2
    assert says in " ".join(capsys.readouterr().err.split())
