"""Compiled functions are kept on disk, until anything that went into them changes; without a disk they work, too."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("numba", reason="numba is not installed")

from tests.capture.files import orderly, pcap

PROBE = """
import sys
from tulpen.capture.quick.compiled import is_kept
from tulpen.capture.quick.segments import ranges
from tulpen.capture.quick.walk import pcap_records
print(is_kept(pcap_records), len(ranges(sys.argv[1], 3, most=2)), sum(pcap_records.stats.cache_hits.values()))
"""


def probed(folder: Path, **more: str) -> str:
    (folder / "a.pcap").write_bytes(pcap(orderly().packets))
    done = subprocess.run(
        [sys.executable, "-c", PROBE, str(folder / "a.pcap")],
        capture_output=True, text=True, check=True, timeout=300, cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder / "package"), **more},
    )  # fmt: skip
    return done.stdout.strip()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    source = Path(__file__).parents[3] / "src/tulpen"
    shutil.copytree(source, tmp_path / "package/tulpen", ignore=shutil.ignore_patterns("__pycache__", "*.nb?"))
    return tmp_path


def test_a_change_in_another_module_is_not_overlooked(folder: Path) -> None:
    assert [probed(folder), probed(folder)] == ["False 3 0", "True 3 1"]
    with (folder / "package/tulpen/capture/links.py").open("a") as file:
        file.write("# changed\n")
    assert probed(folder) == "False 3 0"


def test_a_user_who_may_write_nowhere_is_served(folder: Path) -> None:
    nowhere = {"NUMBA_CACHE_LOCATOR_CLASSES": "UserProvidedCacheLocator", "NUMBA_CACHE_DIR": ""}
    assert [probed(folder, **nowhere), probed(folder, **nowhere)] == ["False 3 0", "False 3 0"]
