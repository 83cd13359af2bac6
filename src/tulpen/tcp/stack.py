"""What all connections of one host have in common: settings, counters, a trace, a budget of challenge ACKs."""

from __future__ import annotations

from collections import defaultdict, deque
from typing import Final, final

from tulpen.tcp.config import SECOND, Settings
from tulpen.tcp.trace import FourTuple, Record, Trace
from tulpen.wire.options import NO_OPTIONS, Options, timestamps

MOST_DOUBLINGS: Final = 6  # of the pause of Fast Open


@final
class Stack:
    """Shared by every connection of a host."""

    __slots__ = (
        "_challenge_second", "_challenges", "_fast_open_paused_at", "_fast_open_pauses", "_stamped", "choked",
        "counters", "orphans", "records", "settings",
    )  # fmt: skip

    def __init__(
        self, settings: Settings | None = None, records: deque[tuple[FourTuple | None, Record]] | None = None
    ) -> None:
        self.settings = settings if settings is not None else Settings()
        self.counters: dict[str, int] = defaultdict(int)  # by the names of Linux's MIB
        self.records = records  # None: no trace is kept
        self.choked = False  # the device takes nothing: what is to go waits here, and is tried again
        self.orphans = 0  # connections closed by their application, not yet by TCP
        self._stamped = NO_OPTIONS
        self._challenge_second = -1
        self._challenges = 0
        self._fast_open_pauses = 0  # since it last worked
        self._fast_open_paused_at = 0

    def count(self, counter: str, by: int = 1) -> None:
        """Raise a counter of the MIB."""
        self.counters[counter] += by

    def trace(self, name: FourTuple | None) -> Trace | None:
        """Return the trace of the connection ``name``; None where none is kept."""
        return None if self.records is None else Trace(self.records, name)

    def stamped(self, tsval: int, tsecr: int) -> Options:
        """Return timestamps and no other options, the same object for what goes out at one time."""
        if self._stamped.tsval != tsval or self._stamped.tsecr != tsecr:
            self._stamped = timestamps(tsval, tsecr)
        return self._stamped

    def may_challenge(self, now: int) -> bool:
        """Take one challenge ACK from this second's budget (RFC 5961 §7)."""
        second = now // SECOND
        if second != self._challenge_second:
            self._challenge_second = second
            self._challenges = 0
        self._challenges += 1
        return self._challenges <= self.settings.tcp_challenge_ack_limit

    def pause_fast_open(self, now: int) -> None:
        """Something on the way seems to drop Fast Open: do without it for a while (RFC 7413 §7.1)."""
        if self.settings.tcp_fastopen_blackhole_timeout_sec:
            self._fast_open_pauses += 1
            self._fast_open_paused_at = now
            self.count("TCPFastOpenBlackhole")

    def resume_fast_open(self) -> None:
        """Fast Open worked: the next pause will be a short one again."""
        self._fast_open_pauses = 0

    def fast_open_paused(self, now: int) -> bool:
        """Say whether the pause lasts; each is twice as long as the one before."""
        seconds = self.settings.tcp_fastopen_blackhole_timeout_sec
        if not seconds or not self._fast_open_pauses:
            return False
        doubled = min(self._fast_open_pauses - 1, MOST_DOUBLINGS)
        return now < self._fast_open_paused_at + (seconds * SECOND << doubled)

    @property
    def fast_open_on_trial(self) -> bool:
        """Whether it was paused, and has not worked since."""
        return self._fast_open_pauses > 0

    def clone(self) -> Stack:
        """Return an independent copy without the trace; the settings stay shared."""
        twin = Stack(self.settings)
        twin.counters = self.counters.copy()
        twin.choked = self.choked
        twin.orphans = self.orphans
        twin._challenge_second = self._challenge_second
        twin._challenges = self._challenges
        twin._fast_open_pauses = self._fast_open_pauses
        twin._fast_open_paused_at = self._fast_open_paused_at
        return twin
