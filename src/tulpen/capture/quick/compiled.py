"""How what follows flows is compiled: without counting references to arrays, which it only borrows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import njit

from tulpen.capture.quick.kernel import kernel


def compiled(function: Callable[..., Any]) -> Any:
    """Return a function that Python calls, kept on disk."""
    return kernel(function, _nrt=False)


def part(function: Callable[..., Any]) -> Any:
    """Return a function that compiled ones call."""
    return njit(_nrt=False)(function)


def inlined(function: Callable[..., Any]) -> Any:
    """Return a function that becomes a part of each compiled one that calls it."""
    return njit(inline="always", _nrt=False)(function)
