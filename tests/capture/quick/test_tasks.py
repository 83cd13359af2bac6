"""One capture as tasks: the same answer from any number of parts, on any executor."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

pytest.importorskip("numba", reason="numba is not installed")

from tests.capture.busy import busy
from tests.capture.files import pcap
from tests.capture.test_archive import Backwards, told
from tulpen.capture.quick.tasks import read_divided
from tulpen.capture.reading import read
from tulpen.capture.way import Way
from tulpen.cli.main import run
from tulpen.errors import TulpenError


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    (tmp_path / "busy.pcap").write_bytes(pcap(busy(5, 120))[:-20])
    return tmp_path / "busy.pcap"


@pytest.mark.parametrize("parts", [1, 2, 5])
def test_the_number_of_parts_changes_nothing(capture: Path, parts: int) -> None:
    exact = read(capture, way=Way.EXACT)
    with ThreadPoolExecutor(2) as pool:
        assert told(read_divided(capture, executor=pool, parts=parts)) == told(exact)
    assert told(read_divided(capture, executor=Backwards(), parts=parts)) == told(exact)


def test_what_is_no_capture(tmp_path: Path) -> None:
    (tmp_path / "no").write_bytes(b"this is no capture")
    with ThreadPoolExecutor(1) as pool, pytest.raises(TulpenError, match="neither pcap nor pcapng"):
        read_divided(tmp_path / "no", executor=pool, parts=2)


DASK = """
import json, sys
from distributed import Client, LocalCluster
from tests.capture.test_archive import told
from tulpen.capture.quick.tasks import read_divided

if __name__ == "__main__":
    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None,
                      host="127.0.0.1", local_directory=sys.argv[2]) as cluster, Client(cluster) as client:
        print(json.dumps(told(read_divided(sys.argv[1], executor=client.get_executor(), parts=3))))
"""


def test_dask(capture: Path, tmp_path: Path) -> None:
    pytest.importorskip("distributed", reason="Dask is not installed")
    script = tmp_path / "cluster.py"
    script.write_text(DASK, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(script), str(capture), str(tmp_path)], capture_output=True, text=True, timeout=300,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    assert json.loads(done.stdout.splitlines()[-1]) == json.loads(json.dumps(told(read(capture, way=Way.EXACT))))


def test_processes(capture: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answers = []
    for options in (["--pass", "exact"], ["--pass", "compiled", "--jobs", "3"]):
        assert run(["read", str(capture), "--json", *options]) == 2
        answers.append(capsys.readouterr())
    assert answers[0] == answers[1]
    assert run(["read", str(capture), "--conn", "3", "--jobs", "2", "--pass", "compiled"]) == 2
    assert read(capture).connection(3).why.split(",")[0] in " ".join(capsys.readouterr().out.split())
