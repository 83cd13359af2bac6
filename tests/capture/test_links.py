"""Every link layer, tag and tunnel leads to the same connection."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest

from tests.capture.files import Talk, orderly, pcap, pcapng
from tulpen.capture.reading import Reading, read
from tulpen.wire.ip import Packet, build_packet

PACKETS = orderly().packets
MACS = bytes(12)
IP4 = b"\x08\x00"


def four(inner: bytes, protocol: int) -> bytes:
    return build_packet(Packet(bytes((192, 0, 2, 1)), bytes((192, 0, 2, 2)), inner, protocol=protocol))


def udp(inner: bytes, port: int) -> bytes:
    head = (50_000).to_bytes(2, "big") + port.to_bytes(2, "big") + (8 + len(inner)).to_bytes(2, "big") + bytes(2)
    return four(head + inner, 17)


def check(reading: Reading, layers: str = "") -> None:
    (row,) = reading
    assert (row.opened, row.ended, row.client, row.layers) == ("normal", "closed", "10.0.0.1", layers)
    assert not row.findings


LINKS = {
    "ethernet": (1, MACS + IP4, ""),
    "802.3 with SNAP": (1, MACS + b"\x00\x40\xaa\xaa\x03\x00\x00\x00" + IP4, ""),
    "VLAN": (1, MACS + b"\x81\x00\x00\x05" + IP4, "vlan 5"),
    "QinQ": (1, MACS + b"\x88\xa8\x00\x07\x81\x00\x00\x05" + IP4, "vlan 7, vlan 5"),
    "PPPoE": (1, MACS + b"\x88\x64\x11\x00\x00\x01\x00\x40\x00\x21", "pppoe"),
    "PPPoE in QinQ": (
        1, MACS + b"\x88\xa8\x00\x07\x81\x00\x00\x05\x88\x64\x11\x00\x00\x01\x00\x40\x00\x21", "vlan 7, vlan 5, pppoe",
    ),
    "MPLS": (1, MACS + b"\x88\x47\x00\x01\x00\x40\x00\x02\x01\x40", "mpls"),
    "Ethernet in MPLS": (1, MACS + b"\x88\x47\x00\x02\x01\x40" + bytes(4) + MACS + IP4, "mpls"),
    "E-Tag": (1, MACS + b"\x89\x3f" + bytes(6) + IP4, ""),
    "loopback": (0, b"\x02\x00\x00\x00", ""),
    "loopback, other byte order": (0, b"\x00\x00\x00\x02", ""),
    "OpenBSD's loopback": (108, b"\x00\x00\x00\x02", ""),
    "PPP": (9, b"\xff\x03\x00\x21", "ppp"),
    "PPP, short protocol": (9, b"\x21", "ppp"),
    "raw": (101, b"", ""),
    "raw IPv4": (228, b"", ""),
    "cooked": (113, bytes(14) + IP4, ""),
    "cooked 2": (276, IP4 + bytes(18), ""),
    "Cisco HDLC": (104, b"\x0f\x00" + IP4, ""),
    "FDDI": (10, bytes(13) + b"\xaa\xaa\x03\x00\x00\x00" + IP4, ""),
    "802.11": (105, b"\x08\x01" + bytes(22) + b"\xaa\xaa\x03\x00\x00\x00" + IP4, ""),
    "radiotap": (127, b"\x00\x00\x08\x00" + bytes(4) + b"\x88\x01" + bytes(24) + b"\xaa\xaa\x03\x00\x00\x00" + IP4, ""),
    "InfiniBand": (242, bytes(40) + IP4 + bytes(2), ""),
    "nflog": (239, bytes(4) + b"\x08\x00\x01\x00" + bytes(4) + b"\x40\x00\x09\x00", ""),
}  # fmt: skip


@pytest.mark.parametrize("name", LINKS)
@pytest.mark.parametrize("make", [pcap, pcapng])
def test_link_types(name: str, make: type) -> None:
    link, header, layers = LINKS[name]
    check(read(io.BytesIO(make(PACKETS, link=link, header=header))), layers)


TUNNELS: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "IP in IP": (lambda p: four(p, 4), "ipip"),
    "GRE": (lambda p: four(b"\x00\x00\x08\x00" + p, 47), "gre"),
    "GRE with key and sequence": (lambda p: four(b"\x30\x00\x08\x00" + bytes(8) + p, 47), "gre"),
    "Ethernet in GRE": (lambda p: four(b"\x00\x00\x65\x58" + MACS + IP4 + p, 47), "gre"),
    "ERSPAN": (lambda p: four(b"\x10\x00\x88\xbe" + bytes(12) + MACS + IP4 + p, 47), "erspan"),
    "VXLAN": (lambda p: udp(b"\x08" + bytes(7) + MACS + IP4 + p, 4789), "vxlan"),
    "VXLAN, VLAN inside": (
        lambda p: udp(b"\x08" + bytes(7) + MACS + b"\x81\x00\x00\x09" + IP4 + p, 4789), "vxlan, vlan 9",
    ),
    "VXLAN-GPE": (lambda p: udp(b"\x0c\x00\x00\x01" + bytes(4) + p, 4790), "vxlan"),
    "GRE in UDP": (lambda p: udp(b"\x00\x00\x08\x00" + p, 4754), "gre"),
    "WCCP": (lambda p: four(b"\x00\x00\x88\x3e" + bytes(4) + p, 47), "gre"),
    "802.11 in GRE": (
        lambda p: four(b"\x00\x00\x82\x00\x08\x01" + bytes(22) + b"\xaa\xaa\x03\x00\x00\x00" + IP4 + p, 47), "gre",
    ),
    "Geneve": (lambda p: udp(b"\x00\x00\x65\x58" + bytes(4) + MACS + IP4 + p, 6081), "geneve"),
    "GTP-U": (lambda p: udp(b"\x30\xff" + len(p).to_bytes(2, "big") + bytes(4) + p, 2152), "gtp"),
    "MPLS in GRE": (lambda p: four(b"\x00\x00\x88\x47\x00\x02\x01\x40" + p, 47), "gre, mpls"),
    "IP in IP in GRE": (lambda p: four(b"\x00\x00\x08\x00" + four(p, 4), 47), "gre, ipip"),
}  # fmt: skip


@pytest.mark.parametrize("name", TUNNELS)
def test_tunnels(name: str) -> None:
    wrap, layers = TUNNELS[name]
    check(read(io.BytesIO(pcap([(when, wrap(packet)) for when, packet in PACKETS]))), layers)


@pytest.mark.parametrize(("port", "wrapped"), [(0, "6in4"), (3544, "teredo"), (40_444, "teredo")])
def test_ipv6_in_ipv4(port: int, wrapped: str) -> None:
    talk = Talk(six=True)
    teredo = bytes.fromhex("20010000") + bytes(12)
    talk.addresses = (teredo, talk.addresses[1])
    talk.opened().client("F.", 1, 1).server("F.", 1, 2).client(".", 2, 2)

    def wrap(packet: bytes) -> bytes:
        return udp(packet, port) if port else four(packet, 41)

    (row,) = read(io.BytesIO(pcap([(when, wrap(packet)) for when, packet in talk.packets])))
    assert (row.ended, row.layers) == ("closed", wrapped)


def fragments(packet: bytes, size: int = 24) -> list[bytes]:
    head, body = bytearray(packet[:20]), packet[20:]
    pieces = []
    for at in range(0, len(body), size):
        part = body[at : at + size]
        more = 0x2000 if at + size < len(body) else 0
        head[2:4] = (20 + len(part)).to_bytes(2, "big")
        head[6:8] = (more | at // 8).to_bytes(2, "big")
        head[10:12] = bytes(2)
        pieces.append(bytes(head) + part)
    return pieces


@pytest.mark.parametrize("backwards", [False, True])
def test_fragments_are_put_together(backwards: bool) -> None:
    packets = []
    for when, packet in PACKETS:
        pieces = fragments(packet)
        packets += [(when, piece) for piece in (reversed(pieces) if backwards else pieces)]
    (row,) = read(io.BytesIO(pcap(packets)))
    assert (row.ended, row.client_bytes, row.server_bytes) == ("closed", 100, 500)


def test_a_packet_that_misses_a_fragment_is_none() -> None:
    packets = [(when, piece) for when, packet in PACKETS for piece in fragments(packet)]
    reading = read(io.BytesIO(pcap(packets[:-1])))
    assert "a fragment of IP" in reading.counts.passed


def test_a_total_length_of_zero_is_the_length_of_the_frame() -> None:
    packets = [(when, packet[:2] + bytes(2) + packet[4:10] + bytes(2) + packet[12:]) for when, packet in PACKETS]
    (row,) = read(io.BytesIO(pcap(packets)))
    assert (row.ended, row.server_bytes) == ("closed", 500)


def test_segments_may_be_larger_than_any_mtu() -> None:
    talk = Talk().opened().server("P.", 1, 1, 60_000).client(".", 1, 60_001)
    (row,) = talk.read()
    assert row.server_bytes == 60_000


def test_padding_behind_a_packet_is_no_text() -> None:
    packets = [(when, packet + bytes(max(0, 46 - len(packet)))) for when, packet in PACKETS]
    (row,) = read(io.BytesIO(pcap(packets, link=1, header=MACS + IP4)))
    assert (row.client_bytes, row.server_bytes, row.findings) == (100, 500, "")


def test_what_is_not_tcp_is_counted() -> None:
    arp = (0, MACS + b"\x08\x06" + bytes(28))
    reading = read(io.BytesIO(pcap([arp], link=1)))
    assert reading.counts.passed == {"no packet of IP": 1}
    assert len(reading) == 0


def test_an_unknown_link_type_is_counted() -> None:
    reading = read(io.BytesIO(pcap(PACKETS, link=147)))
    assert reading.counts.passed == {"link type 147, which is not read": len(PACKETS)}


def test_vlans_may_be_told_apart() -> None:
    from tulpen.capture.policy import Policy

    header = MACS + b"\x81\x00\x00\x05" + IP4
    other = MACS + b"\x81\x00\x00\x06" + IP4
    both = [(when, h + packet) for when, packet in PACKETS for h in (header, other)]
    octets = pcap(both, link=1)
    assert len(read(io.BytesIO(octets))) == 1
    assert [row.vlan for row in read(io.BytesIO(octets), policy=Policy(vlans=True))] == [5, 6]


def test_addresses_are_those_of_the_innermost_packet() -> None:
    (row,) = read(io.BytesIO(pcap([(when, four(packet, 4)) for when, packet in PACKETS])))
    assert (row.client, row.server) == ("10.0.0.1", "10.0.0.2")
