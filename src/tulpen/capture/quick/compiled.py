"""How functions are compiled: those that Python calls, which are kept on disk, and those that these consist of.

They borrow arrays that Python holds and make none, so the references to these need not be counted; and every function
becomes a part of the one that calls it, so that a dozen arrays are not handed over a dozen times for each segment.
Without the one, following a segment took ten times as long; without the other, four times.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from numba import njit

import tulpen

_HOW: Final = {"_nrt": False, "forceinline": True}
_ROOMS: Final = ("capture", "capture/quick", "wire", "tcp")  # what compiled code is made of


def compiled(function: Callable[..., Any]) -> Any:
    """Compile a function once for each machine where something may be kept.

    numba looks whether the module of the function has changed since, and not at those whose functions and constants
    went into it: here all of them count.
    """
    try:
        made = njit(cache=True, **_HOW)(function)
    except RuntimeError:  # this user may write nowhere
        return inlined(function)
    kept = made._cache._cache_file
    kept._source_stamp = (kept._source_stamp, _STAMP)
    return made


def inlined(function: Callable[..., Any]) -> Any:
    """Compile a function that only compiled ones call: nothing of it is kept but in them."""
    return njit(**_HOW)(function)


def is_kept(function: Any) -> bool:
    """Say whether something compiled of a ``compiled`` function is on disk and still holds."""
    kept = getattr(function._cache, "_cache_file", None)
    return kept is not None and bool(kept._load_index())


def _stamp() -> tuple[object, ...]:
    package = Path(tulpen.__file__).parent
    modules = sorted(path for room in _ROOMS for path in (package / room).glob("*.py"))
    states = [(path.name, path.stat()) for path in modules]
    return tulpen.__version__, *((name, state.st_size, state.st_mtime_ns) for name, state in states)


_STAMP: Final = _stamp()
