"""A word made as short as its difference allows."""

from __future__ import annotations

from tulpen.compare.sides import Difference, Sides


def shrink(sides: Sides, found: Difference) -> Difference:
    """Return the same difference at the end of a word from which no letter, and no two, can be left out."""
    while (shorter := _shorter(sides, found)) is not None:
        found = shorter
    return found


def _shorter(sides: Sides, found: Difference) -> Difference | None:
    length = len(found.word)
    for size in (8, 4, 2, 1):
        for place in range(length - size):
            again = sides.run(found.word[:place] + found.word[place + size :]).difference
            if again is not None and again.kind == found.kind and len(again.word) < length:
                return again
    return None


def recurs(sides: Sides, found: Difference, times: int) -> bool:
    """Say whether a difference is there every time."""
    for _ in range(times):
        again = sides.run(found.word).difference
        if again is None or again.kind != found.kind:
            return False
    return True
