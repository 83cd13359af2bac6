"""Whatever the octets: a value or ``Malformed``, and nothing else."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.wire import linux_packets as linux
from tests.wire.values import packets, pairs
from tulpen.wire.icmp import parse_icmp
from tulpen.wire.ip import Offload, Packet, build_packet, parse_packet
from tulpen.wire.malformed import Malformed
from tulpen.wire.options import build_options, parse_options
from tulpen.wire.tcp_codec import parse_segment

UNCHECKED = Offload(needs_checksum=True)

# Options as no sender lays them out: unaligned, repeated, of lengths not their own.
pieces = st.sampled_from(
    [
        bytes.fromhex(octets)
        for octets in (
            "01", "020405b4", "02030f", "030307", "0402", "050a0000000100000002",
            "051200000001000000020000000300000004",
            "051a000000010000000200000003000000040000000500000006", "0506aabbccdd", "080a0101010101010101", "0803aa",
            "1c04801e", "1c02", "fd0401ff", "fd02",
        )
    ]
)  # fmt: skip


def parsed(octets: bytes | bytearray, offload: Offload | None = None) -> Packet | None:
    """Parse, and hold what is refused to the contract."""
    try:
        return parse_packet(octets, offload=offload)
    except Malformed as malformed:
        refusal = malformed
    assert 0 <= refusal.offset <= len(octets)
    assert refusal.what
    return None


@settings(max_examples=300)
@given(st.binary(max_size=120))
def test_noise(octets: bytes) -> None:
    parsed(octets)


@settings(max_examples=300)
@given(st.sampled_from([0x45, 0x46, 0x4F, 0x60]), st.sampled_from([1, 6, 58, 0, 43, 44, 60]), st.binary(max_size=150))
def test_noise_with_a_plausible_beginning(first: int, protocol: int, noise: bytes) -> None:
    octets = bytearray((first,)) + noise
    at, length_at, header = (9, 2, 0) if first >> 4 == 4 else (6, 4, 40)
    if len(octets) > 12:
        octets[at] = protocol
        octets[length_at : length_at + 2] = max(0, len(octets) - header).to_bytes(2, "big")
    parsed(octets, UNCHECKED)


@settings(max_examples=500)
@given(
    st.sampled_from(linux.ALL),
    st.lists(st.tuples(st.integers(0, 100), st.integers(0, 255)), max_size=4),
    st.none() | st.integers(0, 120),
    st.booleans(),
)
def test_mutations(whole: bytes, changes: list[tuple[int, int]], cut: int | None, checked: bool) -> None:
    octets = bytearray(whole)
    for at, octet in changes:
        octets[at % len(octets)] = octet
    found = parsed(octets[:cut], None if checked else UNCHECKED)
    if found is not None:
        repr(found)
        parsed(build_packet(found))  # what was understood can be said again


@settings(max_examples=200)
@given(packets(), st.data())
def test_one_octet_of_a_good_packet_changed(packet: Packet, data: st.DataObject) -> None:
    octets = bytearray(build_packet(packet))
    octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    parsed(octets)
    parsed(octets, UNCHECKED)


@settings(max_examples=200)
@given(st.binary(max_size=100), pairs, st.booleans())
def test_noise_for_each_parser(octets: bytes, ends: tuple[bytes, bytes], verify: bool) -> None:
    for parse in (parse_segment, parse_icmp):
        with contextlib.suppress(Malformed):
            parse(memoryview(octets), *ends, verify=verify)


@settings(max_examples=300)
@given(st.lists(pieces, max_size=8), st.binary(max_size=6))
def test_options_that_could_be_read_can_be_built(read: list[bytes], noise: bytes) -> None:
    first = parse_options((b"".join(read) + noise)[:40])
    again = parse_options(build_options(first))
    assert not again.malformed or first.malformed  # a list that was cut short is whole when built
    for name in ("mss", "wscale", "sack_permitted", "tsval", "tsecr", "sack", "user_timeout", "others"):
        assert getattr(again, name) == getattr(first, name)


@pytest.mark.parametrize("octets", linux.ALL)
def test_every_single_octet_replaced(octets: bytes) -> None:
    for at in range(min(len(octets), 100)):
        for value in (0x00, 0x01, 0x7F, 0x80, 0xFF, octets[at] ^ 0x0F, octets[at] ^ 0xF0):
            mutated = bytearray(octets)
            mutated[at] = value
            parsed(mutated)
            parsed(mutated, UNCHECKED)
