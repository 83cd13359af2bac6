"""How often everything happened: numbers that only grow, for a screen and for metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from tulpen.kernel import tcp_codes as codes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tulpen.tcp.state import State
    from tulpen.watch.verdict import Ending


@final
class Tally:
    """Counts since the watch began."""

    __slots__ = ("_codes", "endings", "events", "lost")

    def __init__(self) -> None:
        self._codes = [0] * 256
        self.events = 0
        self.lost = 0  # events that the kernel had no room for, exactly
        self.endings: dict[Ending, int] = {}

    def add(self, counts: Sequence[int]) -> None:
        """Add what a batch counted, by octet."""
        for code, number in enumerate(counts):
            if number:
                self._codes[code] += number
                self.events += number

    def ended(self, ending: Ending, number: int = 1) -> None:
        """Add connections that ended so."""
        self.endings[ending] = self.endings.get(ending, 0) + number

    def transitions(self) -> dict[tuple[State, State], int]:
        """Return how often each transition was seen.

        TIME-WAIT is not in it (the tracepoint shows CLOSED), nor is the SYN queue; a
        connection that a listener takes is LISTEN to SYN-RECEIVED.
        """
        found: dict[tuple[State, State], int] = {}
        for code, number in enumerate(self._codes):
            step = codes.STEPS[code]
            if number and step is not None:
                pair = (step.before, step.after)
                found[pair] = found.get(pair, 0) + number
        return found

    def resets_sent(self) -> dict[str, int]:
        """Return how many resets were sent, by the kernel's reason; "" where it gives none."""
        return {
            reason: number
            for code, number in enumerate(self._codes)
            if number and (reason := codes.reason_of(code)) is not None
        }

    @property
    def resets_received(self) -> int:
        """How many resets a connection here believed."""
        return self._codes[codes.RESET_RECEIVED]

    @property
    def retransmissions(self) -> int:
        """How many segments were sent again."""
        return self._codes[codes.RETRANSMITTED]
