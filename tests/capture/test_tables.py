"""The tables of ``tulpen read``: Arrow, Parquet, pandas, polars, and DuckDB's conditions."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.capture.files import MS, Talk, orderly, pcap
from tulpen.capture.columns import TABLES
from tulpen.capture.parquet import ParquetFiles
from tulpen.capture.policy import Policy
from tulpen.capture.reading import Reading, read
from tulpen.capture.record import Connection, Finding, Move
from tulpen.cli.main import run
from tulpen.errors import TulpenError

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")
pytest.importorskip("duckdb")

EPOCH = 1_700_000_000_000_000_000


def many(count: int = 60) -> bytes:
    """Connections that are closed, reset after silence, and unanswered, in turn; one after another."""
    packets, now = [], EPOCH
    for number in range(count):
        talk = Talk(sport=20_000 + number)
        if number % 3 == 0:
            talk.opened().client("F.", 1, 1).server("F.", 1, 2).client(".", 2, 2)
        elif number % 3 == 1:
            talk.opened().server("R.", 1, 1, after=1000.0 * number)
        else:
            talk.client("S").client("S", after=1000.0)
        packets += [(now + when, packet) for when, packet in talk.packets]
        now += talk.now + MS
    return pcap(packets)


@pytest.fixture(scope="module")
def reading() -> Reading:
    return read(io.BytesIO(many()))


@pytest.fixture
def capture(tmp_path: Path) -> str:
    path = tmp_path / "many.pcap"
    path.write_bytes(many())
    return str(path)


@pytest.mark.parametrize(("name", "record"), [("connections", Connection), ("moves", Move), ("findings", Finding)])
def test_every_field_is_a_column_with_a_meaning(name: str, record: type[Any], reading: Reading) -> None:
    assert [column.name for column in TABLES[name]] == [field.name for field in fields(record)]
    assert reading.arrow(name).column_names == [column.name for column in TABLES[name]]
    assert all(reading.arrow(name).schema.field(column.name).metadata[b"meaning"] for column in TABLES[name])


@pytest.mark.parametrize("name", TABLES)
def test_arrow_says_what_the_rows_say(name: str, reading: Reading) -> None:
    table = reading.arrow(name)
    times = [column.name for column in TABLES[name] if column.kind == "time"]
    for time in times:
        at = table.column_names.index(time)
        table = table.set_column(at, time, table[time].cast(pa.int64()))
    rows = [asdict(row) for row in getattr(reading, name)]
    told = [{**row, "frames": tuple(row["frames"])} if "frames" in row else row for row in table.to_pylist()]
    assert told == rows
    assert rows


def test_frames_of_pandas_and_polars(reading: Reading) -> None:
    pytest.importorskip("pandas")
    pytest.importorskip("polars")
    frame = reading.pandas()
    assert frame.groupby("ended").size().to_dict() == {"closed": 20, "reset": 20, "unanswered": 20}
    assert frame["start"].iloc[0].to_pydatetime(warn=False) == datetime(2023, 11, 14, 22, 13, 20, 10_000, UTC).replace(
        tzinfo=None
    )
    assert reading.polars("moves").height == len(reading.moves)
    with pytest.raises(TulpenError, match="no table 'transitions'"):
        reading.arrow("transitions")


def test_a_time_that_no_timestamp_holds() -> None:
    found = read(io.BytesIO(many(1)))
    found.connections[0].end = 1 << 70
    assert found.arrow()["end"].cast(pa.int64()).to_pylist() == [(1 << 63) - 1]


def test_where(reading: Reading) -> None:
    some = reading.where("ended = 'reset' and idle > 30")
    assert {row.number for row in some} == {number for number in range(1, 61) if number % 3 == 2 and number > 31}
    assert len(some) == some.summary.ended["reset"] == 10
    assert {row.connection for row in some.moves} == {row.number for row in some}
    assert len(reading) == 60


@pytest.mark.parametrize(
    ("condition", "says"),
    [
        ("reason = 'reset'", 'Referenced column "reason" not found'),
        ("idle >", "syntax error"),
        ("by = 'client'", 'syntax error at or near "="'),
        ("count(*) > 1", "aggregates"),
        ("ended", "Could not convert"),
        ("true); create table x (i int", "one condition"),
        ("number in (select 1 from read_text('/etc/hostname'))", "Permission"),
    ],
)
def test_what_is_no_condition(capture: str, condition: str, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["read", capture, "--where", condition]) == 2
    told = " ".join(capsys.readouterr().err.split())
    assert says in told
    assert "the columns are number, file, client, client_port" in told


def test_where_on_the_command_line(capture: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["read", capture, "--where", "ended = 'closed' and \"by\" = 'client'", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert len(told["connections"]) == 20
    assert {row["connection"] for row in told["moves"]} == {row["number"] for row in told["connections"]}
    assert run(["read", capture, "--where", "ended = 'reset'"]) == 1
    assert "20  reset" in capsys.readouterr().out


def test_parquet(capture: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "tables"
    assert run(["read", capture, "--parquet", str(folder)]) == 1
    assert "60 connections" in capsys.readouterr().out
    whole = read(capture)
    assert sorted(path.name for path in folder.iterdir()) == [f"{name}.parquet" for name in sorted(TABLES)]
    for name in TABLES:
        assert pq.read_table(folder / f"{name}.parquet").equals(whole.arrow(name))


def test_row_groups_are_written_as_it_goes(capture: str, tmp_path: Path) -> None:
    with ParquetFiles(tmp_path / "tables", size=16) as into:
        reading = read(capture, policy=Policy(most=8), into=into)
    assert (len(reading), reading.connections, reading.moves, reading.findings) == (60, [], [], [])
    assert reading.summary.ended == {"closed": 20, "reset": 20, "unanswered": 20}
    assert pq.ParquetFile(tmp_path / "tables" / "connections.parquet").num_row_groups == 4
    table = pq.read_table(tmp_path / "tables" / "connections.parquet").sort_by("number")
    assert table.equals(read(capture).arrow())


def test_memory_does_not_grow_with_the_connections(tmp_path: Path) -> None:
    """The rows of ten times as many connections need no more room."""
    probe = (
        "import sys, tracemalloc; from tulpen.capture.parquet import ParquetFiles;"
        "from tulpen.capture.policy import Policy; from tulpen.capture.reading import read\n"
        "with ParquetFiles(sys.argv[2], size=64) as into:\n"
        "    tracemalloc.start(); read(sys.argv[1], policy=Policy(most=50), into=into)\n"
        "print(tracemalloc.get_traced_memory()[1])"
    )
    peaks = []
    for count in (300, 3000):
        path = tmp_path / f"{count}.pcap"
        path.write_bytes(many(count))
        done = subprocess.run(
            [sys.executable, "-c", probe, str(path), str(tmp_path / str(count))],
            capture_output=True, text=True, check=True, timeout=120,
        )  # fmt: skip
        peaks.append(int(done.stdout))
    assert peaks[1] < 1.3 * peaks[0]


def test_what_fails_leaves_the_old_tables(capture: str, tmp_path: Path) -> None:
    folder = tmp_path / "tables"
    assert run(["read", capture, "--parquet", str(folder)]) == 1
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    wrong = tmp_path / "wrong.pcap"
    wrong.write_bytes(b"no capture at all")
    assert run(["read", str(wrong), "--parquet", str(folder)]) == 2
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_where_nothing_can_be_written(capture: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    assert run(["read", capture, "--parquet", str(tmp_path / "file")]) == 2
    assert "file" in capsys.readouterr().err


@pytest.mark.parametrize("choice", [["--table"], ["--why"], ["--json"], ["--conn", "1"], ["--where", "true"]])
def test_parquet_keeps_no_rows(choice: list[str], capture: str, tmp_path: Path) -> None:
    assert run(["read", capture, "--parquet", str(tmp_path / "tables"), *choice]) == 2
    assert not (tmp_path / "tables").exists()


@pytest.mark.parametrize(
    ("library", "use"),
    [
        ("pyarrow", lambda reading: reading.arrow()),
        ("pandas", lambda reading: reading.pandas()),
        ("polars", lambda reading: reading.polars()),
        ("duckdb", lambda reading: reading.where("true")),
    ],
)
def test_without_the_extra(
    library: str, use: Callable[[Reading], object], reading: Reading, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(TulpenError, match=f"needs {library}, which is not installed") as raised:
        use(reading)
    assert raised.value.remedy == "pip install 'tulpen[read]'"


def test_files_read_as_one_are_named(tmp_path: Path) -> None:
    for name, talk in (("a.pcap", orderly()), ("b.pcap", Talk(sport=1234).client("S"))):
        (tmp_path / name).write_bytes(pcap(talk.packets))
    found = read(tmp_path / "a.pcap", tmp_path / "b.pcap")
    assert [Path(row.file).name for row in found] == ["a.pcap", "b.pcap"]
