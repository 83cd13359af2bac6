"""Looks at namespaces whenever somebody asks for the numbers, and no more often than they can change."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Final, final

from tulpen.doctor.examine import findings
from tulpen.doctor.limits import Limits
from tulpen.doctor.look import look
from tulpen.doctor.metrics.measure import Measure, measures
from tulpen.doctor.place import Place
from tulpen.doctor.sample import Sample
from tulpen.errors import TulpenError
from tulpen.kernel.processes import Holder

Extra = Callable[[], list[Measure]]

_FRESH: Final = 1.0  # seconds for which what was seen is given again
_FORGOTTEN: Final = 600.0  # seconds after which two looks are too far apart to be compared


def _nobody(inode: int) -> Sequence[Holder]:
    """Whose a socket is is no metric."""
    return ()


@final
class Gauges:
    """The numbers of namespaces; ``places`` is asked each time, for they come and go.  For several threads."""

    def __init__(self, places: Callable[[], Sequence[Place]], limits: Limits, extra: Sequence[Extra] = ()) -> None:
        self._places = places
        self._limits = limits
        self._extra = extra
        self._lock = threading.Lock()
        self._before: dict[str, Sample] = {}
        self._last: list[Measure] = []
        self._when = -_FRESH

    def read(self) -> list[Measure]:
        """Return the numbers of now."""
        with self._lock:
            if time.monotonic() - self._when >= _FRESH:
                self._last = self._look()
                self._when = time.monotonic()
            return self._last

    def _look(self) -> list[Measure]:
        seen: dict[str, Sample] = {}
        for place in self._places():
            try:
                seen[place.name] = look(place, _nobody)
            except (TulpenError, OSError):  # it has ended, or may not be entered
                continue
        found = [
            finding
            for name, sample in seen.items()
            if name in self._before and sample.when - self._before[name].when <= _FORGOTTEN
            for finding in findings([self._before[name], sample], self._limits)
        ]
        self._before = seen
        return [*measures(list(seen.values()), found), *(measure for more in self._extra for measure in more())]
