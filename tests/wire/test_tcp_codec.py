"""TCP segments as octets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wire.linux_packets import KERNEL_4, KERNEL_6, PEER_4, PEER_6, RST_4, SACK_2, SYN_4, SYN_6, SYN_ACK_4
from tests.wire.values import pairs, segments
from tulpen.wire.checksum import internet_checksum, pseudo_header
from tulpen.wire.malformed import BadChecksum, Kind, Malformed
from tulpen.wire.options import NO_OPTIONS, Options
from tulpen.wire.segment import ACK, CWR, ECE, FIN, PSH, RST, SYN, URG, Segment, letters
from tulpen.wire.tcp_codec import build_segment, parse_segment, segment_header

ENDS = (KERNEL_4, PEER_4)
ISN = 2398049743


def parse(octets: bytes | bytearray) -> Segment:
    return parse_segment(memoryview(octets), *ENDS)


def test_a_syn_of_linux() -> None:
    offered = Options(mss=1460, sack_permitted=True, tsval=1495750658, wscale=10)
    seg = Segment(ISN, 0, SYN, 64240, b"", offered, sport=33266, dport=80)
    assert parse(SYN_4[20:]) == seg
    assert build_segment(seg, *ENDS) == SYN_4[20:]


@pytest.mark.parametrize("octets", [SYN_4, SYN_ACK_4, SACK_2, RST_4])
def test_what_linux_built_is_built_again(octets: bytes) -> None:
    assert build_segment(parse(octets[20:]), *ENDS) == octets[20:]


def test_over_ipv6() -> None:
    ends = (KERNEL_6, PEER_6)
    seg = parse_segment(memoryview(SYN_6)[40:], *ends)
    assert (seg.sport, seg.dport, seg.flags, seg.options.mss) == (47898, 80, SYN, 1440)
    assert build_segment(seg, *ends) == SYN_6[40:]


@given(segments, pairs)
def test_round_trip(seg: Segment, ends: tuple[bytes, bytes]) -> None:
    built = build_segment(seg, *ends)
    assert parse_segment(memoryview(built), *ends) == seg
    assert segment_header(seg, *ends) + bytes(seg.data) == built


@pytest.mark.requirement("MUST-2")
@given(segments, pairs)
def test_the_checksum_covers_pseudo_header_header_and_data(seg: Segment, ends: tuple[bytes, bytes]) -> None:
    built = build_segment(seg, *ends)
    assert internet_checksum(pseudo_header(*ends, 6, len(built)), built) == 0


@pytest.mark.requirement("MUST-3")
@given(segments, pairs, st.data())
def test_a_flipped_bit_is_noticed(seg: Segment, ends: tuple[bytes, bytes], data: st.DataObject) -> None:
    octets = bytearray(build_segment(seg, *ends))
    octets[data.draw(st.integers(0, len(octets) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(Malformed) as caught:
        parse_segment(memoryview(octets), *ends)
    assert caught.value.kind in (Kind.CHECKSUM, Kind.DATA_OFFSET)


@pytest.mark.requirement("MUST-3")
def test_a_bad_checksum_is_told_apart() -> None:
    octets = bytearray(RST_4[20:])
    octets[4] ^= 1
    with pytest.raises(BadChecksum, match=r"^the TCP checksum is wrong \(at octet 16\)$"):
        parse(octets)
    assert parse_segment(memoryview(octets), *ENDS, verify=False).flags == RST


@given(segments, pairs)
def test_left_to_the_device_the_field_is_the_pseudo_headers_sum(seg: Segment, ends: tuple[bytes, bytes]) -> None:
    partial = build_segment(seg, *ends, checksum=False)
    assert int.from_bytes(partial[16:18], "big") == 0xFFFF ^ internet_checksum(pseudo_header(*ends, 6, len(partial)))
    # The device sums from the start of the segment, the field included, and stores the complement there.
    finished = partial[:16] + internet_checksum(partial).to_bytes(2, "big") + partial[18:]
    assert parse_segment(memoryview(finished), *ends) == seg


def test_data_are_not_copied() -> None:
    octets = bytearray(build_segment(Segment(1, 2, ACK, data=b"tulip"), *ENDS))
    seg = parse(octets)
    assert isinstance(seg.data, memoryview)
    octets[-5:] = b"TULIP"
    assert bytes(seg.data) == b"TULIP"


def test_data_may_be_any_buffer_of_64_kibibytes() -> None:
    data = memoryview(bytes(range(256)) * 255)
    seg = Segment(1, 2, ACK | PSH, 512, data, Options(tsval=1), gso_size=1448)
    assert parse(build_segment(seg, *ENDS)).data == data


@pytest.mark.parametrize("size", range(20))
def test_truncated(size: int) -> None:
    with pytest.raises(Malformed, match=f"{size} octets cannot hold a TCP header of 20") as caught:
        parse(SYN_4[20 : 20 + size])
    assert caught.value.kind is Kind.TRUNCATED


@pytest.mark.parametrize("words", [0, 1, 4, 6, 15])
def test_a_lying_data_offset(words: int) -> None:
    octets = bytearray(RST_4[20:])
    octets[12] = words << 4
    with pytest.raises(Malformed, match=f"a data offset of {words * 4} in a segment of 20 octets") as caught:
        parse(octets)
    assert caught.value.kind is Kind.DATA_OFFSET
    assert caught.value.offset == 12


def test_the_offset_is_counted_from_the_packets_start() -> None:
    with pytest.raises(Malformed) as caught:
        parse_segment(memoryview(bytes(20)), *ENDS, offset=40)
    assert caught.value.offset == 52


@pytest.mark.requirement("MUST-5")
@pytest.mark.parametrize("flags", [SYN, SYN | ACK, ACK, FIN | ACK, RST, PSH | ACK | URG])
def test_options_in_any_segment(flags: int) -> None:
    seg = Segment(1, 2, flags, 3, b"x", Options(mss=9, wscale=1), sport=1, dport=2)
    assert parse(build_segment(seg, *ENDS)) == seg


@pytest.mark.requirement("MUST-7")
def test_malformed_options_do_not_hide_the_segment() -> None:
    octets = bytearray(build_segment(Segment(1, 2, ACK, data=b"x", options=Options(tsval=1, tsecr=2)), *ENDS))
    octets[20:24] = b"\x01\x01\x08\x00"
    seg = parse_segment(memoryview(octets), *ENDS, verify=False)
    assert seg.options == Options(malformed=True)
    assert seg.data == b"x"


def test_reserved_bits_are_ignored_and_never_sent() -> None:
    octets = bytearray(RST_4[20:])
    octets[12] |= 0x0E
    seg = parse_segment(memoryview(octets), *ENDS, verify=False)
    assert seg.flags == RST
    assert build_segment(seg, *ENDS)[12] == 0x50


def test_no_options_are_the_one_object() -> None:
    assert parse(RST_4[20:]).options is NO_OPTIONS


def test_len_counts_syn_and_fin() -> None:
    assert Segment(0, 0, SYN).len == 1
    assert Segment(0, 0, FIN | ACK, data=b"abc").len == 4
    assert Segment(0, 0, ACK).len == 0


@pytest.mark.parametrize(
    ("flags", "written"),
    [(SYN, "S"), (SYN | ACK, "S."), (FIN | PSH | ACK, "FP."), (SYN | ECE | CWR, "SEW"), (0x100, "e"), (0, "none")],
)
def test_letters(flags: int, written: str) -> None:
    assert letters(flags) == written


def test_repr() -> None:
    seg = Segment(1, 2, PSH | ACK, 3, b"four", Options(tsval=5, tsecr=6), sport=7, dport=8)
    assert repr(seg) == "<Segment 7>8 P. seq=1 ack=2 wnd=3 len=4 <TS val 5 ecr 6>>"
