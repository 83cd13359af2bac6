"""The Internet checksum (RFC 1071) in compiled code.

Octets are added eight at a time as this machine reads them; the sum is turned into network order once, at its end.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba import njit

from tulpen.capture.quick.compiled import inlined
from tulpen.capture.quick.words import LITTLE, native_64, octet

_LOW: Final = np.uint64(0xFFFF_FFFF)
_HALF: Final = np.uint64(32)


@inlined
def ones_sum(start: int, size: int) -> Any:
    """Return a number congruent, modulo 0xFFFF, to the sum of the 16-bit words of ``size`` octets from a place on."""
    low, high = np.uint64(0), np.uint64(0)
    eights = size >> 3
    for each in range(eights):
        octets = native_64(start + 8 * each)
        low += octets & _LOW
        high += octets >> _HALF
    both = (low & _LOW) + (low >> _HALF) + (high & _LOW) + (high >> _HALF)
    total = np.int64(both)
    at, end = start + 8 * eights, start + size
    while at + 1 < end:
        total += _pair(octet(at), octet(at + 1))
        at += 2
    if at < end:
        total += _pair(octet(at), 0)
    for _ in range(3):
        total = (total & 0xFFFF) + (total >> 16)
    return (total & 0xFF) << 8 | total >> 8 if LITTLE else total


@njit(inline="always")
def _pair(first: Any, second: Any) -> Any:
    return second << 8 | first if LITTLE else first << 8 | second
