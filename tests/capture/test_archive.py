"""Many captures, each by itself: the same answer from any executor, and nothing left behind."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import pytest

from tests.capture.files import Talk, orderly, pcap, pcapng
from tests.capture.test_tables import many
from tulpen.capture.archive import AHEAD, captures, draw, read_each
from tulpen.capture.reading import Reading, read
from tulpen.cli.main import run
from tulpen.errors import TulpenError
from tulpen.show.table import plain

Answer = TypeVar("Answer")
WAIT = 60.0  # seconds for what takes less than one


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("archive")
    (folder / "deeper").mkdir()
    again = Talk().opened().server("R.", 1, 1)
    again.isn = (77_000, 99_000)
    again.client("S").server("S.", 0, 1).client(".", 1, 1)
    for name, octets in {
        "a.pcap": pcap(orderly().packets),
        "b.pcapng": pcapng(again.packets),
        "c": many(9),
        "d.pcap.gz": gzip.compress(many(12)),
        "deeper/e.pcap": many(3)[:-20],
        "readme.txt": b"no capture",
        "empty": b"",
        "other.gz": gzip.compress(b"nor is this"),
    }.items():
        (folder / name).write_bytes(octets)
    (folder / "f.pcap").write_bytes(pcap(()))
    return folder


def told(reading: Reading) -> Any:
    return plain((reading.names, reading.counts, reading.damage, reading.connections, reading.moves, reading.findings))


class Backwards(Executor):
    """Does nothing until an answer is waited for, and then the last task first."""

    def __init__(self) -> None:
        self.tasks: list[tuple[Future[Any], Callable[[], Any]]] = []
        self.most = 0

    def submit(self, fn: Callable[..., Answer], /, *args: Any, **kwargs: Any) -> Future[Answer]:
        executor = self

        class Lazy(Future[Answer]):
            def result(self, timeout: float | None = None) -> Answer:
                executor.most = max(executor.most, len(executor.tasks))
                while not self.done():
                    future, work = executor.tasks.pop()
                    future.set_result(work())
                return super().result(timeout)

        future = Lazy()
        self.tasks.append((future, lambda: fn(*args, **kwargs)))
        return future


def test_what_a_directory_has(archive: Path) -> None:
    found = [str(Path(file).relative_to(archive)) for file in captures([archive])]
    assert found == ["a.pcap", "b.pcapng", "c", "d.pcap.gz", "deeper/e.pcap", "f.pcap"]
    assert captures([archive / "c", archive / "c"]) == [str(archive / "c")]


def test_each_says_what_it_says_alone(archive: Path) -> None:
    whole = read_each(archive)
    assert [row.number for row in whole] == list(range(1, len(whole) + 1))
    for file in captures([archive]):
        alone = read(file)
        rows = [row for row in whole if row.file == file]
        before = rows[0].number - 1 if rows else 0
        for row in alone:
            row.number += before
        assert rows == alone.connections
        mine = {row.number for row in rows}
        assert len([move for move in whole.moves if move.connection in mine]) == len(alone.moves)
    assert whole.summary.connections == 27
    assert [(Path(each.name).name, each.offset > 0) for each in whole.damage] == [("e.pcap", True)]
    (reused,) = [row for row in whole.findings if row.kind == "reused"]
    assert "it began in frame 1)" in reused.text


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_the_number_of_workers_changes_nothing(archive: Path, workers: int) -> None:
    with ThreadPoolExecutor(workers) as pool:
        assert told(read_each(archive, executor=pool)) == told(read_each(archive))


def test_nor_does_the_order_in_which_they_are_done(archive: Path) -> None:
    assert told(read_each(archive, executor=Backwards())) == told(read_each(archive))


def test_only_some_answers_wait(tmp_path: Path) -> None:
    for number in range(2 * AHEAD):
        (tmp_path / f"{number:03}.pcap").write_bytes(pcap(orderly().packets))
    executor = Backwards()
    assert len(read_each(tmp_path, executor=executor)) == 2 * AHEAD
    assert executor.most <= AHEAD


def test_processes(archive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answers = []
    for jobs in ("1", "3"):
        assert run(["read", str(archive), "--jobs", jobs, "--json"]) == 2
        answers.append(json.loads(capsys.readouterr().out))
    assert answers[0] == answers[1]
    assert len(answers[0]["connections"]) == 27
    pq = pytest.importorskip("pyarrow.parquet")
    for jobs in ("1", "2"):
        assert run(["read", str(archive), "--jobs", jobs, "--parquet", str(tmp_path / jobs)]) == 2
    for name in ("connections", "moves", "findings"):
        one, two = (pq.read_table(tmp_path / jobs / f"{name}.parquet") for jobs in ("1", "2"))
        assert one.equals(two)
        assert one.num_rows == len(answers[0][name])


DASK = """
import json, sys
from distributed import Client, LocalCluster
from tests.capture.test_archive import told
import tulpen.capture.archive, tulpen.capture.quick.tasks

