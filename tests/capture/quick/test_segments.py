"""The compiled dissector sees what the exact one sees, whatever the file, the blocks and the ranges."""

from __future__ import annotations

from typing import Final

import pytest

pytest.importorskip("numba", reason="numba is not installed")

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.capture.files import orderly
from tests.capture.quick.told import same
from tests.capture.test_fuzz import WHOLE, Edit

PACKETS: Final = orderly().packets


@pytest.mark.parametrize("octets", WHOLE, ids=range(len(WHOLE)))
def test_every_form_link_type_and_tunnel(octets: bytes) -> None:
    whole = same(octets)
    assert whole.counts.segments
    assert whole.damage is None


@settings(max_examples=400, deadline=None)
@given(
    whole=st.sampled_from(WHOLE),
    edits=st.lists(st.tuples(st.integers(0, 2000), st.binary(min_size=1, max_size=6)), max_size=8),
    cut=st.integers(0, 400),
)
def test_mutated_captures(whole: bytes, edits: list[Edit], cut: int) -> None:
    octets = bytearray(whole)
    for at, data in edits:
        at %= len(octets)
        octets[at : at + len(data)] = data
    same(bytes(octets[: len(octets) - cut]))
