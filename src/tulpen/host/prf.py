"""A keyed hash: numbers that nobody outside the host can compute (RFC 9293 §3.4.1 MUST-9).

Initial sequence numbers, ephemeral ports, timestamp offsets and SYN cookies are all
derived from one secret of the host; each purpose has a key of its own, so that what
one of them lets out says nothing about another.
"""

from __future__ import annotations

from hashlib import blake2b
from struct import Struct
from typing import Final, final

_DIGEST: Final = Struct("!Q")
_ONE: Final = Struct("!I")
_PAIR: Final = Struct("!II")


@final
class Prf:
    """A pseudorandom function F(data), as RFC 6528 §3 asks for."""

    __slots__ = ("_keyed",)

    def __init__(self, secret: bytes, purpose: bytes) -> None:
        key = blake2b(secret, digest_size=32).digest()
        self._keyed = blake2b(digest_size=8, key=key, person=purpose)

    def __call__(self, data: bytes) -> int:
        """Return 64 bits that depend on the secret, the purpose and ``data``."""
        keyed = self._keyed.copy()
        keyed.update(data)
        number: int = _DIGEST.unpack(keyed.digest())[0]
        return number


def octets(*numbers: int) -> bytes:
    """Return one small number or two (ports, counts) as octets to be hashed, four for each."""
    return _PAIR.pack(*numbers) if len(numbers) == 2 else _ONE.pack(*numbers)
