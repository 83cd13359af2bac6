"""The MSS option follows from the link's MTU and the family's headers (RFC 9293 §3.7.1)."""

from __future__ import annotations

import pytest

from tulpen.host.host import Host
from tulpen.wire.address import address
from tulpen.wire.segment import SYN, Segment

V4 = ("10.0.0.1", "10.0.0.2")
V6 = ("2001:db8::1", "2001:db8::2")


def syn_of(host: Host) -> Segment:
    (packet,) = host.packets_to_send(0)
    assert isinstance(packet.payload, Segment)
    return packet.payload


@pytest.mark.requirement("MUST-67", "MUST-14")
@pytest.mark.parametrize(
    ("mtu", "ends", "mss"), [(1500, V4, 1460), (1500, V6, 1440), (9000, V4, 8960), (1280, V6, 1220), (576, V4, 536)]
)
def test_an_active_open_tells_it(mtu: int, ends: tuple[str, str], mss: int) -> None:
    host = Host([ends[0]], mtu=mtu)
    host.connect(ends[1], 80, 0)
    syn = syn_of(host)
    assert (syn.flags, syn.options.mss) == (SYN, mss)


@pytest.mark.requirement("MUST-67", "MUST-14")
@pytest.mark.parametrize(("mtu", "ends", "mss"), [(1500, V4, 1460), (9000, V6, 8940)])
def test_and_so_does_an_answer(mtu: int, ends: tuple[str, str], mss: int) -> None:
    client, server = Host([ends[0]], mtu=1280), Host([ends[1]], mtu=mtu)
    server.listen(address(ends[1]), 80, 0)
    client.connect(ends[1], 80, 0)
    for packet in client.packets_to_send(0):
        server.packet_arrives(packet, 0)
    assert syn_of(server).options.mss == mss
