"""The earliest deadline of very many timers that are mostly set again before they expire.

A heap with lazy deletion.  A timer that is put off leaves its entry where it is; the
entry is looked at again when it comes up.  Only a timer that is brought forward costs a
push, and entries that have lost their meaning are swept out before they outnumber
the living.
"""

from __future__ import annotations

from collections.abc import Hashable
from heapq import heappop, heappush
from typing import Final, Generic, TypeVar, final

T = TypeVar("T", bound=Hashable)

_SLACK: Final = 64


@final
class Deadlines(Generic[T]):
    """One deadline for each item; items are taken out as they fall due, earliest first."""

    __slots__ = ("_due", "_heap", "_planned", "_serial")

    def __init__(self) -> None:
        self._due: dict[T, int] = {}  # what was asked for
        self._planned: dict[T, int] = {}  # when the item is next looked at: never after it is due
        self._heap: list[tuple[int, int, T]] = []
        self._serial = 0

    def __len__(self) -> int:
        return len(self._due)

    @property
    def entries(self) -> int:
        """Entries of the heap, with those that have lost their meaning: what this costs in memory."""
        return len(self._heap)

    def set(self, item: T, deadline: int | None) -> None:
        """Set, move or (with None) take away the deadline of ``item``."""
        if deadline is None:
            self._due.pop(item, None)
            return
        self._due[item] = deadline
        planned = self._planned.get(item)
        if planned is None or deadline < planned:
            self._plan(item, deadline)

    def forget(self, item: T) -> None:
        """Let go of ``item`` altogether."""
        self._due.pop(item, None)
        self._planned.pop(item, None)
        self._sweep()

    def earliest(self) -> int | None:
        """Return the earliest deadline."""
        heap = self._heap
        while heap:
            when, _, item = heap[0]
            if self._planned.get(item) != when:
                heappop(heap)
                continue
            due = self._due.get(item)
            if due == when:
                return when
            heappop(heap)
            del self._planned[item]
            if due is not None:
                self._plan(item, due)
        return None

    def pop(self, now: int) -> T | None:
        """Take out an item whose deadline is not after ``now``."""
        when = self.earliest()
        if when is None or when > now:
            return None
        item = heappop(self._heap)[2]
        del self._planned[item]
        del self._due[item]
        return item

    def _plan(self, item: T, when: int) -> None:
        self._planned[item] = when
        self._serial += 1
        heappush(self._heap, (when, self._serial, item))
        self._sweep()

    def _sweep(self) -> None:
        """Drop the entries that mean nothing any more, once they are as many as the others."""
        if len(self._heap) <= 2 * len(self._planned) + _SLACK:
            return
        planned: dict[T, int] = {}
        living = []
        for entry in sorted(self._heap):
            when, _, item = entry
            if item not in planned and item in self._due and self._planned.get(item) == when:
                planned[item] = when
                living.append(entry)
        self._planned = planned
        self._heap = living  # sorted, and so a heap
