"""Path MTUs by destination."""

from __future__ import annotations

import pytest

from tulpen.host.paths import MOST, Paths
from tulpen.tcp.config import SECOND, Settings
from tulpen.tcp.route import Route

V4, V6 = b"\x0a\0\0\1", b"\xfd" + bytes(15)
EXPIRES = 600 * SECOND


def link(mtu: int) -> Paths:
    return Paths(mtu, Settings())


@pytest.mark.parametrize(
    ("remote", "told", "learned"),
    [
        (V4, 1400, 1400),
        (V4, 1500, None),
        (V4, 9000, None),
        (V4, 68, 552),  # no router needs less: a forger would
        (V4, 0, 1492),  # RFC 1191 §5: a router that does not say
        (V6, 1280, 1280),
        (V6, 600, None),  # RFC 8201 §4: it must not be believed
    ],
)
def test_learning(remote: bytes, told: int, learned: int | None) -> None:
    paths = link(1500)
    assert paths.too_big(remote, told, 0) == learned
    assert paths.mtu(remote, 0) == (learned or 1500)


def test_plateau_by_plateau() -> None:
    paths = link(1500)
    assert [paths.too_big(V4, 0, 0) for _ in range(5)] == [1492, 1006, 552, None, None]


def test_it_is_forgotten_after_ten_minutes() -> None:
    paths = link(1500)
    paths.too_big(V4, 1400, 5)
    assert paths.mtu(V4, 4 + EXPIRES) == 1400
    assert paths.mtu(V4, 5 + EXPIRES) == 1500
    assert paths.too_big(V4, 1450, 6 + EXPIRES) == 1450


def test_it_remembers_so_many_destinations() -> None:
    paths = link(1500)
    for number in range(MOST + 10):
        paths.too_big(number.to_bytes(4, "big"), 1400, 0)
    known = [number for number in range(MOST + 10) if paths.mtu(number.to_bytes(4, "big"), 0) == 1400]
    assert known == list(range(10, MOST + 10))


def test_who_asks_for_less_than_any_path_needs_gets_fragments() -> None:
    paths = link(1500)
    paths.too_big(V4, 1400, 0)
    assert not paths.locked(V4, 0)
    paths.too_big(V4, 300, 0)
    assert (paths.mtu(V4, 0), paths.locked(V4, 0)) == (552, True)
    assert paths.locked(V4, EXPIRES - 1)
    assert not paths.locked(V4, EXPIRES)


def test_a_route_says_what_the_path_takes() -> None:
    paths = link(1500)
    assert not paths.differ
    paths.put_route(V4, 32, Route(mtu=1000))
    assert (paths.mtu(V4, 0), paths.locked(V4, 0), paths.differ) == (1000, False, True)
    assert paths.too_big(V4, 900, 0) == 900
    paths.put_route(V4, 32, Route(mtu=9000))
    assert paths.mtu(V4, 0) == 1500  # the link takes no more, and what a router said is forgotten


def test_a_locked_one_is_not_changed_by_a_router() -> None:
    paths = link(1500)
    paths.put_route(V4, 32, Route(mtu=1000, mtu_locked=True))
    assert paths.too_big(V4, 900, 0) is None
    assert (paths.mtu(V4, 0), paths.locked(V4, 0)) == (1000, True)


def test_the_longest_prefix_counts() -> None:
    paths = link(1500)
    paths.put_route(bytes(4), 0, Route(mtu=1400))
    paths.put_route(b"\x0a\0\0\0", 8, Route(mtu=1300))
    paths.put_route(b"\x0a\0\0\1", 32, Route(mtu=1200))
    assert [paths.mtu(bytes(each), 0) for each in ((10, 0, 0, 1), (10, 0, 0, 2), (11, 0, 0, 1))] == [1200, 1300, 1400]
    assert paths.mtu(V6, 0) == 1500
    paths.put_route(b"\x0a\0\0\1", 32, None)
    assert paths.mtu(V4, 0) == 1300
