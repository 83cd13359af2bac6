"""What became of each connection while the doctor looked, from the kernel's tracepoints, where they may be read."""

from __future__ import annotations

import time
from typing import Final, final

from tulpen.kernel.tracefs import CannotTrace
from tulpen.watch.ended import Ended
from tulpen.watch.traced import Traced

_POLL: Final = 0.2  # seconds between two visits to the kernel's buffers


@final
class Events:
    """Listens from when it is constructed until it is closed; without the right to, ``missing`` says why."""

    def __init__(self, *, wanted: bool = True) -> None:
        self.ended: list[Ended] = []
        self.missing: tuple[str, ...] = ()
        self._watch: Traced | None = None
        if not wanted:
            return
        try:
            self._watch = Traced()
        except CannotTrace as error:
            self.missing = (f"who reset what, and why, of connections that came and went between looks: {error}",)

    def wait(self, seconds: float) -> None:
        """Let time pass, and take in what is heard meanwhile."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            time.sleep(min(left, _POLL) if self._watch is not None else left)
            if self._watch is not None:
                self.ended += self._watch.poll()

    def finish(self) -> None:
        """Take in what is left, and how many events were lost."""
        if self._watch is None:
            return
        self.ended += self._watch.finish()
        self._watch.refresh()
        if self._watch.tally.lost:
            self.missing += (f"{self._watch.tally.lost:,} events that the kernel had no room for",)

    def close(self) -> None:
        """Leave nothing behind."""
        if self._watch is not None:
            self._watch.close()
