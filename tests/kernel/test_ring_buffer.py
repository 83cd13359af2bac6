from __future__ import annotations

import struct
import sys
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tulpen.kernel.ring_buffer import PageLayout, walk, walk_bulk

LAYOUT = PageLayout(4096, 0, 8, 16)
EXTEND, STAMP, PADDING = 30, 31, 29


def word(kind: int, delta: int) -> bytes:
    return struct.pack("=I", delta << 5 | kind if sys.byteorder == "little" else kind << 27 | delta)


def page(time: int, *events: bytes, missed: int | None = None) -> bytes:
    data = b"".join(events)
    commit = len(data)
    if missed is not None:
        commit |= 3 << 30
        data += struct.pack("=Q", missed)
    return (struct.pack("=QQ", time, commit) + data).ljust(4096, b"\xee")


def event(delta: int, words: int) -> bytes:
    return word(words, delta) + bytes(range(4)) * words


def read(*pages: bytes) -> tuple[list[int], list[int]]:
    """Read with both, which must agree."""
    octets = bytearray(b"".join(pages))
    times, offsets, _ = walk(memoryview(octets), LAYOUT)
    np = pytest.importorskip("numpy")
    del np
    bulk_times, bulk_offsets = walk_bulk(memoryview(octets), LAYOUT)
    assert (bulk_times.tolist(), bulk_offsets.tolist()) == (times, offsets)
    return times, offsets


def test_events_of_several_pages_stand_in_their_order() -> None:
    first = page(1000, event(0, 2), event(5, 1), event(7, 28))
    assert read(first, page(50), page(2000, event(1, 3))) == ([1000, 1005, 1012, 2001], [20, 32, 40, 8192 + 20])


def test_a_time_that_is_extended_and_one_that_is_absolute() -> None:
    extend = word(EXTEND, 3) + struct.pack("=I", 2)
    stamp = word(STAMP, 9) + struct.pack("=I", 1)
    times, _ = read(page(10, extend, event(1, 1), stamp, event(1, 1)))
    assert times == [10 + (2 << 27) + 3 + 1, (1 << 27) + 9 + 1]


def test_long_events_and_what_was_discarded() -> None:
    long = word(0, 4) + struct.pack("=I", 4 + 200) + bytes(200)
    discarded = word(PADDING, 1) + struct.pack("=I", 8) + bytes(4)
    rest = word(PADDING, 0) + struct.pack("=I", 0)
    times, offsets = read(page(0, long, discarded, event(2, 1), rest, event(1, 1)))
    assert times == [4, 7]
    assert offsets == [24, 16 + 208 + 12 + 4]


def test_how_many_were_lost_before_a_page() -> None:
    pages = page(0, event(0, 1), missed=7) + page(0, event(0, 1))
    assert walk(memoryview(pages), LAYOUT)[2] == 7
    unsaid = bytearray(page(0, event(0, 1)))
    unsaid[8:16] = struct.pack("=Q", 8 | 1 << 31)
    assert walk(memoryview(unsaid), LAYOUT)[2] == 1


def test_an_event_that_does_not_fit_ends_its_page() -> None:
    whole = event(1, 5)
    cut = bytearray(page(0, whole, event(1, 5)))
    cut[8:16] = struct.pack("=Q", len(whole) + 12)
    assert read(bytes(cut), page(9, event(0, 1)))[0] == [1, 9]


words = st.builds(word, st.integers(0, 31), st.integers(0, (1 << 27) - 1))
pieces = st.one_of(words, st.builds(event, st.integers(0, 1 << 20), st.integers(1, 28)), st.binary(max_size=64))
pages = st.builds(
    lambda time, parts, commit: bytearray(
        (struct.pack("=QQ", time, commit) + b"".join(parts)).ljust(4096, b"\0")[:4096]
    ),
    st.integers(0, 1 << 62), st.lists(pieces, max_size=60), st.integers(0, (1 << 33) - 1) | st.integers(0, 4080),
)  # fmt: skip


@given(st.lists(pages, max_size=4))
def test_whatever_stands_in_a_page_both_read_the_same(given_pages: list[bytearray]) -> None:
    octets = b"".join(given_pages)
    times, offsets = read(octets)
    assert len(times) == len(offsets)
    assert all(16 < offset <= len(octets) for offset in offsets)


@pytest.mark.parametrize("seed", range(20))
def test_noise(seed: int) -> None:
    read(Random(seed).randbytes(16 * 4096))
