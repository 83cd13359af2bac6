"""``tulpen read``: what it prints and how it ends."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from tests.capture.files import Talk, orderly, pcap
from tests.capture.test_verdicts import closed_by
from tulpen.capture.record import Connection, Finding, Move
from tulpen.cli.main import run


@pytest.fixture
def healthy(tmp_path: Path) -> str:
    path = tmp_path / "healthy.pcap"
    path.write_bytes(pcap(orderly().packets))
    return str(path)


@pytest.fixture
def sick(tmp_path: Path) -> str:
    path = tmp_path / "sick.pcap"
    path.write_bytes(pcap(Talk().opened().client("P.", 1, 1, 100).server("R.", 1, 101).packets))
    return str(path)


def test_the_summary(healthy: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["read", healthy]) == 0
    out = capsys.readouterr().out
    assert "11 packets in 0.100 s, 11 of TCP in 1 connections" in out
    assert "1  normal" in out
    assert "10.0.0.1:40000" in out


def test_something_bad_is_status_1(sick: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["read", sick]) == 1
    assert "The server 10.0.0.2:80 reset the connection in ESTABLISHED, frame 5" in capsys.readouterr().out.replace(
        "\n", " "
    )


def test_why(sick: str, capsys: pytest.CaptureFixture[str]) -> None:
    run(["read", sick, "--why"])
    out = capsys.readouterr().out
    assert out.startswith(
        "#1 The server 10.0.0.2:80 reset the connection in ESTABLISHED, frame 5; probably its application"
    )
    assert "RFC 9293 §3.6.1, SHLD-3" in out


def test_one_connection(sick: str, capsys: pytest.CaptureFixture[str]) -> None:
    run(["read", sick, "--conn", "1"])
    out = capsys.readouterr().out
    assert "SYN-SENT ── SYN 0 win 60000" in out
    assert "OPEN ACTIVE" in out
    assert "inferred" in out


def test_a_connection_that_is_not_there(sick: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["read", sick, "--conn", "7"]) == 2
    assert "there are 1 connections" in capsys.readouterr().err


def test_json_has_every_field(sick: str, capsys: pytest.CaptureFixture[str]) -> None:
    run(["read", sick, "--json"])
    told = json.loads(capsys.readouterr().out)
    for key, row in (("connections", Connection), ("moves", Move)):
        assert set(told[key][0]) == {field.name for field in fields(row)}
    assert {field.name for field in fields(Finding)} >= {"kind", "frames", "clause"}
    assert told["connections"][0]["cause"] == "unread-data"
    assert told["counts"]["frames"] == 5


def test_zeeks_words(healthy: str, sick: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["read", healthy, "--zeek", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["conn_state"], row["history"], row["orig_bytes"], row["resp_bytes"]) == ("SF", "ShADadFf", 100, 500)
    run(["read", sick, "--zeek"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("#fields\tts\torig_h")
    assert lines[1].split("\t")[8:10] == ["RSTR", "ShADr"]


ZEEK = {
    "S0": (Talk().client("S"), "S"),
    "S1": (Talk().opened(), "ShA"),
    "SF": (closed_by(1), "ShAfFa"),
    "REJ": (Talk().client("S").server("R.", 0, 1), "Sr"),
    "S2": (Talk().opened().client("F.", 1, 1), "ShAF"),
    "S3": (Talk().opened().server("F.", 1, 1), "ShAf"),
    "RSTO": (Talk().opened().client("R.", 1, 1), "ShAR"),
    "RSTR": (Talk().opened().server("R.", 1, 1), "ShAr"),
    "RSTOS0": (Talk().client("S").client("R", 1), "SR"),
    "SH": (Talk().client("S").client("F.", 1, 1), "SF"),
    "OTH": (Talk().client("P.", 1, 1, 5), "D"),
}  # fmt: skip


@pytest.mark.parametrize("state", ZEEK)
def test_each_of_zeeks_states(state: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    talk, history = ZEEK[state]
    path = tmp_path / "z.pcap"
    path.write_bytes(pcap(talk.packets))
    run(["read", str(path), "--zeek", "--json"])
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["conn_state"], row["history"]) == (state, history)


@pytest.mark.parametrize("args", [[], ["-i", "lo", "x.pcap"], ["x.pcap", "--seconds", "3"], ["-i", "lo", "--zeek"]])
def test_usage(args: list[str]) -> None:
    assert run(["read", *args]) == 2


def test_many_connections_are_summed_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    packets = [packet for port in range(40_000, 40_040) for packet in Talk(sport=port).client("S").packets]
    path = tmp_path / "many.pcap"
    path.write_bytes(pcap(packets))
    assert run(["read", str(path)]) == 1
    out = capsys.readouterr().out
    assert "40  unanswered" in out
    assert "... and 32 more" in out
    run(["read", str(path), "--table"])
    assert len(capsys.readouterr().out.splitlines()) == 41


def test_nothing_heavy_is_loaded(healthy: str) -> None:
    probe = (
        "import sys; from tulpen.cli.main import run; run(['read', sys.argv[1], '--why']);"
        "print([name for name in ('numpy', 'asyncio', 'backports', 'tulpen.tcp.connection') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", probe, healthy], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.splitlines()[-1] == "[]"
