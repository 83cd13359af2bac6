"""Compiled functions that are kept on disk."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from numba import njit

import tulpen

_ROOMS: Final = ("capture", "capture/quick", "wire", "tcp")  # what compiled code is made of


def kernel(function: Callable[..., Any], **options: Any) -> Any:
    """Compile a function that Python calls, once for each machine where something may be kept.

    numba looks whether the module of the function has changed since, and not at those whose functions and constants
    went into it: here all of them count.  ``options`` are numba's.
    """
    try:
        made = njit(cache=True, **options)(function)
    except RuntimeError:  # this user may write nowhere
        return njit(**options)(function)
    kept = made._cache._cache_file
    kept._source_stamp = (kept._source_stamp, _STAMP)
    return made


def _stamp() -> tuple[object, ...]:
    package = Path(tulpen.__file__).parent
    modules = sorted(path for room in _ROOMS for path in (package / room).glob("*.py"))
    states = [(path.name, path.stat()) for path in modules]
    return tulpen.__version__, *((name, state.st_size, state.st_mtime_ns) for name, state in states)


_STAMP: Final = _stamp()
