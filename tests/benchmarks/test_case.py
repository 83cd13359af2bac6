"""How rounds come together, and that a case measures what it says."""

from __future__ import annotations

import subprocess
import sys
from functools import partial

import pytest

from benchmarks.bulk import moved
from benchmarks.case import Case, Figures, Reading, Unavailable, compared, run
from benchmarks.place import Place, at, tulpen
from benchmarks.table import comparison, row
from tests.link.rights import needs_network


def counting(*values: float | Reading) -> Case:
    """Return our case, which gives these in turn."""
    left = list(values)
    return Case("group", "tulpen", "MB/s", lambda: left.pop(0))


def missing() -> float:
    raise Unavailable("not there: apt install it")


def test_ours_is_told_beside_each_peer_round_by_round() -> None:
    ours = counting(Reading(100, 1.0), Reading(300, 3.0), Reading(200, 2.0))
    peer = counting(Reading(50, 2.0), Reading(100, 1.0), Reading(100, 1.0))
    peer.name, peer.ours = "peer", "tulpen"
    results = run([ours, peer], 3, lambda _: None)
    found = compared(results[1], results)
    assert found is not None
    assert found.value == 2  # of 2, 3 and 2, not of the medians
    assert found.cpu == 2  # of 0.5, 3 and 2
    assert comparison(results[1], results) == "tulpen is 2.00x, CPU 2.00x"
    assert (results[0].median, results[0].cpu_median) == (200, 2.0)


def test_a_variant_is_told_beside_the_case_it_varies() -> None:
    variant = counting(90.0)
    variant.name, variant.beside = "tulpen, otherwise", "tulpen"
    results = run([counting(100.0), variant], 1, lambda _: None)
    assert comparison(results[1], results) == "0.90x tulpen"


def test_a_peer_that_is_not_there_is_said_to_be_not_there() -> None:
    results = run([counting(1.0, 1.0), Case("group", "peer", "MB/s", missing, ours="tulpen")], 2, lambda _: None)
    assert row(results[1], results)[1] == "-"
    assert row(results[1], results)[-1] == "not there: apt install it"


def failing() -> float:
    raise RuntimeError("Traceback (most recent call last):\n  ...\nOSError: it broke\n")


def test_a_case_that_fails_leaves_the_others() -> None:
    results = run([Case("group", "broken", "MB/s", failing), counting(1.0)], 1, lambda _: None)
    assert row(results[0], results)[-1] == "failed: OSError: it broke"
    assert results[1].median == 1.0


def test_figures_of_one_measurement_are_measured_once() -> None:
    calls: list[int] = []

    def measure() -> dict[str, float]:
        calls.append(1)
        return {"one": len(calls), "other": -len(calls)}

    figures = Figures(measure)
    cases = [Case("group", name, "", figures.figure(name)) for name in ("one", "other")]
    results = run(cases, 2, lambda _: None)
    assert [result.rounds for result in results] == [[1, 2], [-1, -2]]


@pytest.mark.root
@needs_network
@pytest.mark.parametrize("enter", [tulpen, partial(tulpen, offload=True)])
@pytest.mark.parametrize("program", ["out", "into"])
def test_octets_are_moved(enter: object, program: str) -> None:
    reading = at(enter, partial(moved, program=program, octets=1_000_000))()  # type: ignore[arg-type]
    assert reading.value > 0
    assert reading.cpu > 0


@pytest.mark.root
@needs_network
@pytest.mark.parametrize("program", ["churn", "ping", "ping_streams"])
def test_small_exchanges_are_timed(program: str) -> None:
    async def exchange(place: Place) -> float:
        return await place.client(program, 16)

    assert at(tulpen, exchange)() > 0


def test_the_names_can_be_listed() -> None:
    listed = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--list"], capture_output=True, text=True, check=True, timeout=60
    )
    names = listed.stdout.splitlines()
    assert len(names) == len(set(names)) > 50
    assert "bulk out, MTU 1500 with offload: tulpen" in names
    unknown = subprocess.run(
        [sys.executable, "-m", "benchmarks", "nothing"], capture_output=True, text=True, check=False, timeout=60
    )
    assert (unknown.returncode, unknown.stderr.splitlines()[-1][-22:]) == (2, "error: no case is named so"[-22:])
