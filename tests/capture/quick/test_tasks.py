"""One capture as tasks: the same answer from any number of parts, on any executor."""

from __future__ import annotations

import gzip
import json
import shutil
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import pytest

pytest.importorskip("numba", reason="numba is not installed")

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.capture.busy import SECOND, busy
from tests.capture.files import Edit, Timed, edited, pcap, pcapng
from tests.capture.quick.test_segments import mixed
from tests.capture.test_archive import Answer, Backwards, on_dask, told
from tulpen.capture.quick.segments import ranges
from tulpen.capture.quick.tasks import dissect_range, read_divided
from tulpen.capture.reading import read
from tulpen.capture.way import Way
from tulpen.cli.main import run
from tulpen.errors import TulpenError

FORMS: Final[list[Callable[[list[Timed]], bytes]]] = [pcap, pcapng]


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    (tmp_path / "busy.pcap").write_bytes(pcap(busy(5, 120))[:-20])
    return tmp_path / "busy.pcap"


@pytest.mark.parametrize("parts", [1, 2, 5])
@pytest.mark.parametrize("count", [1, 2, 7, 30])
def test_the_number_of_tasks_changes_nothing(capture: Path, count: int, parts: int, tmp_path: Path) -> None:
    exact = told(read(capture, way=Way.EXACT))
    assert len(ranges(capture, count)) >= min(count, 15)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    with ThreadPoolExecutor(2) as pool:
        assert told(read_divided(capture, executor=pool, parts=parts, ranges=count, scratch=scratch)) == exact
    assert told(read_divided(capture, executor=Backwards(), parts=parts, ranges=count, scratch=scratch)) == exact
    assert not list(scratch.iterdir())


def long(packets: Sequence[Timed]) -> list[Timed]:
    """Return them between others, so that the capture has several ranges and they are not in the same."""
    others = busy(7, 60)
    step = len(others) // (len(packets) + 1)
    return [each for at, mine in enumerate(packets) for each in (*others[at * step : (at + 1) * step], mine)]


@pytest.mark.parametrize("make", FORMS)
def test_fragments_and_tunnels_in_different_ranges(make: Callable[[list[Timed]], bytes], tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(make(long(mixed())))
    assert len(ranges(path, 6)) == 6
    whole = told(read(path, way=Way.COMPILED))
    for parts in (1, 3):
        assert told(read_divided(path, executor=Backwards(), parts=parts, ranges=6)) == whole


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    make=st.sampled_from(FORMS), cut=st.integers(0, 200), count=st.integers(2, 9), parts=st.integers(1, 4),
    edits=st.lists(st.tuples(st.integers(0, 1 << 16), st.binary(min_size=1, max_size=6)), max_size=4),
)  # fmt: skip
def test_mutated_captures(
    tmp_path: Path, make: Callable[[list[Timed]], bytes], edits: list[Edit], cut: int, count: int, parts: int
) -> None:
    path = tmp_path / "a"
    path.write_bytes(edited(make(long(mixed())), edits, cut, first=24))
    try:
        whole = told(read(path, way=Way.COMPILED))
    except TulpenError:
        return
    assert told(read_divided(path, executor=Backwards(), parts=parts, ranges=count)) == whole


def test_what_is_packed_and_several_files(capture: Path, tmp_path: Path) -> None:
    packed, later = tmp_path / "a.gz", tmp_path / "later"
    packed.write_bytes(gzip.compress(capture.read_bytes()))
    later.write_bytes(pcap([(when + 4000 * SECOND, data) for when, data in busy(6)]))
    for files in ([packed], [capture, later]):
        whole = told(read(*files, way=Way.EXACT))
        assert told(read_divided(*files, executor=Backwards(), parts=3, scratch=tmp_path / "never made")) == whole


class Stopped(Backwards):
    """Is interrupted when so many tasks were given to it."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self.after = after

    def submit(self, fn: Callable[..., Answer], /, *args: Any, **kwargs: Any) -> Future[Answer]:
        self.after -= 1
        if self.after < 0:
            raise KeyboardInterrupt
        return super().submit(fn, *args, **kwargs)


@pytest.mark.parametrize("after", [1, 5])
def test_nothing_is_left_of_what_was_interrupted(capture: Path, after: int, tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    with pytest.raises(KeyboardInterrupt):
        read_divided(capture, executor=Stopped(after), parts=4, scratch=scratch)
    assert not list(scratch.iterdir())


def test_a_worker_that_does_not_see_the_folder(capture: Path, tmp_path: Path) -> None:
    with pytest.raises(TulpenError, match=r"cannot be written to .*elsewhere: No such file") as found:
        dissect_range(str(capture), ranges(capture, 2)[0], str(tmp_path / "elsewhere"), 0, 2)
    assert "scratch" in found.value.remedy


def test_who_interrupts_twice_waits_until_it_is_removed(
    capture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    remove, times = shutil.rmtree, iter(range(9))

    def interrupted(folder: str, **how: Any) -> None:
        if not next(times):
            raise KeyboardInterrupt
        remove(folder, **how)

    monkeypatch.setattr(shutil, "rmtree", interrupted)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    with pytest.raises(KeyboardInterrupt):
        read_divided(capture, executor=Stopped(5), parts=4, scratch=scratch)
    assert not list(scratch.iterdir())


def test_what_is_no_capture(tmp_path: Path) -> None:
    (tmp_path / "no").write_bytes(b"this is no capture")
    with ThreadPoolExecutor(1) as pool, pytest.raises(TulpenError, match="neither pcap nor pcapng"):
        read_divided(tmp_path / "no", executor=pool, parts=2)


def test_dask(capture: Path, tmp_path: Path) -> None:
    pytest.importorskip("distributed", reason="Dask is not installed")
    reading = "tulpen.capture.quick.tasks.read_divided(source, executor=executor, parts=3, ranges=5, scratch=folder)"
    assert on_dask(reading, capture, tmp_path) == json.loads(json.dumps(told(read(capture, way=Way.EXACT))))


def test_processes(
    capture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    answers = []
    for options in (["--pass", "exact"], ["--pass", "compiled", "--jobs", "3"]):
        assert run(["read", str(capture), "--json", *options]) == 2
        answers.append(capsys.readouterr())
    assert answers[0] == answers[1]
    assert not list((tmp_path / "temporary").iterdir())
    assert run(["read", str(capture), "--conn", "3", "--jobs", "2", "--pass", "compiled"]) == 2
    assert read(capture).connection(3).why.split(",")[0] in " ".join(capsys.readouterr().out.split())
