"""Virtual time: an int of nanoseconds that moves only when somebody has something to do."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush

Action = Callable[[int], None]


class Clock:
    """A calendar of actions.  Those of the same instant run in the order they were entered."""

    __slots__ = ("_entered", "_heap", "now")

    def __init__(self, now: int = 0) -> None:
        self.now = now
        self._entered = 0
        self._heap: list[tuple[int, int, Action]] = []

    def at(self, when: int, action: Action) -> None:
        """Run ``action(now)`` at ``when``; at once, after all else of this instant, if that has passed."""
        self._entered += 1
        heappush(self._heap, (max(when, self.now), self._entered, action))

    def next(self) -> int | None:
        """Return the time of the next action."""
        return self._heap[0][0] if self._heap else None

    def step(self) -> bool:
        """Move to the next action and run it; False if there is none."""
        if not self._heap:
            return False
        self.now, _, action = heappop(self._heap)
        action(self.now)
        return True

    def advance(self, until: int) -> None:
        """Move on to ``until``, which is not behind ``now``, without running anything."""
        if until > self.now:
            self.now = until
