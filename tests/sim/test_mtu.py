from __future__ import annotations

import pytest

from tests.sim.packets import A, B, packet
from tulpen.sim.mtu import Mtu
from tulpen.wire.address import address
from tulpen.wire.icmp import Icmp, IcmpKind
from tulpen.wire.ip import build_packet, parse_packet

A6, B6 = address("2001:db8::1"), address("2001:db8::2")


def test_what_fits_passes() -> None:
    assert len(Mtu(1040)(packet(bytes(1000)), 0)) == 1


def test_a_black_hole_says_nothing() -> None:
    hole = Mtu(1039, icmp=False)
    assert hole(packet(bytes(1000)), 0) == []
    assert hole.dropped == 1


@pytest.mark.parametrize(("src", "dst"), [(A, B), (A6, B6)], ids=["IPv4", "IPv6"])
def test_a_router_says_how_much_fits(src: bytes, dst: bytes) -> None:
    big = packet(bytes(1500), src=src, dst=dst, seq=12345)
    ((_, error),) = Mtu(1280)(big, 0)
    assert (error.src, error.dst) == (dst, src)
    on_the_wire = parse_packet(build_packet(error))
    for icmp in (error.payload, on_the_wire.payload):
        assert isinstance(icmp, Icmp)
        assert icmp.kind is IcmpKind.PACKET_TOO_BIG
        assert icmp.mtu == 1280
        assert icmp.embedded == (src, dst, 1000, 80, 12345)


def test_no_error_about_an_error() -> None:
    ((_, error),) = Mtu(1280)(packet(bytes(1500)), 0)
    assert Mtu(100)(error, 0) == []
