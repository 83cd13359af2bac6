"""What all connections of one host have in common: settings, counters, a trace, a budget of challenge ACKs."""

from __future__ import annotations

from collections import deque
from typing import final

from tulpen.tcp.config import SECOND, Settings
from tulpen.tcp.trace import FourTuple, Record, Trace


@final
class Stack:
    """Shared by every connection of a host."""

    __slots__ = ("_challenge_second", "_challenges", "counters", "orphans", "records", "settings")

    def __init__(
        self, settings: Settings | None = None, records: deque[tuple[FourTuple | None, Record]] | None = None
    ) -> None:
        self.settings = settings if settings is not None else Settings()
        self.counters: dict[str, int] = {}  # by the names of Linux's MIB
        self.records = records  # None: no trace is kept
        self.orphans = 0  # connections closed by their application, not yet by TCP
        self._challenge_second = -1
        self._challenges = 0

    def count(self, counter: str, by: int = 1) -> None:
        """Raise a counter of the MIB."""
        self.counters[counter] = self.counters.get(counter, 0) + by

    def trace(self, name: FourTuple | None) -> Trace | None:
        """Return the trace of the connection ``name``; None where none is kept."""
        return None if self.records is None else Trace(self.records, name)

    def may_challenge(self, now: int) -> bool:
        """Take one challenge ACK from this second's budget (RFC 5961 §7)."""
        second = now // SECOND
        if second != self._challenge_second:
            self._challenge_second = second
            self._challenges = 0
        self._challenges += 1
        return self._challenges <= self.settings.tcp_challenge_ack_limit

    def clone(self) -> Stack:
        """Return an independent copy without the trace; the settings stay shared."""
        twin = Stack(self.settings)
        twin.counters = dict(self.counters)
        twin.orphans = self.orphans
        twin._challenge_second = self._challenge_second
        twin._challenges = self._challenges
        return twin
