"""A test that looks at the machine has a second try, and no other; what is wrong stays wrong."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("pytest_rerunfailures")
pytest.importorskip("xdist")

TESTS = Path(__file__).parents[1]
OPTIONS = "[pytest]\nfilterwarnings = error\naddopts = --import-mode=importlib --strict-markers -raR\n"
BODY = """
from pathlib import Path
import pytest

def times(name):
    file = Path(__file__).with_name(name)
    file.write_text(file.read_text() + "x" if file.exists() else "x")
    return len(file.read_text())

@pytest.fixture(scope="module")
def unlucky():
    assert times("unlucky") > 1
    return "made anew"

@pytest.fixture(scope="module")
def broken():
    times("broken")
    raise OSError("it is not there")

def test_by_chance():
    assert times("chance") > 1

def test_wrong():
    assert times("wrong") > 2

def test_with_an_unlucky_fixture(unlucky):
    assert unlucky == "made anew"

def test_with_a_broken_fixture(broken):
    pass

def test_right():
    assert times("right") == 1
"""


@pytest.mark.parametrize("spread", [["-n", "0"], ["-n", "2", "--dist", "loadgroup"]], ids=["alone", "spread"])
def test_who_is_tried_again(spread: list[str], tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text(OPTIONS)
    tests = tmp_path / "tests"
    for room in ("link", "wire"):
        (tests / room).mkdir(parents=True)
        (tests / room / f"test_{room}.py").write_text(BODY)
    shutil.copy(TESTS / "conftest.py", tests)
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-m", "pytest", "-p", "no:cacheprovider", *spread, "tests"],
        cwd=tmp_path, env=os.environ | {"COLUMNS": "200"}, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert ended.returncode == 1, ended.stdout + ended.stderr
    told = {word: set(re.findall(rf"^{word} tests/\w+/test_(\w+\.py::\w+)", ended.stdout, re.MULTILINE))
            for word in ("RERUN", "FAILED", "ERROR")}  # fmt: skip
    names = ("by_chance", "wrong", "with_an_unlucky_fixture", "with_a_broken_fixture")
    assert told["RERUN"] == {f"link.py::test_{name}" for name in names}
    assert told["FAILED"] == {"link.py::test_wrong", "wire.py::test_by_chance", "wire.py::test_wrong"}
    assert told["ERROR"] == {
        "link.py::test_with_a_broken_fixture",
        "wire.py::test_with_an_unlucky_fixture",
        "wire.py::test_with_a_broken_fixture",
    }
    tries = {f"{room}/{file}": len((tests / room / file).read_text())
             for room in ("link", "wire") for file in ("chance", "wrong", "unlucky", "broken", "right")}  # fmt: skip
    assert [number for name, number in tries.items() if name.startswith("link")] == [2, 2, 2, 2, 1]
    assert [number for name, number in tries.items() if name.startswith("wire")] == [1, 1, 1, 1, 1]
