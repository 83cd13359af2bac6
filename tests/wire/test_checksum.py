"""The Internet checksum against its RFC's example, other packets' sums, and the sum taken word by word."""

from __future__ import annotations

from struct import iter_unpack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wire.values import pairs
from tulpen.wire.checksum import complement, internet_checksum, ones_sum, pseudo_header, pseudo_sum


def word_by_word(data: bytes) -> int:
    """RFC 1071 §4.1 as it is written there."""
    total = 0
    for (word,) in iter_unpack("!H", data + bytes(len(data) % 2)):
        total += word
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


@pytest.mark.parametrize(
    ("data", "checksum"),
    [
        ("0001f203f4f5f6f7", 0x220D),  # RFC 1071 §3
        ("450000730000400040110000c0a80001c0a800c7", 0xB861),
        ("", 0xFFFF),
        ("0000", 0xFFFF),
        ("ffff", 0x0000),
        ("ffffffff", 0x0000),
        ("fffe0001", 0x0000),
        ("01", 0xFEFF),
    ],
)
def test_known_sums(data: str, checksum: int) -> None:
    assert internet_checksum(bytes.fromhex(data)) == checksum


def test_a_right_checksum_sums_to_zero() -> None:
    assert internet_checksum(bytes.fromhex("45000073000040004011b861c0a80001c0a800c7")) == 0


@given(st.binary(max_size=200))
def test_as_word_by_word(data: bytes) -> None:
    assert internet_checksum(data) == word_by_word(data)
    assert internet_checksum(memoryview(data)) == word_by_word(data)
    assert complement(ones_sum(data)) == word_by_word(data)


@given(st.lists(st.binary(max_size=9), max_size=6))
def test_parts_count_as_if_joined(parts: list[bytes]) -> None:
    assert internet_checksum(*parts) == word_by_word(b"".join(parts))


def test_64_kibibytes() -> None:
    data = bytes(range(256)) * 256
    assert internet_checksum(data) == word_by_word(data)


def test_pseudo_header_4() -> None:
    expected = "c0000201c0000202" + "0006" + "0014"
    assert pseudo_header(b"\xc0\0\2\1", b"\xc0\0\2\2", 6, 20).hex() == expected


def test_pseudo_header_6() -> None:
    src, dst = bytes(15) + b"\1", bytes(15) + b"\2"
    assert pseudo_header(src, dst, 58, 0x1_0000) == src + dst + bytes.fromhex("00010000" + "0000003a")


@given(pairs, st.sampled_from([1, 6, 58]), st.integers(0, 0xFFFF))
def test_the_sum_of_a_pseudo_header_unbuilt(ends: tuple[bytes, bytes], protocol: int, length: int) -> None:
    src, dst = ends
    assert complement(pseudo_sum(src, dst, protocol, length)) == word_by_word(pseudo_header(src, dst, protocol, length))
