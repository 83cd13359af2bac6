"""Where a watch gets what it tells: tracepoints, or the destruction of sockets alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from tulpen.watch.ended import Ended
    from tulpen.watch.tally import Tally
    from tulpen.watch.verdict import Verdict


class Source(Protocol):
    """A watch that goes on."""

    tally: Tally
    notes: list[str]  # what cannot be told here, and why

    @property
    def descriptors(self) -> list[int]:
        """What is ready to read when it is time to poll, beside some times a second."""

    def poll(self, wanted: Callable[[Verdict], bool] = ...) -> list[Ended]:
        """Return the connections that ended since the last call, of those with a verdict that is wanted."""

    def finish(self, wanted: Callable[[Verdict], bool] = ...) -> list[Ended]:
        """End the watch, and return what is left to tell."""

    def refresh(self) -> None:
        """Bring up to date what takes a while to ask for: how much was lost."""

    def close(self) -> None:
        """Leave nothing behind."""
