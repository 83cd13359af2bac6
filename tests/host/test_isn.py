"""Initial sequence numbers (RFC 6528) and timestamp offsets."""

from __future__ import annotations

import pytest

from tulpen.host.isn import TICK, Numbers
from tulpen.tcp.config import SECOND
from tulpen.tcp.trace import FourTuple

HERE, THERE, ELSEWHERE = b"\x0a\0\0\1", b"\x0a\0\0\2", b"\x0a\0\0\3"
NAME = FourTuple(HERE, 80, THERE, 1025)


@pytest.mark.requirement("MUST-8")
def test_a_clock_drives_them() -> None:
    numbers = Numbers(b"secret")
    first = numbers.isn(NAME, 0)
    assert (numbers.isn(NAME, TICK) - first) & 0xFFFFFFFF == 1
    assert (numbers.isn(NAME, SECOND) - first) & 0xFFFFFFFF == 250_000


@pytest.mark.requirement("SHLD-1")
@pytest.mark.parametrize(
    "other",
    [
        FourTuple(HERE, 81, THERE, 1025),
        FourTuple(HERE, 80, THERE, 1026),
        FourTuple(HERE, 80, ELSEWHERE, 1025),
        FourTuple(ELSEWHERE, 80, THERE, 1025),
        FourTuple(THERE, 1025, HERE, 80),
    ],
)
def test_every_part_of_the_name_moves_them(other: FourTuple) -> None:
    numbers = Numbers(b"secret")
    assert numbers.isn(NAME, 0) != numbers.isn(other, 0)


@pytest.mark.requirement("MUST-9")
def test_without_the_secret_they_cannot_be_computed() -> None:
    assert Numbers(b"one secret").isn(NAME, 0) != Numbers(b"another").isn(NAME, 0)
    assert Numbers(b"secret").isn(NAME, 0) == Numbers(b"secret").isn(NAME, 0)


def test_they_fit_32_bits_for_ever() -> None:
    numbers = Numbers(b"secret")
    for hour in range(0, 10_000, 7):
        assert 0 <= numbers.isn(NAME, hour * 3600 * SECOND) < 2**32


def test_timestamps_of_one_peer_share_an_offset() -> None:
    numbers = Numbers(b"secret")
    assert numbers.ts_offset(HERE, THERE) == numbers.ts_offset(HERE, THERE)
    assert numbers.ts_offset(HERE, THERE) != numbers.ts_offset(HERE, ELSEWHERE)
    assert 0 <= numbers.ts_offset(HERE, THERE) < 2**32
