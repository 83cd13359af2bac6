"""Octets that come in, whole or not: each is counted where Linux counts it."""

from __future__ import annotations

import pytest

from tests.host.exchange import CLIENT, CLIENT_6, SERVER, SERVER_6, reasons, server
from tulpen.host.host import Host
from tulpen.tcp.trace import Reason
from tulpen.wire.address import address
from tulpen.wire.checksum import internet_checksum
from tulpen.wire.ip import Offload, Packet, build_packet
from tulpen.wire.segment import SYN, Segment


def _syn(src: str = CLIENT, dst: str = SERVER) -> bytearray:
    seg = Segment(1, 0, SYN, 1000, sport=5, dport=80)
    return bytearray(build_packet(Packet(address(src), address(dst), seg)))


def _resummed(octets: bytearray) -> bytearray:
    """Put the IPv4 header's checksum right again."""
    octets[10:12] = b"\0\0"
    octets[10:12] = internet_checksum(bytes(octets[:20])).to_bytes(2, "big")
    return octets


def _listening() -> Host:
    host = server()
    host.listen(None, 80, 0)
    return host


@pytest.mark.parametrize(("src", "dst"), [(CLIENT, SERVER), (CLIENT_6, SERVER_6)])
def test_a_whole_one(src: str, dst: str) -> None:
    host = _listening()
    host.bytes_arrive(_syn(src, dst), 0)
    assert len(host.packets_to_send(0)) == 1
    assert (host.stack.counters["InReceives"], host.stack.counters["InSegs"]) == (1, 1)


def test_a_device_that_leaves_the_checksum_to_us_is_believed() -> None:
    host = _listening()
    octets = _syn()
    octets[36:38] = b"\x12\x34"
    host.bytes_arrive(octets, 0, Offload(needs_checksum=True))
    assert len(host.packets_to_send(0)) == 1


def _cut(octets: bytearray) -> bytearray:
    return octets[:30]


def _version(octets: bytearray) -> bytearray:
    octets[0] = 0x75
    return octets


def _no_room_for_header(octets: bytearray) -> bytearray:
    octets[0] = 0x4F
    return octets


def _ip_checksum(octets: bytearray) -> bytearray:
    octets[10] ^= 1
    return octets


def _tcp_checksum(octets: bytearray) -> bytearray:
    octets[36] ^= 1
    return octets


def _data_offset(octets: bytearray) -> bytearray:
    octets[32] = 0x10
    return octets


def _fragment(octets: bytearray) -> bytearray:
    octets[6:8] = b"\x20\0"
    return _resummed(octets)


def _other_protocol(octets: bytearray) -> bytearray:
    octets[9] = 99
    return _resummed(octets)


@pytest.mark.parametrize(
    ("spoil", "counter", "reason"),
    [
        (_cut, "InHdrErrors", None),
        (_version, "InHdrErrors", None),
        (_no_room_for_header, "InHdrErrors", None),
        (_ip_checksum, "InHdrErrors", None),
        (_tcp_checksum, "InCsumErrors", Reason.BAD_CHECKSUM),
        (_data_offset, "InErrs", Reason.MALFORMED),
        (_fragment, "ReasmFails", Reason.FRAGMENT),
        (_other_protocol, "InUnknownProtos", None),
    ],
)
def test_spoiled_ones(spoil, counter: str, reason: Reason | None) -> None:  # type: ignore[no-untyped-def]
    host = _listening()
    host.bytes_arrive(spoil(_syn()), 0)
    assert host.stack.counters[counter] == 1
    assert host.stack.counters["InReceives"] == 1
    assert reasons(host) == ([reason] if reason else [])
    assert host.packets_to_send(0) == []


def test_nothing_at_all() -> None:
    host = _listening()
    host.bytes_arrive(b"", 0)
    assert host.stack.counters["InHdrErrors"] == 1


@pytest.mark.requirement("MUST-7")
def test_a_lying_option_length_does_no_harm() -> None:
    host = _listening()
    seg = Segment(1, 0, SYN, 1000, b"\x02\xff\x05\xb4", sport=5, dport=80)
    octets = bytearray(build_packet(Packet(address(CLIENT), address(SERVER), seg)))
    octets[32] = 0x60  # what were data are options now
    octets[36:38] = b"\0\0"
    host.bytes_arrive(octets, 0, Offload(needs_checksum=True))
    (answer,) = host.packets_to_send(0)
    assert isinstance(answer.payload, Segment)
    assert answer.payload.options.mss == 1460
