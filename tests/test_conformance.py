"""What the conformance page is made from."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests import conformance

FILE = '''
"""Timers (RFC 6298 §5)."""

# RFC 5681 §3.1: a comment above.
@pytest.mark.parametrize("x", [1])
def test_one(x):
    pass

class TestMore:
    """RFC 2018 §4."""

    def test_two(self):
        """A docstring: RFC 9999 is not known."""

    def helper(self): ...

def test_three():
    assert 1  # §5.7: of the file's RFC
'''
REPORT = """<testsuites><testsuite>
<testcase classname="tests.tcp.test_a" name="test_x[1]"/>
<testcase classname="tests.tcp.test_a" name="test_x[2]"><failure message="no"/></testcase>
<testcase classname="tests.tcp.test_a.TestB" name="test_y"><skipped/></testcase>
<testcase classname="tests.tcp.test_a" name="test_z[a[0]]"/>
<testcase classname="tests.tcp.test_a" name="test_z[b]"><skipped/></testcase>
</testsuite></testsuites>"""


def test_a_test_belongs_to_the_rfcs_it_names_and_to_that_of_its_folder(tmp_path: Path) -> None:
    folder = tmp_path / "tests"
    for name in ("tcp", "rfc7413"):
        (folder / name).mkdir(parents=True)
        (folder / name / "test_a.py").write_text(FILE)
    (folder / "tcp" / "b.pkt").write_text("// RFC 7323 §4.2: a script.\n0 < S 0:0(0) win 5 // RFC 1337\n")
    shown = conformance.shown(folder)
    assert {rfc: len(tests) for rfc, tests in shown.items()} == {2018: 2, 5681: 2, 6298: 4, 7323: 1, 7413: 3}
    assert conformance.Shown(5681, "3.1", "tests/tcp/test_a.py::test_one") in shown[5681]
    assert conformance.Shown(2018, "4", "tests/tcp/test_a.py::TestMore::test_two") in shown[2018]
    assert conformance.Shown(6298, "5.7", "tests/tcp/test_a.py::test_three") in shown[6298]
    assert shown[7323] == [conformance.Shown(7323, "4.2", "tests/tcp/b.pkt")]


def test_how_tests_ended(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    report.write_text(REPORT)
    assert conformance.outcomes(report) == {
        "tests/tcp/test_a.py::test_x": "fail",
        "tests/tcp/test_a.py::TestB::test_y": "skipped",
        "tests/tcp/test_a.py::test_z": "pass",
    }


@pytest.mark.parametrize("folder", sorted(conformance.TESTS.glob("rfc[0-9]*")), ids=lambda folder: folder.name)
def test_every_rfc_with_a_folder_has_a_title(folder: Path) -> None:
    number = int(folder.name.removeprefix("rfc"))
    assert number == 9293 or number in conformance.titles()


def test_the_files_are_there() -> None:
    files = conformance.files()
    assert "tests/rfc9293/test_figures.py" in files
    assert all((conformance.TESTS.parent / file).is_file() for file in files)
    assert all(re.fullmatch(r"tests/(\w+/)*test_\w+\.py", file) for file in files)
