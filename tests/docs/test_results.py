"""The tables of script suites on the conformance page."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

EXTENSIONS = Path(__file__).parents[2] / "docs" / "_ext"


@pytest.fixture
def results(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    pytest.importorskip("sphinx", reason="needs Sphinx")
    monkeypatch.syspath_prepend(str(EXTENSIONS))
    spec = importlib.util.spec_from_file_location("results", EXTENSIONS / "results.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setitem(sys.modules, "results", module)
    return module


def test_scripts_are_counted_by_folder(results: ModuleType) -> None:
    scripts = [
        {"path": "/x/suite/a/one.pkt", "outcome": "pass", "reason": ""},
        {"path": "/x/suite/a/two.pkt", "outcome": "fail", "reason": "no packet was sent"},
        {"path": "/x/suite/b/c/three.pkt", "outcome": "skip", "reason": "needs UDP"},
        {"path": "/x/suite/four.pkt", "outcome": "error", "reason": ""},
    ]
    (titles, rows), (_, needs) = results.suite(scripts)
    assert titles == ("Folder", "Scripts", "Pass", "Fail", "Skipped", "No script")
    assert rows == [
        ("`.`", "1", "0", "0", "0", "1"),
        ("`a`", "2", "1", "1", "0", "0"),
        ("`b/c`", "1", "0", "0", "1", "0"),
        ("all", "4", "1", "1", "1", "1"),
    ]
    assert needs == [("UDP", "1")]


def test_many_folders_are_counted_together(results: ModuleType) -> None:
    paths = [f"suite/{letter}/{number}/x.pkt" for letter in "abc" for number in range(results.MOST_ROWS)]
    assert set(results.by_folder(paths).values()) == {"a", "b", "c"}


def test_one_script_alone(results: ModuleType) -> None:
    assert results.by_folder(["one.pkt"]) == {"one.pkt": "."}


def test_the_worst_of_several_counts(results: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "ends", lambda: {"a": "pass", "b": "fail", "c": "skipped"})
    assert [results.end_of(tests) for tests in (["a", "b"], ["a", "c"], ["c"], ["a", "d"], [])] == [
        "fail", "pass", "skipped", "not run", "not done",
    ]  # fmt: skip