if __name__ == "__main__":
    reading, source, folder = sys.argv[1:]
    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None,
                      host="127.0.0.1", local_directory=folder) as cluster, Client(cluster) as client:
        executor = client.get_executor()
        print(json.dumps(told(eval(reading))))
"""


def on_dask(reading: str, source: Path, folder: Path) -> Any:
    """Return what a reading, written as Python, tells with a local cluster's executor."""
    script = folder / "cluster.py"
    script.write_text(DASK, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(script), reading, str(source), str(folder)], capture_output=True, text=True, timeout=300,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_dask(archive: Path, tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    reading = "tulpen.capture.archive.read_each(source, executor=executor)"
    assert on_dask(reading, archive, tmp_path) == json.loads(json.dumps(told(read_each(archive))))


def test_a_file_that_cannot_be_read_is_named(archive: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["read", "--jobs", "2", str(archive / "readme.txt"), str(archive / "a.pcap"), "gone.pcap"]) == 2
    out, err = capsys.readouterr()
    assert "11 of TCP in 1 connections" in out
    assert "readme.txt: is neither pcap nor pcapng" in err
    assert "gone.pcap: No such file" in err


def test_a_directory_without_captures(tmp_path: Path) -> None:
    with pytest.raises(TulpenError, match="there is no capture in"):
        read_each(tmp_path)
    assert run(["read", str(tmp_path)]) == 2


def test_ladders_come_from_their_files(archive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole = read_each(archive)
    for number, drawn in draw(whole, [1, 3, 4, 14]).items():
        row = whole.connection(number)
        assert len(drawn.rungs) == row.client_packets + row.server_packets
        assert drawn.left.name == f"client {row.client}:{row.client_port}"
    assert run(["read", str(archive), "--conn", "4"]) == 2
    assert whole.connection(4).why.split(",")[0] in " ".join(capsys.readouterr().out.split())
    assert run(["read", str(archive), "--html", str(tmp_path / "page.html")]) == 2
    assert (tmp_path / "page.html").read_text(encoding="utf-8").count('class="tulpen-ladder"') == 27


@pytest.mark.parametrize("args", [["-"], ["-i", "lo"], ["x.pcap", "--zeek"]])
def test_usage(args: list[str]) -> None:
    assert run(["read", "--jobs", "2", *args]) == 2


def children(pid: int) -> set[int]:
    found: set[int] = set()
    for file in Path(f"/proc/{pid}/task").glob("*/children"):
        found |= {int(each) for each in file.read_text(encoding="utf-8").split()}
    return found


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + WAIT
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.05)


@pytest.fixture
def blocked(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], set[int]]]:
    """A reader whose workers wait for what nobody writes."""
    files = [tmp_path / name for name in ("one.pcap", "two.pcap")]
    for file in files:
        os.mkfifo(file)
    reader = subprocess.Popen(
        [sys.executable, "-m", "tulpen", "read", "--jobs", "2", "--parquet", str(tmp_path / "tables"),
         *map(str, files)],
        stderr=subprocess.PIPE, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    workers: set[int] = set()

    def opened() -> bool:
        workers.update(children(reader.pid))
        return len(workers) >= 3  # two workers, and who tracks what they share

    try:
        until(opened)
        yield reader, workers
    finally:
        reader.kill()
        reader.communicate(timeout=WAIT)


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_no_process_is_left(
    how: signal.Signals, blocked: tuple[subprocess.Popen[bytes], set[int]], tmp_path: Path
) -> None:
    reader, workers = blocked
    reader.send_signal(how)
    assert reader.wait(timeout=WAIT) != 0
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers))
    assert how is signal.SIGKILL or not (tmp_path / "tables").exists()
