"""Captures read by the compiled pass and exactly: the same answer, whatever the files, parts and sinks."""

from __future__ import annotations

import gzip
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("numba", reason="numba is not installed")

from tests.capture.busy import SECOND, busy
from tests.capture.files import orderly, pcap, pcapng
from tests.capture.test_archive import told
from tulpen.capture.columns import TABLES
from tulpen.capture.parquet import ParquetFiles
from tulpen.capture.policy import Checksums, Policy
from tulpen.capture.quick import waiting
from tulpen.capture.reading import Reading, read
from tulpen.capture.way import Way
from tulpen.cli.main import run
from tulpen.errors import TulpenError


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Captures in both forms, packed, and cut short."""
    folder = tmp_path_factory.mktemp("captures")
    one, two, three, four = (
        [(when + hour * 3600 * SECOND, packet) for when, packet in busy(hour, 80)] for hour in range(1, 5)
    )
    made = {
        "one.pcap": pcap(one),
        "two.pcapng": pcapng(two),
        "three.pcap.gz": gzip.compress(pcap(three)),
        "four.pcap": pcap(four)[:-30],
    }
    for name, octets in made.items():
        (folder / name).write_bytes(octets)
    return [str(folder / name) for name in made]


def same(one: Reading, other: Reading) -> bool:
    """Say whether both tell the same, the summary before there are rows."""
    for name in ("connections", "opened", "ended", "cause", "found", "weights"):
        assert getattr(one.summary, name) == getattr(other.summary, name)
    assert one.summary.worst() == other.summary.worst()
    return bool(told(one) == told(other))


POLICIES = [Policy(), Policy(checksums=Checksums.STRICT), Policy(idle=90.0), Policy(vlans=True)]


@pytest.mark.parametrize("policy", POLICIES)
def test_each_file(files: list[str], policy: Policy) -> None:
    for file in files:
        assert same(read(file, policy=policy, way=Way.COMPILED), read(file, policy=policy, way=Way.EXACT))


def test_files_as_one(files: list[str]) -> None:
    whole = read(*files, way=Way.COMPILED)
    assert same(whole, read(*files, way=Way.EXACT))
    assert {row.file for row in whole} == set(files)


def test_in_parts_where_too_many_are_open(files: list[str]) -> None:
    few = read(*files[:2], policy=Policy(most=40), way=Way.COMPILED)
    assert same(few, read(*files[:2], way=Way.EXACT))


def test_rows_of_one_connection_and_its_ladder(files: list[str]) -> None:
    exact = read(files[0], way=Way.EXACT, ladders=None)
    some = [1, 2, len(exact)]
    quick = read(files[0], way=Way.COMPILED, ladders=[*some, 10_000])
    assert sorted(quick.ladders) == some
    for number in some:
        assert quick.ladder(number) == exact.ladder(number)
        assert quick.connection(number) == exact.connection(number)
        assert quick.moves_of(number) == exact.moves_of(number)
        assert quick.findings_of(number) == exact.findings_of(number)
    with pytest.raises(LookupError):
        quick.connection(len(exact) + 1)


def test_a_summary_alone_keeps_no_rows(files: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "PLAIN_ROWS", 7)
    monkeypatch.setattr(waiting, "TOLD_ROWS", 3)
    exact = read(*files, way=Way.EXACT)
    for way in (Way.COMPILED, Way.EXACT):
        summary = read(*files, way=way, most=5)
        assert summary.connections == []
        assert summary.summary.worst() == exact.summary.worst()
        assert summary.summary.weights == exact.summary.weights
        assert summary.counts == exact.counts
    assert told(read(*files, way=Way.COMPILED, most=len(exact))) == told(exact)


def test_tables(files: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pq = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")
    monkeypatch.setattr(waiting, "PLAIN_ROWS", 20)
    monkeypatch.setattr(waiting, "TOLD_ROWS", 10)
    with ParquetFiles(tmp_path) as into:
        read(*files, into=into, way=Way.COMPILED)
    exact, quick = read(*files, way=Way.EXACT), read(*files, way=Way.COMPILED)
    for name in TABLES:
        key = "number" if name == "connections" else "connection"
        written = pq.read_table(tmp_path / f"{name}.parquet")
        written = written.take(written.column(key).to_numpy().argsort(kind="stable"))
        assert written.equals(exact.arrow(name))
        assert quick.arrow(name).equals(exact.arrow(name))


def test_a_sink_of_rows(files: list[str]) -> None:
    rows: list[Any] = []
    read(files[0], into=rows.append, way=Way.COMPILED)
    exact = read(files[0], way=Way.EXACT)
    assert sorted((each.connection for each in rows), key=lambda row: row.number) == exact.connections


def test_conditions(files: list[str]) -> None:
    pytest.importorskip("duckdb", reason="DuckDB is not installed")
    pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    condition = "ended = 'closed' or retransmissions > 0"
    some = read(*files, way=Way.COMPILED).where(condition)
    assert same(some, read(*files, way=Way.EXACT).where(condition))
    assert 0 < len(some) < 300


def test_the_command(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    for options in (["--json"], ["--why"], ["--conn", "3"], ["--table"], []):
        answers = []
        for way in ("exact", "compiled"):
            status = run(["read", "--pass", way, *files, *options])
            answers.append((status, capsys.readouterr()))
        assert answers[0] == answers[1], options
    assert run(["read", "--pass", "compiled", "-"]) == 2


def test_what_is_no_capture(tmp_path: Path) -> None:
    (tmp_path / "no").write_bytes(b"this is no capture")
    for way in (Way.COMPILED, Way.EXACT):
        with pytest.raises(TulpenError, match="neither pcap nor pcapng"):
            read(tmp_path / "no", way=way)
    with pytest.raises(TulpenError, match="not a stream"):
        read(io.BytesIO(pcap(orderly().packets)), way=Way.COMPILED)


@pytest.mark.parametrize("broken", ["None", "type('Broken', (), {'__getattr__': lambda *_: 1 / 0})()"])
def test_without_numba_the_exact_reader_reads(broken: str, tmp_path: Path) -> None:
    (tmp_path / "a.pcap").write_bytes(pcap(orderly().packets))
    script = (
        f"import sys; sys.modules['numba'] = {broken}\n"
        "from tulpen.capture import way; way.LARGE = 1\n"
        "from tulpen.cli.main import run\n"
        "sys.exit(run(['read', sys.argv[1], '--json', '--pass', sys.argv[2]]))"
    )
    done = [
        subprocess.run(
            [sys.executable, "-c", script, str(tmp_path / "a.pcap"), way], capture_output=True, text=True, check=False,
            env={"PYTHONPATH": ":".join(sys.path)}, timeout=120,
        )
        for way in ("auto", "exact", "compiled")
    ]  # fmt: skip
    assert [each.returncode for each in done] == [0, 0, 2]
    assert len(json.loads(done[0].stdout)["connections"]) == 1
    assert done[0].stdout == done[1].stdout
    assert done[0].stderr == done[1].stderr == ""
    assert "pip install 'tulpen[read]'" in done[2].stderr
