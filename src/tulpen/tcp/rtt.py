"""Round-trip time and retransmission timeout (RFC 6298, RFC 7323 §4)."""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple, final

from tulpen.tcp.config import MS, SECOND, US, Settings

INITIAL_RTO: Final = 1 * SECOND  # RFC 6298 §2.1
FALLBACK_RTO: Final = 3 * SECOND  # RFC 6298 §5.7
LEAST_KEPT: Final = 300 * SECOND


class Bounds(NamedTuple):
    """Of the retransmission timeout, in nanoseconds: one object for all connections under the same settings."""

    least: int
    most: int
    slop: int  # added to one that is backed off


@final
class RoundTrip:
    """``srtt``, ``rttvar`` and ``rto`` in nanoseconds; ``srtt`` is 0 before the first sample."""

    __slots__ = ("_least_at", "backoff", "bounds", "least", "rto", "rttvar", "srtt")

    def __init__(self, bounds: Bounds) -> None:
        self.bounds = bounds
        self.srtt = 0
        self.rttvar = 0
        self.rto = INITIAL_RTO
        self.backoff = 0  # timeouts in a row
        self.least = 0  # the least round trip of the last minutes; 0 before the first sample
        self._least_at = 0

    def sample(self, r: int, shortest: int, now: int) -> None:
        """Take one measurement of ``r`` nanoseconds (RFC 6298 §2.2, §2.3); ``shortest``: of the last one delivered."""
        if r < 1 or shortest < 1:
            r, shortest = max(r, 1), max(shortest, 1)
        if self.least == 0 or shortest <= self.least or now - self._least_at > LEAST_KEPT:
            self.least = shortest
            self._least_at = now
        if self.srtt == 0:
            self.srtt = r
            self.rttvar = r // 2
        else:
            self.rttvar += (abs(self.srtt - r) - self.rttvar) // 4
            self.srtt += (r - self.srtt) // 8
        # Linux's floor stands under the variance and not under the sum.
        bounds = self.bounds
        self.rto = min(self.srtt + max(4 * self.rttvar, bounds.least), bounds.most)

    def timeout(self) -> int:
        """Return the timeout now in force, backed off (RFC 6298 §5.5), in nanoseconds."""
        bounds = self.bounds
        if not self.backoff:
            return min(self.rto, bounds.most)
        return min((self.rto << min(self.backoff, 30)) + bounds.slop, bounds.most)

    def clone(self) -> RoundTrip:
        """Return an independent copy."""
        twin = RoundTrip(self.bounds)
        twin.srtt = self.srtt
        twin.rttvar = self.rttvar
        twin.rto = self.rto
        twin.backoff = self.backoff
        twin.least = self.least
        twin._least_at = self._least_at
        return twin


def round_trip(settings: Settings) -> RoundTrip:
    """Return what a connection under these settings begins with."""
    return RoundTrip(_bounds(settings.tcp_rto_min_us, settings.tcp_rto_max_ms, settings.tcp_rto_slop_ms))


@lru_cache
def _bounds(least_us: int, most_ms: int, slop_ms: int) -> Bounds:
    return Bounds(least_us * US, most_ms * MS, slop_ms * MS)
