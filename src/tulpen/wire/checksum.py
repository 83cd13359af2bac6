"""The Internet checksum (RFC 1071) and the pseudo header it covers (RFC 9293 §3.1, RFC 8200 §8.1).

The ones' complement sum of 16-bit words is the whole taken as one number modulo 0xFFFF,
which Python computes faster than any loop.
"""

from __future__ import annotations


def ones_sum(data: bytes | memoryview) -> int:
    """Return a number congruent, modulo 0xFFFF, to the sum of the 16-bit words; 0 only if all octets are 0."""
    number = int.from_bytes(data, "big")
    if len(data) & 1:
        number <<= 8
    return number % 0xFFFF or (0xFFFF if number else 0)


def internet_checksum(*parts: bytes | memoryview) -> int:
    """Return the checksum of the parts as if they were joined; 0 if they hold a right one."""
    total = 0
    odd = False
    for part in parts:
        total += ones_sum(part) << 8 if odd else ones_sum(part)
        odd ^= bool(len(part) & 1)
    return complement(total)


def complement(total: int) -> int:
    """Return the checksum field for the sum ``total``."""
    return 0xFFFF ^ (total % 0xFFFF or (0xFFFF if total else 0))


def pseudo_header(src: bytes, dst: bytes, protocol: int, length: int) -> bytes:
    """Return the octets that stand before the segment in its checksum (RFC 9293 §3.1, RFC 8200 §8.1)."""
    if len(src) == 4:
        return src + dst + bytes((0, protocol)) + length.to_bytes(2, "big")
    return src + dst + length.to_bytes(4, "big") + bytes((0, 0, 0, protocol))


def segment_sum(octets: bytes | memoryview, src: bytes, dst: bytes, protocol: int) -> int:
    """Return a number congruent to the sum of a segment's octets and of its pseudo header: 0 modulo 0xFFFF if right."""
    size = len(octets)
    number = int.from_bytes(octets, "big") % 0xFFFF
    return (number << 8 if size & 1 else number) + int.from_bytes(src + dst, "big") + protocol + size


def pseudo_sum(src: bytes, dst: bytes, protocol: int, length: int) -> int:
    """Return a number congruent to the sum of the pseudo header, without building it."""
    return int.from_bytes(src + dst, "big") + protocol + length
