"""Where a watch gets what it tells: tracepoints, or the destruction of sockets alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from tulpen.watch.ended import Ended
    from tulpen.watch.tally import Tally


class Source(Protocol):
    """A watch that goes on."""

    tally: Tally
    notes: list[str]  # what cannot be told here, and why

    def poll(self) -> list[Ended]:
        """Return the connections that ended since the last call."""

    def finish(self) -> list[Ended]:
        """End the watch, and return what is left to tell."""

    def refresh(self) -> None:
        """Bring up to date what takes a while to ask for: how much was lost."""

    def close(self) -> None:
        """Leave nothing behind."""
