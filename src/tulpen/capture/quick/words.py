"""Numbers read out of memory by compiled code, wherever they begin.

A place is an address: arrays are read by their items, and not between them.  Nothing is checked: the caller keeps the
octets, and knows that they are there.
"""

from __future__ import annotations

import sys
from typing import Any, Final

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

LITTLE: Final = sys.byteorder == "little"


def _reader(kind: Any) -> Any:
    """Return what reads a ``kind`` of unsigned number as this machine has it in memory."""

    @intrinsic
    def read(context: Any, at: Any) -> Any:
        def generated(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            value = builder.load(builder.inttoptr(arguments[0], ir.IntType(kind.bitwidth).as_pointer()))
            value.align = 1
            return value

        return kind(types.int64), generated

    return read


_native_8 = _reader(types.uint8)
_native_16 = _reader(types.uint16)
_native_32 = _reader(types.uint32)
native_64 = _reader(types.uint64)


@njit(inline="always")
def octet(at: int) -> Any:
    """Return the octet at ``at``."""
    return np.int64(_native_8(at))


@njit(inline="always")
def _turned_32(value: Any) -> Any:
    return (value >> 24) | (value >> 8 & 0xFF00) | (value << 8 & 0xFF0000) | (value << 24 & 0xFF000000)


@njit(inline="always")
def big_16(at: int) -> Any:
    """Return the 16 bits at ``at``, the first octet uppermost."""
    value = np.int64(_native_16(at))
    return (value & 0xFF) << 8 | value >> 8 if LITTLE else value


@njit(inline="always")
def big_32(at: int) -> Any:
    """Return the 32 bits at ``at``, the first octet uppermost."""
    value = np.int64(_native_32(at))
    return _turned_32(value) if LITTLE else value


@njit(inline="always")
def word_32(at: int, little: bool) -> Any:
    """Return the 32 bits at ``at`` in a file's byte order."""
    value = np.int64(_native_32(at))
    return value if little == LITTLE else _turned_32(value)


@njit(inline="always")
def big_64(at: int) -> Any:
    """Return the 64 bits at ``at``, the first octet uppermost."""
    return np.uint64(big_32(at)) << np.uint64(32) | np.uint64(big_32(at + 4))
