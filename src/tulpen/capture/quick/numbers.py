"""``wire.seq``, compiled."""

from __future__ import annotations

from typing import Any

import numpy as np

from tulpen.capture.quick.compiled import compiled
from tulpen.wire.seq import HALF, MASK


@compiled
def unwrap(number: int, near: int) -> Any:
    """Return the integer congruent to the 32-bit ``number`` that lies nearest to ``near``."""
    return near + ((np.int64(number) - near + HALF) & MASK) - HALF


@compiled
def before(a: int, b: int) -> Any:
    """Say whether the 32-bit timestamp ``a`` is older than ``b`` (RFC 7323 §5.2)."""
    return ((np.int64(a) - np.int64(b)) & MASK) >= HALF
