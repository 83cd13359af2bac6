"""What follows a shape by a RST: found by shape and letter, for of such letters there are too many for a row each."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from tulpen.capture.quick.compiled import compiled

_GOLD: Final = np.uint64(0x9E3779B97F4A7C15)
_SHIFT: Final = np.uint64(32)


@compiled
def key_of(shape: int, letter: int) -> Any:
    """Return what ``Table.keys`` holds for a shape and a letter; never 0."""
    return (np.int64(shape) << 16 | np.int64(letter)) + 1


@compiled
def place(keys: Any, key: int) -> Any:
    """Return where a key is among ``keys``, or would be."""
    mask = len(keys) - 1
    at = np.int64((np.uint64(key) * _GOLD) >> _SHIFT) & mask
    while keys[at] != 0 and keys[at] != key:
        at = (at + 1) & mask
    return at
