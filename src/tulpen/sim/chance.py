"""Seeded randomness that can be split by name, so that one more consumer shifts no other.

Only ``random()`` and ``getrandbits()`` of the generator are used, which give the same
numbers for the same seed in every version of Python; the other methods have changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from random import Random
from typing import TypeVar

T = TypeVar("T")


class Chance:
    """A stream of random decisions, wholly given by ``seed`` and the names it was split by."""

    __slots__ = ("_random", "seed")

    def __init__(self, seed: int | str = 0) -> None:
        self.seed = str(seed)
        digest = blake2b(self.seed.encode(), digest_size=16).digest()
        self._random = Random(int.from_bytes(digest, "big"))

    def split(self, name: str) -> Chance:
        """Return the stream ``name`` below this one: the same whatever else was drawn or split."""
        return Chance(f"{self.seed}/{name}")

    def happens(self, probability: float) -> bool:
        """Say yes with this probability; one draw, whatever the probability."""
        return self._random.random() < probability

    def between(self, least: int, most: int) -> int:
        """Return an int, both ends included."""
        return least + int(self._random.random() * (most - least + 1))

    def choice(self, items: Sequence[T]) -> T:
        """Return one of ``items``."""
        return items[self.between(0, len(items) - 1)]

    def octets(self, count: int) -> bytes:
        """Return ``count`` random octets."""
        return self._random.getrandbits(8 * count).to_bytes(count, "big") if count else b""

    def __repr__(self) -> str:
        return f"Chance({self.seed!r})"
