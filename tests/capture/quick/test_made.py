"""Captures made by hosts in virtual time: the pass and the exact reader tell the same of each, and most is plain."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("numba", reason="numba is not installed")

from tests.capture.made import Made
from tests.capture.quick.both import compare, exactly
from tests.capture.test_truth import KEPT_OPEN, TALKS, VERDICTS, captured
from tests.sim.pair import MS, both, short
from tulpen.capture.dissect import Dissector
from tulpen.capture.frames import frames
from tulpen.capture.octets import Octets
from tulpen.capture.seen import IcmpError, Seen
from tulpen.sim.filters import Duplication, Loss, Reordering


def seen_in(path: Path) -> list[Seen | IcmpError]:
    dissect = Dissector().segment
    with Octets(path) as octets:
        return [seg for frame in frames(octets) if (seg := dissect(frame)) is not None]


@pytest.mark.parametrize("name", VERDICTS)
def test_faults(name: str, tmp_path: Path) -> None:
    captured(tmp_path, name, KEPT_OPEN.get(name, 1), closing=name not in KEPT_OPEN)
    for file in tmp_path.glob("*.pcapng"):
        compare(seen_in(file))


@pytest.mark.parametrize("six", [False, True])
@pytest.mark.parametrize("name", TALKS)
def test_a_good_network(name: str, six: bool, tmp_path: Path) -> None:
    made = Made(tmp_path, TALKS[name][0](), TALKS[name][1], ipv6=six).run()
    for file in made.files.values():
        seen = seen_in(file)
        (rows,) = exactly(seen).values()
        assert compare(seen) == (not rows.findings, 1)


@pytest.mark.parametrize("name", TALKS)
def test_a_bad_network(name: str, tmp_path: Path) -> None:
    bad = both(
        short, lambda c: Loss(c, 0.05), lambda c: Reordering(c, 0.1, 15 * MS), lambda c: Duplication(c, 0.05, 5 * MS)
    )  # fmt: skip
    made = Made(tmp_path, TALKS[name][0](), TALKS[name][1], there=bad, back=bad).run()
    for file in made.files.values():
        compare(seen_in(file))
