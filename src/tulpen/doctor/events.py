"""What became of each connection while the doctor looked, from the kernel's tracepoints, where they may be read."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Final, Self, final

from tulpen.kernel.tracefs import CannotTrace
from tulpen.watch.ended import Ended
from tulpen.watch.traced import Traced
from tulpen.watch.verdict import Ending

_POLL: Final = 0.2  # seconds between two visits to the kernel's buffers
_SHARE: Final = 0.5  # of the time may go into following what is heard
_PATIENCE: Final = 1.0  # seconds
_PEACEFUL: Final = frozenset({Ending.ORDERLY, Ending.HALF_CLOSED, Ending.UNKNOWN})


@final
class Events:
    """Listens from when it is constructed until it is closed; without the right to, ``missing`` says why."""

    def __init__(self, *, wanted: bool = True) -> None:
        self.ended: list[Ended] = []
        self.missing: tuple[str, ...] = ()
        self._watch: Traced | None = None
        self._spent = 0.0
        self._told = 0
        self._began = time.monotonic()
        if not wanted:
            return
        try:
            self._watch = Traced()
        except CannotTrace as error:
            self.missing = (f"who reset what, and why, of connections that came and went between looks: {error}",)
            return
        self.missing = self._watch.untold

    def wait(self, seconds: float) -> None:
        """Let time pass, and take in what is heard meanwhile."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            time.sleep(min(left, _POLL) if self._watch is not None else left)
            self._poll()

    def _poll(self) -> None:
        """Take in what was heard; where more happens than can be followed, stop listening and say so."""
        if self._watch is None:
            return
        began = time.monotonic()
        self._take(self._watch.poll())
        self._spent += time.monotonic() - began
        if self._spent > _PATIENCE + _SHARE * (time.monotonic() - self._began):
            self.close()
            self._watch = None
            self.missing += (f"every reset: more than {self._told:,} connections ended, too many to follow",)

    def _take(self, ended: list[Ended]) -> None:
        """Keep what did not end as it should."""
        self._told += len(ended)
        self.ended += [each for each in ended if each.verdict.ending not in _PEACEFUL]

    def finish(self) -> None:
        """Take in what is left, and how many events were lost."""
        if self._watch is None:
            return
        self._take(self._watch.finish())
        self._watch.refresh()
        if self._watch.tally.lost:
            self.missing += (f"{self._watch.tally.lost:,} events that the kernel had no room for",)

    def close(self) -> None:
        """Leave nothing behind."""
        if self._watch is not None:
            self._watch.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
