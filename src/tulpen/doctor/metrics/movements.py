"""How often everything happened since the start, from the tracepoints: transitions, resets by reason, losses."""

from __future__ import annotations

import threading
from typing import Final, final

from tulpen.doctor.metrics.measure import Measure, counter
from tulpen.kernel.tracefs import CannotTrace
from tulpen.watch.tally import Tally
from tulpen.watch.traced import Traced

_POLL: Final = 0.2  # seconds between two visits to the kernel's buffers


@final
class Movements:
    """Watches every network namespace from a thread; without the right to, ``why_not`` says why."""

    def __init__(self) -> None:
        self.why_not = ""
        self._watch: Traced | None = None
        self._leaving = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._poll, name="tulpen-movements", daemon=True)
        try:
            self._watch = Traced(octets=False)
        except CannotTrace as error:
            self.why_not = f"{error}"
            return
        self._thread.start()

    def measures(self) -> list[Measure]:
        """Return the counters; none where nothing may be traced."""
        if self._watch is None:
            return []
        with self._lock:
            self._watch.refresh()
            return counters(self._watch.tally)

    def close(self) -> None:
        """End the watch; nothing of it stays."""
        self._leaving.set()
        if self._watch is not None:
            self._thread.join()
            self._watch.close()

    def _poll(self) -> None:
        while not self._leaving.wait(_POLL):
            with self._lock:
                if self._watch is not None:
                    self._watch.poll()


def counters(tally: Tally) -> list[Measure]:
    """Return a tally as counters."""
    moves = {(before.title, after.title): number for (before, after), number in tally.transitions().items()}
    sent = {(reason or "unknown",): number for reason, number in tally.resets_sent().items()}
    return [
        counter("transitions", "Transitions as the kernel shows them: TIME-WAIT is CLOSED.", ("from", "to"), moves),
        counter("resets_sent_by_reason", "Resets sent, by the kernel's reason.", ("reason",), sent),
        counter("resets_received", "Resets that a connection here believed.", (), {(): tally.resets_received}),
        counter("trace_events", "Events that were read from the tracepoints.", (), {(): tally.events}),
        counter("trace_events_lost", "Events that the kernel had no room for.", (), {(): tally.lost}),
    ]
