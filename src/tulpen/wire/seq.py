"""Sequence numbers (RFC 9293 §3.4) and serial comparison of timestamps (RFC 7323 §5.2).

On the wire a sequence number is 32 bits and wraps.  Inside the engine it is a plain
int that does not: it is unwrapped once when a segment comes in and wrapped when one
goes out, so ``snd.una < seg.ack <= snd.nxt`` is the RFC's own line.
"""

from __future__ import annotations

from typing import Final

MASK: Final = 0xFFFF_FFFF
HALF: Final = 0x8000_0000


def unwrap(number: int, near: int) -> int:
    """Return the integer congruent to the 32-bit ``number`` that lies nearest to ``near``."""
    return near + ((number - near + HALF) & MASK) - HALF


def wrap(number: int) -> int:
    """Return the 32 bits of ``number`` that go on the wire."""
    return number & MASK


def before(a: int, b: int) -> bool:
    """Say whether the 32-bit timestamp ``a`` is older than ``b`` (RFC 7323 §5.2)."""
    return (a - b) & MASK >= HALF
