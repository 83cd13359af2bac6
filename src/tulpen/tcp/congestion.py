"""Congestion control (RFC 5681): how much may be in flight.

An algorithm is a ``CongestionControl``; ``ALGORITHMS`` names them as Linux does.
What was lost and what is sent again is decided in ``recovery``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol, final

from tulpen.tcp.cubic import Cubic

INFINITE: Final = 1 << 62


class CongestionControl(Protocol):
    """``cwnd``, ``ssthresh`` and ``mss`` in octets, times in nanoseconds."""

    mss: int
    cwnd: int
    ssthresh: int

    def acknowledged(self, octets: int, now: int, srtt: int) -> None:
        """``octets`` were newly acknowledged, and the window was what limited us."""

    def round_trip(self, rtt: int, una: int, nxt: int, now: int) -> None:
        """One more measurement of the round trip."""

    def lost(self, in_flight: int) -> None:
        """A loss was detected by duplicate or selective acknowledgments (§3.2)."""

    def recovered(self) -> None:
        """Everything outstanding at the loss is acknowledged."""

    def timed_out(self, in_flight: int, *, again: bool) -> None:
        """The retransmission timer ran out (§3.1); ``again`` for the same octets."""

    def idle(self, quiet: int) -> None:
        """Text goes out after ``quiet`` nanoseconds without any."""

    def clone(self) -> CongestionControl:
        """Return an independent copy."""


@final
class Usage:
    """How the congestion window is used: whether it was what held text back (RFC 7661 §4.3), and at what pace."""

    __slots__ = ("limited", "most", "next_at", "point", "unpaced")

    def __init__(self) -> None:
        self.limited = False
        self.point = 0  # SND.NXT when that was last judged
        self.most = 0  # octets in flight at most since then
        self.next_at = 0  # paced text does not leave before
        self.unpaced = 0  # segments of text that have left, until it is paced

    def clone(self) -> Usage:
        """Return an independent copy."""
        twin = Usage()
        twin.limited = self.limited
        twin.point = self.point
        twin.most = self.most
        twin.next_at = self.next_at
        twin.unpaced = self.unpaced
        return twin


@final
class NewReno:
    """Slow start and congestion avoidance as RFC 5681 §3.1 has them."""

    __slots__ = ("_acked", "cwnd", "mss", "ssthresh")

    def __init__(self, mss: int, initial: int) -> None:
        self.mss = mss
        self.cwnd = initial
        self.ssthresh = INFINITE
        self._acked = 0  # octets acknowledged towards the next increase

    def acknowledged(self, octets: int, now: int, srtt: int) -> None:
        if self.cwnd < self.ssthresh:
            # By the octets acknowledged and not by the ACK, as one ACK may stand for many segments.
            grown = min(self.cwnd + octets, self.ssthresh)
            octets -= grown - self.cwnd
            self.cwnd = grown
            if self.cwnd < self.ssthresh or octets <= 0:
                return
        self._acked += octets
        if self._acked >= self.cwnd:
            self._acked -= self.cwnd
            self.cwnd += self.mss

    def round_trip(self, rtt: int, una: int, nxt: int, now: int) -> None:
        pass

    def lost(self, in_flight: int) -> None:
        self.ssthresh = max(in_flight // 2, 2 * self.mss)  # equation 4
        self.cwnd = self.ssthresh
        self._acked = 0

    def recovered(self) -> None:
        self.cwnd = min(self.cwnd, self.ssthresh)

    def timed_out(self, in_flight: int, *, again: bool) -> None:
        if not again:
            self.ssthresh = max(in_flight // 2, 2 * self.mss)
        self.cwnd = self.mss  # the loss window
        self._acked = 0

    def idle(self, quiet: int) -> None:
        pass

    def clone(self) -> NewReno:
        twin = NewReno(self.mss, self.cwnd)
        twin.ssthresh = self.ssthresh
        twin._acked = self._acked
        return twin


ALGORITHMS: Final[dict[str, Callable[[int, int], CongestionControl]]] = {"cubic": Cubic, "reno": NewReno}
