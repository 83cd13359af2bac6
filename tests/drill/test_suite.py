"""The command: folders, reports, exit status."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tulpen.cli.main import run

GOOD = "0 < S 0:0(0) win 5\n+0 > R. 0:0(0) ack 1\n"
BAD = "0 < S 0:0(0) win 5\n+0 > S. 0:0(0) ack 1\n"
SKIPPED = "0 > udp (100)\n"
NONE = "0 <\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in (("good", GOOD), ("bad", BAD), ("skipped", SKIPPED)):
        (tmp_path / f"{name}.pkt").write_text(text)
    return tmp_path


def test_a_good_script(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "good.pkt"
    path.write_text(GOOD)
    assert run(["drill", str(path)]) == 0
    assert capsys.readouterr().out.startswith(f"pass  {path}\n1 passed, ")


def test_a_folder(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["drill", "-j", "2", "--wanted", str(folder)]) == 1
    out = capsys.readouterr().out
    assert "SYN: expected set" in out
    assert "expected: S. 0:0(0) ack 1\n" in out
    assert "    1 needs sockets of UDP\n" in out
    assert "1 passed, 1 failed, 1 skipped" in out


def test_no_script(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "none.pkt"
    path.write_text(NONE)
    assert run(["drill", str(path)]) == 2
    assert f"{path}:2:1: expected TCP flags" in capsys.readouterr().out


def test_nothing_to_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["drill", str(tmp_path)]) == 2
    assert run(["drill", str(tmp_path / "nowhere")]) == 2
    assert "no script below" in capsys.readouterr().err


def test_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["drill", "--json", str(folder)]) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["counts"] == {"pass": 1, "fail": 1, "skip": 1, "error": 0}
    assert [Path(each["path"]).stem for each in report["scripts"]] == ["bad", "good", "skipped"]
    assert report["scripts"][0]["line"] == 2


def test_junit(folder: Path) -> None:
    file = folder / "out.xml"
    assert run(["drill", "--junit", str(file), str(folder)]) == 1
    suite = ET.parse(file).getroot()
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("3", "1", "1")
    assert {child.tag for case in suite for child in case} == {"failure", "skipped"}


def test_scripts_for_ipv6_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What their names end in says so; what the command says stands before that."""
    path = tmp_path / "only-v6.pkt"
    path.write_text("0 < S 0:0(0) win 5\n+0 > R. 0:0(0) ack 1\n")
    assert run(["drill", "-O", "remote_ip=2001:db8::7", str(path)]) == 0
    assert run(["drill", "-4", "-O", "remote_ip=2001:db8::7", str(path)]) == 0
    assert "its addresses are not those of --ip_version=ipv4" in capsys.readouterr().out


def test_definitions(tmp_path: Path) -> None:
    path = tmp_path / "named.pkt"
    path.write_text("0 < S 0:0(0) win SIZE\n+0 > R. 0:0(0) ack 1\n")
    assert run(["drill", str(path)]) == 2
    assert run(["drill", "-D", "SIZE=5", str(path)]) == 0
    assert run(["drill", "-6", "-O", "mtu=1400", "-D", "SIZE=5", str(path)]) == 0
    assert run(["drill", "-4", "-6", str(path)]) == 2
