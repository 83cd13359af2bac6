"""Numbers read out of octets by compiled code, wherever they begin.

numba reads an array's own items, and minds negative places; here 2, 4 or 8 octets are one read.  Nothing is checked:
the caller knows that they are there.
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
    def read(context: Any, data: Any, at: Any) -> Any:
        def generated(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            array = context.make_array(signature.args[0])(context, builder, arguments[0])
            place = builder.gep(builder.bitcast(array.data, ir.IntType(8).as_pointer()), [arguments[1]])
            value = builder.load(builder.bitcast(place, ir.IntType(kind.bitwidth).as_pointer()))
            value.align = 1
            return value

        return kind(data, types.intp), generated

    return read


_native_16 = _reader(types.uint16)
_native_32 = _reader(types.uint32)
native_64 = _reader(types.uint64)


@njit(inline="always")
def _turned_32(value: Any) -> Any:
    return (value >> 24) | (value >> 8 & 0xFF00) | (value << 8 & 0xFF0000) | (value << 24 & 0xFF000000)


@njit(inline="always")
def big_16(data: Any, at: int) -> Any:
    """Return the 16 bits at ``at``, the first octet uppermost."""
    value = np.int64(_native_16(data, at))
    return (value & 0xFF) << 8 | value >> 8 if LITTLE else value


@njit(inline="always")
def big_32(data: Any, at: int) -> Any:
    """Return the 32 bits at ``at``, the first octet uppermost."""
    value = np.int64(_native_32(data, at))
    return _turned_32(value) if LITTLE else value


@njit(inline="always")
def word_32(data: Any, at: int, little: bool) -> Any:
    """Return the 32 bits at ``at`` in a file's byte order."""
    value = np.int64(_native_32(data, at))
    return value if little == LITTLE else _turned_32(value)


@njit(inline="always")
def big_64(data: Any, at: int) -> Any:
    """Return the 64 bits at ``at``, the first octet uppermost."""
    return np.uint64(big_32(data, at)) << np.uint64(32) | np.uint64(big_32(data, at + 4))
