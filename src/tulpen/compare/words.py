"""Words to try: random ones, and such as grew out of words that went where none had been.

What is counted is pairs of transitions, one after the other, so that what a state hides
from one transition still shows in the next.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import pairwise
from typing import Final, final

from tulpen.compare.sides import Edge
from tulpen.learn.alphabet import EVERYTHING

_OPENS: Final = ("LISTEN", "CONNECT")
_REST: Final = tuple(letter for letter in EVERYTHING if letter not in _OPENS)
_RANDOM: Final = 0.2  # share of words that owe nothing to earlier ones
_KEPT: Final = 5_000  # words that new ones grow from

Pair = tuple[Edge, Edge]


@final
class Words:
    """A stream of words that the coverage so far steers; the same seed gives the same words for the same answers."""

    __slots__ = ("_chance", "_length", "_seeds", "pairs")

    def __init__(self, seed: int, length: int) -> None:
        self._chance = random.Random(seed)
        self._length = length
        self._seeds: list[tuple[str, ...]] = []
        self.pairs: set[Pair] = set()

    def next(self) -> tuple[str, ...]:
        """Return a word to try."""
        chance = self._chance
        if not self._seeds or chance.random() < _RANDOM:
            return self._random()
        word = list(chance.choice(self._seeds))
        for _ in range(chance.randint(1, 3)):
            self._change(word)
        return tuple(word[: self._length])

    def learn(self, word: Sequence[str], edges: Sequence[Edge]) -> bool:
        """Note where a word went; say whether that was new."""
        new = set(pairwise(edges)) - self.pairs
        if not new:
            return False
        self.pairs |= new
        self._seeds.append(tuple(word[: len(edges)]))
        del self._seeds[:-_KEPT]
        return True

    def _random(self) -> tuple[str, ...]:
        chance = self._chance
        rest = [chance.choice(_REST) for _ in range(chance.randint(1, self._length - 1))]
        return (chance.choice(_OPENS), *rest)

    def _change(self, word: list[str]) -> None:
        """Lengthen, alter or shorten it behind its first letter."""
        chance = self._chance
        deed, place = chance.random(), chance.randint(1, len(word))
        if deed < 0.6:
            word.append(chance.choice(_REST))
        elif deed < 0.8:
            word.insert(place, chance.choice(_REST))
        elif place < len(word) and deed < 0.95:
            word[place] = chance.choice(_REST)
        elif place < len(word):
            del word[place]
