"""Packets of IPv4 and IPv6 as octets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wire import linux_packets as linux
from tests.wire.values import packets
from tulpen.wire.address import address
from tulpen.wire.checksum import internet_checksum
from tulpen.wire.icmp import ICMP, Icmp, echo_request
from tulpen.wire.ip import Offload, Packet, build_packet, packet_parts, parse_packet
from tulpen.wire.malformed import BadChecksum, Fragment, Kind, Malformed
from tulpen.wire.options import Options
from tulpen.wire.segment import ACK, PSH, RST, SYN, Segment

TCP, UDP, NONE = 6, 17, 59
HOP_BY_HOP, ROUTING, FRAGMENT, DESTINATION = 0, 43, 44, 60

A4, B4 = linux.KERNEL_4, linux.PEER_4
A6, B6 = linux.KERNEL_6, linux.PEER_6
SEGMENT = Segment(1, 2, ACK | PSH, 512, b"data", Options(tsval=3, tsecr=4), sport=5, dport=6)


def fix_header(octets: bytearray) -> bytearray:
    """Put the right checksum into an IPv4 header."""
    octets[10:12] = bytes(2)
    octets[10:12] = internet_checksum(bytes(octets[: (octets[0] & 0x0F) * 4])).to_bytes(2, "big")
    return octets


def refused(octets: bytes | bytearray) -> Malformed:
    with pytest.raises(Malformed) as caught:
        parse_packet(octets)
    return caught.value


def segment_of(octets: bytes | bytearray) -> Segment:
    payload = parse_packet(octets).payload
    assert isinstance(payload, Segment)
    return payload


class TestPacketsOfLinux:
    @pytest.mark.parametrize("octets", linux.ALL)
    def test_built_again(self, octets: bytes) -> None:
        expected = bytearray(octets)
        if octets[0] >> 4 == 6:
            expected[1:4] = bytes((expected[1] & 0xF0, 0, 0))  # no flow label
        assert build_packet(parse_packet(octets)) == expected

    def test_syn_4(self) -> None:
        packet = parse_packet(linux.SYN_4)
        assert (packet.version, packet.src, packet.dst, packet.protocol) == (4, A4, B4, TCP)
        assert (packet.ttl, packet.tos, packet.ident, packet.df, packet.damaged) == (64, 0, 0x2807, True, False)
        assert isinstance(packet.payload, Segment)
        assert packet.payload.flags == SYN

    def test_syn_6(self) -> None:
        packet = parse_packet(linux.SYN_6)
        assert (packet.version, packet.src, packet.dst, packet.protocol) == (6, A6, B6, TCP)
        assert (packet.ttl, packet.tos) == (64, 0)

    def test_data_after_36_octets_of_options(self) -> None:
        seg = segment_of(linux.THREE_OCTETS_AND_SACK)
        assert seg.data == b"odd"
        assert seg.options.sack == ((401, 411), (301, 311), (201, 211))


@given(packets())
def test_round_trip(packet: Packet) -> None:
    built = build_packet(packet)
    found = parse_packet(built)
    assert (found.src, found.dst, found.ttl, found.tos) == (packet.src, packet.dst, packet.ttl, packet.tos)
    if isinstance(packet.payload, Icmp):
        assert build_packet(found) == built  # random data may or may not be a quote
    else:
        assert found == packet


@given(packets())
def test_parts_joined_are_the_packet(packet: Packet) -> None:
    assert b"".join(packet_parts(packet)) == build_packet(packet)


@pytest.mark.parametrize("ends", [(A4, B4), (A6, B6)])
def test_neither_way_copies_the_data(ends: tuple[bytes, bytes]) -> None:
    data = memoryview(bytes(1000))
    packet = Packet(*ends, Segment(1, 2, ACK, data=data))
    assert packet_parts(packet)[1] is data
    octets = bytearray(build_packet(packet))
    seg = segment_of(octets)
    octets[-1] = 7
    assert seg.data[-1] == 7


@pytest.mark.parametrize("header", [20, 40])
def test_64_kibibytes(header: int) -> None:
    ends = (A4, B4) if header == 20 else (A6, B6)
    room = 0xFFFF - 20 - (20 if header == 20 else 0)
    packet = Packet(*ends, Segment(1, 2, ACK, data=bytes(room)))
    assert len(segment_of(build_packet(packet)).data) == room
    with pytest.raises(ValueError, match="do not fit"):
        build_packet(Packet(*ends, Segment(1, 2, ACK, data=bytes(room + 1))))


@pytest.mark.parametrize("octets", [linux.RST_4, linux.RST_6])
def test_ethernets_padding_is_cut_off(octets: bytes) -> None:
    assert parse_packet(octets + b"padding") == parse_packet(octets)


@pytest.mark.parametrize("buffer", [linux.SYN_4, bytearray(linux.SYN_4), memoryview(linux.SYN_4)])
def test_any_buffer(buffer: bytes | bytearray | memoryview) -> None:
    assert parse_packet(buffer) == parse_packet(linux.SYN_4)


class TestOffload:
    def test_an_unfinished_checksum_is_not_verified(self) -> None:
        octets = build_packet(Packet(A4, B4, SEGMENT), checksum=False)
        assert isinstance(refused(octets), BadChecksum)
        assert parse_packet(octets, offload=Offload(needs_checksum=True)).payload == SEGMENT

    def test_a_large_segment_says_how_it_is_cut(self) -> None:
        octets = build_packet(Packet(A4, B4, SEGMENT))
        payload = parse_packet(octets, offload=Offload(gso_size=1448)).payload
        assert isinstance(payload, Segment)
        assert payload.gso_size == 1448


class TestDamaged:
    @pytest.mark.parametrize("checksum", [True, False])
    @pytest.mark.parametrize("ends", [(A4, B4), (A6, B6)])
    def test_tcp(self, ends: tuple[bytes, bytes], checksum: bool) -> None:
        octets = build_packet(Packet(*ends, SEGMENT, damaged=True), checksum=checksum)
        assert str(refused(octets)).startswith("the TCP checksum is wrong")
        whole = build_packet(Packet(*ends, SEGMENT))
        assert [a ^ b for a, b in zip(octets, whole, strict=True) if a != b] == [1]

    def test_icmp(self) -> None:
        octets = build_packet(Packet(A4, B4, echo_request(1, 2), protocol=ICMP, damaged=True))
        assert str(refused(octets)) == "the ICMP checksum is wrong (at octet 22)"


class TestHeader4:
    @pytest.mark.parametrize("size", range(len(linux.SYN_4)))
    def test_truncated_anywhere(self, size: int) -> None:
        assert refused(linux.SYN_4[:size]).kind is Kind.TRUNCATED

    @pytest.mark.parametrize("size", range(20, 40))
    def test_truncated_with_a_length_that_agrees(self, size: int) -> None:
        octets = bytearray(linux.SYN_4[:size])
        octets[3] = size
        found = refused(fix_header(octets))
        assert str(found) == f"{size - 20} octets cannot hold a TCP header of 20 (at octet 20)"

    @pytest.mark.parametrize("words", [0, 1, 4])
    def test_a_header_length_too_small(self, words: int) -> None:
        octets = bytearray(linux.SYN_4)
        octets[0] = 0x40 | words
        found = refused(octets)
        assert (found.kind, found.offset) == (Kind.HEADER_LENGTH, 0)

    def test_a_header_length_beyond_the_end(self) -> None:
        octets = bytearray(linux.SYN_4[:24])
        octets[0] = 0x4F
        assert str(refused(octets)) == "an IPv4 header length of 60 in 24 octets (at octet 0)"

    @pytest.mark.parametrize("total", [0, 19])
    def test_a_total_length_less_than_the_header(self, total: int) -> None:
        octets = bytearray(linux.SYN_4)
        octets[3] = total
        found = refused(octets)
        assert (found.kind, found.offset) == (Kind.TOTAL_LENGTH, 2)

    def test_a_total_length_beyond_the_end(self) -> None:
        octets = bytearray(linux.SYN_4)
        octets[3] += 1
        assert str(refused(octets)) == "an IPv4 total length of 61 in 60 octets (at octet 2)"

    @pytest.mark.parametrize("at", [*range(20)])
    def test_a_flipped_bit(self, at: int) -> None:
        octets = bytearray(linux.RST_4)
        octets[at] ^= 0x10
        found = refused(octets)
        assert not isinstance(found, BadChecksum)  # which counts against TCP

    @pytest.mark.requirement("MUST-50")
    @pytest.mark.parametrize("words", range(1, 11))
    def test_options_are_skipped(self, words: int) -> None:
        # a loose source route that is exhausted, cut or filled up as the length has it
        options = bytes.fromhex("830704c0000209").ljust(words * 4, b"\1")[: words * 4]
        octets = bytearray(linux.SYN_4)
        octets[0] += words
        octets[3] += words * 4
        octets[20:20] = options
        assert parse_packet(fix_header(octets)) == parse_packet(linux.SYN_4)

    @pytest.mark.parametrize("field", [0x2000, 0x2001, 0x0001, 0x1FFF, 0x6000])
    def test_fragments(self, field: int) -> None:
        octets = bytearray(linux.SYN_4)
        octets[6:8] = field.to_bytes(2, "big")
        found = refused(fix_header(octets))
        assert isinstance(found, Fragment)
        assert str(found) == f"a fragment at octet {(field & 0x1FFF) * 8} of its packet (at octet 6)"


class TestHeader6:
    @pytest.mark.parametrize("size", range(len(linux.SYN_6)))
    def test_truncated_anywhere(self, size: int) -> None:
        assert refused(linux.SYN_6[:size]).kind is Kind.TRUNCATED

    @pytest.mark.parametrize("length", range(20))
    def test_truncated_with_a_length_that_agrees(self, length: int) -> None:
        octets = bytearray(linux.SYN_6)
        octets[5] = length
        assert str(refused(octets)) == f"{length} octets cannot hold a TCP header of 20 (at octet 40)"

    def test_a_payload_length_beyond_the_end(self) -> None:
        octets = bytearray(linux.SYN_6)
        octets[4] = 1
        assert str(refused(octets)) == "an IPv6 payload length of 296 in 80 octets (at octet 4)"


def chain(*headers: tuple[int, bytes], last: int = TCP) -> bytearray:
    """Return a packet with extension headers before its segment; each is (kind, octets after its first)."""
    kinds = [kind for kind, _ in headers] + [last]
    extensions = b"".join(bytes((after,)) + body for (_, body), after in zip(headers, kinds[1:], strict=True))
    octets = bytearray(linux.SYN_6)
    octets[6] = kinds[0]
    octets[4:6] = (40 + len(extensions)).to_bytes(2, "big")
    octets[40:40] = extensions
    return octets


EMPTY = b"\0" + bytes.fromhex("010400000000")  # no length beyond 8, a PadN
LONGER = b"\1" + bytes.fromhex("010c") + bytes(12)


class TestExtensionHeaders:
    @pytest.mark.parametrize(
        "headers",
        [
            [(HOP_BY_HOP, EMPTY)],
            [(ROUTING, EMPTY[:2] + b"\0" + EMPTY[3:])],
            [(DESTINATION, LONGER)],
            [(HOP_BY_HOP, EMPTY), (DESTINATION, EMPTY), (ROUTING, b"\0\4" + bytes(5)), (DESTINATION, LONGER)],
            [(FRAGMENT, bytes(7))],  # RFC 6946: a fragment that is all
            [(DESTINATION, EMPTY)] * 8,
        ],
    )
    def test_skipped(self, headers: list[tuple[int, bytes]]) -> None:
        assert parse_packet(chain(*headers)) == parse_packet(linux.SYN_6)

    def test_a_chain_without_end(self) -> None:
        assert str(refused(chain(*[(DESTINATION, EMPTY)] * 9))).startswith("more than 8 extension headers")

    def test_nothing_but_headers_that_name_themselves(self) -> None:
        octets = bytearray(linux.SYN_6[:40]) + bytes(0xFFF8)  # hop-by-hop, length 0, next hop-by-hop ...
        octets[4:7] = b"\xff\xf8\0"
        found = refused(octets)
        assert (found.kind, found.offset) == (Kind.EXTENSION_HEADER, 40 + 8 * 8)

    def test_longer_than_what_is_left(self) -> None:
        octets = chain((DESTINATION, EMPTY))
        octets[41] = 6
        found = refused(octets)
        assert str(found) == "an extension header of 56 in 48 octets (at octet 41)"

    @pytest.mark.parametrize("length", range(8))
    def test_cut(self, length: int) -> None:
        octets = chain((DESTINATION, EMPTY))
        octets[5] = length
        assert str(refused(octets)) == f"{length} octets cannot hold an extension header of 8 (at octet 40)"

    def test_all_that_there_is(self) -> None:
        octets = chain((DESTINATION, EMPTY))
        octets[5] = 8
        assert str(refused(octets)) == "0 octets cannot hold a TCP header of 20 (at octet 48)"

    @pytest.mark.parametrize("field", [0x0001, 0x0008, 0xFFF9])
    def test_fragments(self, field: int) -> None:
        octets = chain((FRAGMENT, b"\0" + field.to_bytes(2, "big") + bytes(4)))
        found = refused(octets)
        assert isinstance(found, Fragment)
        assert str(found) == f"a fragment at octet {field & 0xFFF8} of its packet (at octet 42)"

    def test_a_route_that_goes_on(self) -> None:
        found = refused(chain((ROUTING, b"\0\0\1" + bytes(4))))
        assert (found.kind, found.offset) == (Kind.EXTENSION_HEADER, 43)

    def test_no_next_header(self) -> None:
        packet = parse_packet(chain((DESTINATION, EMPTY), last=NONE))
        assert packet.protocol == NONE
        assert packet.payload == linux.SYN_6[40:]


@pytest.mark.parametrize("version", [0, 1, 5, 7, 15])
def test_other_versions(version: int) -> None:
    octets = bytes((version << 4,)) + bytes(59)
    assert str(refused(octets)) == f"version {version} of IP is neither 4 nor 6 (at octet 0)"


def test_nothing() -> None:
    assert str(refused(b"")) == "an empty packet (at octet 0)"


def test_other_protocols_stay_octets() -> None:
    packet = Packet(A4, B4, b"datagram", protocol=UDP)
    found = parse_packet(build_packet(packet))
    assert found == packet
    assert isinstance(found.payload, memoryview)


def test_the_ipv4_icmp_is_none_in_ipv6() -> None:
    packet = Packet(A6, B6, b"\x08\0\0\0\0\0\0\0", protocol=ICMP)
    assert parse_packet(build_packet(packet)) == packet


def test_repr() -> None:
    reset = Segment(2000, 0, RST, sport=80, dport=40000)
    assert repr(Packet(A4, B4, reset, damaged=True)) == (
        "<Packet 192.0.2.1 > 192.0.2.2 proto 6 <Segment 80>40000 R seq=2000 ack=0 wnd=0 len=0 <>> damaged>"
    )
    assert repr(Packet(A6, B6, b"abc", protocol=UDP)) == "<Packet 2001:db8::1 > 2001:db8::2 proto 17 3 octets>"


def test_equality() -> None:
    one, same = Packet(A4, B4, SEGMENT), Packet(A4, B4, SEGMENT)
    assert one == same
    assert hash(one) == hash(same)
    assert one != Packet(A4, B4, SEGMENT, ttl=1)
    assert one != Packet(A4, address("192.0.2.3"), SEGMENT)
    assert one != "a packet"


@given(st.binary(max_size=60), st.sampled_from([4, 6]))
def test_payloads_of_any_size_have_a_right_header(data: bytes, version: int) -> None:
    ends = (A4, B4) if version == 4 else (A6, B6)
    octets = build_packet(Packet(*ends, data, protocol=UDP))
    if version == 4:
        assert internet_checksum(octets[:20]) == 0
        assert int.from_bytes(octets[2:4], "big") == len(octets)
    else:
        assert int.from_bytes(octets[4:6], "big") == len(octets) - 40
