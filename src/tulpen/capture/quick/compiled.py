"""How functions are compiled: once, kept on disk, and without counting references to arrays, which they only borrow."""

from __future__ import annotations

from typing import Any, Final

import numba

compiled: Final[Any] = numba.njit(cache=True, _nrt=False)
