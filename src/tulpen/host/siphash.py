"""SipHash-2-4 (Aumasson and Bernstein, 2012): a short keyed hash, as Linux computes Fast Open cookies with it."""

from __future__ import annotations

from struct import iter_unpack
from typing import Final

KEY: Final = 16  # octets

_MASK: Final = (1 << 64) - 1
_INITIAL: Final = (0x736F6D6570736575, 0x646F72616E646F6D, 0x6C7967656E657261, 0x7465646279746573)
_BLOCK_ROUNDS: Final = 2
_LAST_ROUNDS: Final = 4


def siphash(key: bytes, data: bytes) -> int:
    """Return 64 bits that depend on ``key``, of 16 octets, and on ``data``."""
    if len(key) != KEY:
        raise ValueError(f"a key of {len(key)} octets; SipHash takes {KEY}")
    first, second = int.from_bytes(key[:8], "little"), int.from_bytes(key[8:], "little")
    v0, v1, v2, v3 = (word ^ half for word, half in zip(_INITIAL, (first, second, first, second), strict=True))
    padded = data + bytes(-(len(data) + 1) % 8) + bytes((len(data) & 0xFF,))
    for (block,) in iter_unpack("<Q", padded):
        v3 ^= block
        v0, v1, v2, v3 = _rounds(_BLOCK_ROUNDS, v0, v1, v2, v3)
        v0 ^= block
    v0, v1, v2, v3 = _rounds(_LAST_ROUNDS, v0, v1, v2 ^ 0xFF, v3)
    return v0 ^ v1 ^ v2 ^ v3


def _rounds(count: int, v0: int, v1: int, v2: int, v3: int) -> tuple[int, int, int, int]:
    for _ in range(count):
        v0 = v0 + v1 & _MASK
        v1 = _left(v1, 13) ^ v0
        v0 = _left(v0, 32)
        v2 = v2 + v3 & _MASK
        v3 = _left(v3, 16) ^ v2
        v0 = v0 + v3 & _MASK
        v3 = _left(v3, 21) ^ v0
        v2 = v2 + v1 & _MASK
        v1 = _left(v1, 17) ^ v2
        v2 = _left(v2, 32)
    return v0, v1, v2, v3


def _left(word: int, by: int) -> int:
    return (word << by | word >> (64 - by)) & _MASK
