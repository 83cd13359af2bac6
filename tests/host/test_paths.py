"""Path MTUs by destination."""

from __future__ import annotations

import pytest

from tulpen.host.paths import EXPIRES, MOST, Paths

V4, V6 = b"\x0a\0\0\1", b"\xfd" + bytes(15)


@pytest.mark.parametrize(
    ("remote", "told", "learned"),
    [
        (V4, 1400, 1400),
        (V4, 1500, None),
        (V4, 9000, None),
        (V4, 68, 552),  # no router needs less: a forger would
        (V4, 0, 1492),  # RFC 1191 §5: a router that does not say
        (V6, 1280, 1280),
        (V6, 600, 1280),
    ],
)
def test_learning(remote: bytes, told: int, learned: int | None) -> None:
    paths = Paths(1500)
    assert paths.too_big(remote, told, 0) == learned
    assert paths.mtu(remote, 0) == (learned or 1500)


def test_plateau_by_plateau() -> None:
    paths = Paths(1500)
    assert [paths.too_big(V4, 0, 0) for _ in range(5)] == [1492, 1006, 552, None, None]


def test_it_is_forgotten_after_ten_minutes() -> None:
    paths = Paths(1500)
    paths.too_big(V4, 1400, 5)
    assert paths.mtu(V4, 4 + EXPIRES) == 1400
    assert paths.mtu(V4, 5 + EXPIRES) == 1500
    assert paths.too_big(V4, 1450, 6 + EXPIRES) == 1450


def test_it_remembers_so_many_destinations() -> None:
    paths = Paths(1500)
    for number in range(MOST + 10):
        paths.too_big(number.to_bytes(4, "big"), 1400, 0)
    known = [number for number in range(MOST + 10) if paths.mtu(number.to_bytes(4, "big"), 0) == 1400]
    assert known == list(range(10, MOST + 10))
