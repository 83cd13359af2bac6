"""A file in parts, each read by itself, is the whole file."""

from __future__ import annotations

import gzip
from itertools import pairwise
from pathlib import Path
from typing import Final

import pytest

pytest.importorskip("numba", reason="numba is not installed")

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.capture.files import Edit, edited, orderly, pcap, pcapng
from tests.capture.quick.test_segments import block, mixed, resolution, section
from tests.capture.quick.told import Whole, differences, exactly, quickly
from tests.capture.test_fuzz import WHOLE
from tulpen.capture.dissect import Dissector
from tulpen.capture.octets import Octets
from tulpen.capture.quick.layout import ICMP
from tulpen.capture.quick.segments import Part, Segments, late_segments, ranges
from tulpen.capture.record import Counts
from tulpen.errors import TulpenError

PACKETS: Final = orderly().packets * 3


def in_parts(path: Path, parts: list[Part]) -> Whole:
    """Read each part by itself, and what was left for later at the end; the rows in the order of their frames."""
    pieces, late = [], []
    for part in parts:
        with Octets(path) as octets:
            segments = Segments(octets, part, size=100, most=3)
            pieces.append(quickly(segments))
            late += segments.late
    dissector = Dissector()
    _, rows = late_segments(late, dissector)
    rows = np.concatenate([*(piece.rows for piece in pieces), rows])
    passed, counts = dissector.passed, Counts()
    for piece in pieces:
        passed += piece.passed
        counts.join(piece.counts)
    counts.segments = int(np.count_nonzero(rows["has"] & ICMP == 0))
    counts.first = next((piece.counts.first for piece in pieces if piece.counts.frames), 0)
    assert all(piece.damage is None for piece in pieces[:-1])
    rows = rows[np.argsort(rows["frame"], kind="stable")]
    return Whole(rows, [], passed, counts, pieces[-1].damage, pieces[-1].error)


def same_in_parts(path: Path, octets: bytes, count: int) -> int:
    """Assert that the parts are the whole; return how many there are."""
    path.write_bytes(octets)
    parts = ranges(path, count, size=100, most=2)
    assert 1 <= len(parts) <= count
    assert all(part.stop == following.start for part, following in pairwise(parts))
    assert not differences(in_parts(path, parts), exactly(octets)._replace(seen=[]))
    return len(parts)


@pytest.mark.parametrize("count", [1, 2, 3, 7, 50])
@pytest.mark.parametrize("make", [pcap, pcapng])
def test_parts_are_the_whole(make: type, count: int, tmp_path: Path) -> None:
    assert same_in_parts(tmp_path / "a", make(PACKETS), count) >= min(count, 7)


@pytest.mark.parametrize("count", [2, 5])
def test_fragments_may_be_in_different_parts(count: int, tmp_path: Path) -> None:
    same_in_parts(tmp_path / "a", pcap(mixed()), count)


def test_every_part_knows_its_section(tmp_path: Path) -> None:
    little = section("<", (101, 0, b""), (101, 0, resolution("<", 9, 5)))
    data = PACKETS[3][1]
    packets = [
        block("<", 6, which.to_bytes(4, "little") + bytes(7) + b"\1" + len(data).to_bytes(4, "little") * 2 + data)
        for which in (0, 1) * 9
    ]
    turned = pcapng(PACKETS, order=">", interfaces=3)
    assert same_in_parts(tmp_path / "a", little + b"".join(packets) + turned + little + packets[1], 6) == 6


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    whole=st.sampled_from(WHOLE),
    edits=st.lists(st.tuples(st.integers(0, 2000), st.binary(min_size=1, max_size=6)), max_size=4),
    cut=st.integers(0, 200), count=st.integers(2, 9),
)  # fmt: skip
def test_parts_of_mutated_captures(tmp_path: Path, whole: bytes, edits: list[Edit], cut: int, count: int) -> None:
    octets = edited(whole, edits, cut)
    try:
        same_in_parts(tmp_path / "a", octets, count)
    except TulpenError:
        assert exactly(octets).error


def test_what_is_packed_is_one_part(tmp_path: Path) -> None:
    packed = gzip.compress(pcap(PACKETS))
    (tmp_path / "a").write_bytes(packed)
    (part,) = ranges(tmp_path / "a", 5)
    assert not differences(in_parts(tmp_path / "a", [part]), exactly(packed)._replace(seen=[]))
