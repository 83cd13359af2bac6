"""``ip route``: what becomes of its words."""

from __future__ import annotations

import pytest

from tests.drill.test_runner import run
from tulpen.drill.ip_route import is_ip_route, prefix_and_route
from tulpen.drill.verdict import Outcome
from tulpen.tcp.config import MS
from tulpen.tcp.route import Route

REMOTE = bytes((192, 0, 2, 1))


@pytest.mark.parametrize(
    ("text", "length", "route"),
    [
        ("192.0.2.1 via 192.168.0.2 dev tun0 advmss 600 mtu lock 640 initcwnd 11", 32,
         Route(advmss=600, mtu=640, mtu_locked=True, initcwnd=11)),
        ("192.0.2.1/32 dev tun0 mtu 1400", 32, Route(mtu=1400)),
        ("192.0.2.1 proto static metric 5 quickack 1", 32, Route(quickack=True)),
        ("192.0.2.1 rto_min lock 5ms hoplimit 9", 32, Route(rto_min=5 * MS, hoplimit=9)),
        ("192.0.2.1 rto_min 1s", 32, Route(rto_min=1000 * MS)),
        ("192.0.2.1 rto_min 30", 32, Route(rto_min=30 * MS)),
    ],
)  # fmt: skip
def test_metrics(text: str, length: int, route: Route) -> None:
    assert prefix_and_route(["ip", "route", "change", *text.split()]) == (REMOTE, length, route)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ip route del default", (bytes(4), 0, None)),
        ("/sbin/ip -4 route delete 10.0.0.0/8", (bytes((10, 0, 0, 0)), 8, None)),
        ("ip -6 route add default via fd00::1", (bytes(16), 0, Route())),
    ],
)
def test_prefixes(text: str, expected: tuple[bytes, int, Route | None]) -> None:
    assert is_ip_route(text.split())
    assert prefix_and_route(text.split()) == expected


def test_other_commands_of_ip_are_none() -> None:
    assert not is_ip_route(["ip", "link", "set", "tun0", "up"])
    assert not is_ip_route(["ip"])


@pytest.mark.parametrize("text", ["ip route show", "ip route add 192.0.2.1 cwnd 9", "ip route flush cache", "ip route"])
def test_what_is_not_understood_skips_the_script(text: str) -> None:
    assert run(f"`{text}`\n0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n").outcome is Outcome.SKIP


@pytest.mark.parametrize(
    "text", ["ip route add there mtu 9", "ip route add 192.0.2.1 mtu much", "ip route add ::1 mtu"]
)
def test_what_ip_would_refuse_fails_it(text: str) -> None:
    assert run(f"`{text}`\n0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n").outcome is Outcome.FAIL
