"""Ranges of sequence space that do not touch: what is held beyond holes, and what the peer says it holds."""

from __future__ import annotations

from bisect import bisect_right
from itertools import islice
from typing import final


@final
class Ranges:
    """In their order, and in that in which they grew last; each is [left, right)."""

    __slots__ = ("_lefts", "_rights")

    def __init__(self) -> None:
        self._lefts: list[int] = []
        self._rights: dict[int, int] = {}  # by the former, the latest to grow last

    def __len__(self) -> int:
        return len(self._lefts)

    @property
    def end(self) -> int:
        """Where the last ends; 0 for none."""
        return self._rights[self._lefts[-1]] if self._lefts else 0

    def latest(self, most: int) -> list[tuple[int, int]]:
        """Return up to ``most`` of them, the latest to grow first."""
        return list(islice(reversed(self._rights.items()), most))

    def add(self, left: int, right: int) -> None:
        """Let [left, right) be among them, and the range that now holds it the latest."""
        lefts, rights = self._lefts, self._rights
        index = bisect_right(lefts, left)
        if index and rights[lefts[index - 1]] >= left:
            index -= 1
        after = index
        while after < len(lefts) and lefts[after] <= right:
            left = min(left, lefts[after])
            right = max(right, rights.pop(lefts[after]))
            after += 1
        lefts[index:after] = [left]
        rights[left] = right

    def gaps(self, left: int, right: int) -> list[tuple[int, int]]:
        """Return what of [left, right) is in none of them."""
        lefts, rights = self._lefts, self._rights
        index = bisect_right(lefts, left)
        if index:
            left = max(left, rights[lefts[index - 1]])
        found = []
        while left < right:
            if index == len(lefts) or lefts[index] >= right:
                found.append((left, right))
                break
            found.append((left, lefts[index]))
            left = rights[lefts[index]]
            index += 1
        return found

    def forget_before(self, seq: int) -> None:
        """Drop those that end at or before ``seq``."""
        done = 0
        while done < len(self._lefts) and self._rights[self._lefts[done]] <= seq:
            del self._rights[self._lefts[done]]
            done += 1
        del self._lefts[:done]

    def forget_from(self, seq: int) -> None:
        """Drop whatever lies at or after ``seq``."""
        while self._lefts and self._lefts[-1] >= seq:
            del self._rights[self._lefts.pop()]
        if self._lefts:
            left = self._lefts[-1]
            self._rights[left] = min(self._rights[left], seq)

    def clone(self) -> Ranges:
        """Return an independent copy."""
        twin = Ranges()
        twin._lefts = self._lefts.copy()
        twin._rights = self._rights.copy()
        return twin
