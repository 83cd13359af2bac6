"""Parts of a capture: what passes between two addresses is all in one, whatever the ports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FACTOR: Final = np.uint64(0x9E3779B97F4A7C15)


def of_part(rows: NDArray[Any], part: int, parts: int) -> NDArray[Any]:
    """Return the rows of SEGMENT that belong to one of so many parts."""
    if parts == 1:
        return rows
    chosen: NDArray[Any] = rows[parts_of(rows, parts) == part]
    return chosen


def parts_of(rows: NDArray[Any], parts: int) -> NDArray[Any]:
    """Return of each row of SEGMENT the number of its part, from 0, of so many."""
    which = np.empty(len(rows), np.int64)
    _parts(rows, parts, which)
    return which


@njit(cache=True)
def _parts(rows: Any, parts: int, which: Any) -> None:
    for at in range(len(rows)):
        row = rows[at]
        mixed = _mixed(row.src[0], row.src[1]) + _mixed(row.dst[0], row.dst[1])
        which[at] = (mixed ^ (mixed >> np.uint64(32))) % np.uint64(parts)


@njit(cache=True)
def _mixed(high: int, low: int) -> Any:
    number = (np.uint64(high) * _FACTOR ^ np.uint64(low)) * _FACTOR
    return (number ^ (number >> np.uint64(29))) * _FACTOR
