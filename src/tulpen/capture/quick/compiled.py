"""How functions are compiled: once, kept on disk, and without counting references to arrays, which they only borrow.

numba keeps the code of a function for as long as its own file is the same, whatever it calls in others.  So what is
kept lies in a folder that is named after all the sources that it may come from.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numba


def _folder() -> str:
    # What is compiled calls this room, and takes constants from the exact reader's modules and from wire.
    digest = hashlib.sha256(numba.__version__.encode())
    room = Path(__file__).parent
    for folder in (room, room.parent, room.parent.parent / "wire"):
        for source in sorted(folder.glob("*.py")):
            digest.update(source.read_bytes())
    kept = os.environ.get("NUMBA_CACHE_DIR") or os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return str(Path(kept) / "tulpen" / f"compiled-{digest.hexdigest()[:16]}")


_FOLDER: Final = _folder()


def compiled(function: Callable[..., Any]) -> Any:
    """Return a function that is compiled when it is first called."""
    before = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = _FOLDER
    try:
        return numba.njit(cache=True, _nrt=False)(function)
    except RuntimeError:  # there is no place where anything can be kept
        return numba.njit(_nrt=False)(function)
    finally:
        numba.config.CACHE_DIR = before


def inlined(function: Callable[..., Any]) -> Any:
    """Return a function that becomes a part of each compiled one that calls it."""
    return numba.njit(inline="always", _nrt=False)(function)
