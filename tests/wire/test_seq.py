"""Sequence numbers that wrap on the wire and not inside."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tulpen.wire.seq import HALF, MASK, before, unwrap, wrap

LAP = 1 << 32
bits32 = st.integers(0, MASK)
places = st.integers(0, 8 * LAP)


@pytest.mark.parametrize(
    ("number", "near", "expected"),
    [
        (0, 0, 0),
        (5, 0, 5),
        (MASK, 0, -1),
        (0, MASK, LAP),
        (4, LAP - 4, LAP + 4),
        (MASK, LAP + 10, MASK),
        (HALF - 1, 0, HALF - 1),
        (HALF, 0, -HALF),
        (7, 3 * LAP, 3 * LAP + 7),
    ],
)
def test_unwrap(number: int, near: int, expected: int) -> None:
    assert unwrap(number, near) == expected


@given(bits32, places)
def test_unwrap_keeps_the_32_bits_and_stays_near(number: int, near: int) -> None:
    found = unwrap(number, near)
    assert wrap(found) == number
    assert -HALF <= found - near < HALF


@given(places, st.integers(-HALF, HALF - 1))
def test_unwrap_undoes_wrap(near: int, distance: int) -> None:
    assert unwrap(wrap(near + distance), near) == near + distance


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (1, 2, True),
        (2, 1, False),
        (1, 1, False),
        (MASK, 0, True),
        (0, MASK, False),
        (0xFFFF_FF00, 0x100, True),
        (0, HALF - 1, True),
    ],
)
def test_before(a: int, b: int, expected: bool) -> None:
    assert before(a, b) is expected


@given(bits32, st.integers(1, HALF - 1))
def test_before_is_about_the_shorter_way_round(a: int, distance: int) -> None:
    later = wrap(a + distance)
    assert before(a, later)
    assert not before(later, a)
