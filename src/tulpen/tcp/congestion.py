"""Congestion control (RFC 5681): how the window grows, and how far a loss brings it down.

An algorithm is a ``CongestionControl``; ``ALGORITHMS`` names them as Linux does.  What was
lost is decided in ``recovery``, how the window comes down in ``window``.
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

    def after_loss(self, in_flight: int) -> int:
        """Return the ssthresh that follows from a loss, or what counts as one (§3.1); asked once a reduction."""

    def undone(self, prior_cwnd: int) -> None:
        """The loss was none: return to the window before it (RFC 4015 §3.2)."""

    def timed_out(self) -> None:
        """The retransmission timer ran out: what was learnt of the path is forgotten."""

    def idle(self, quiet: int) -> None:
        """Text goes out after ``quiet`` nanoseconds without any."""

    def clone(self) -> CongestionControl:
        """Return an independent copy."""


@final
class Usage:
    """How the congestion window is used: whether it was what held text back (RFC 7661 §4.3), and at what pace."""

    __slots__ = ("full_at", "limited", "most", "next_at", "point", "unpaced", "used")

    def __init__(self) -> None:
        self.limited = False
        self.point = 0  # SND.NXT when that was last judged
        self.most = 0  # octets in flight at most since then
        self.next_at = 0  # paced text does not leave before
        self.unpaced = 0  # segments of text that have left, until it is paced
        self.full_at = 0  # when the window was last found to be the limit, or brought down to what is used
        self.used = 0  # octets in flight at most since then

    def clone(self) -> Usage:
        """Return an independent copy."""
        twin = Usage()
        twin.limited = self.limited
        twin.point = self.point
        twin.most = self.most
        twin.next_at = self.next_at
        twin.unpaced = self.unpaced
        twin.full_at = self.full_at
        twin.used = self.used
        return twin


@final
class NewReno:
    """Slow start and congestion avoidance as RFC 5681 §3.1 has them."""

    __slots__ = ("cwnd", "gathered", "mss", "ssthresh")

    def __init__(self, mss: int, initial: int) -> None:
        self.mss = mss
        self.cwnd = initial
        self.ssthresh = INFINITE
        self.gathered = 0  # octets acknowledged towards the next increase

    def acknowledged(self, octets: int, now: int, srtt: int) -> None:
        if self.cwnd < self.ssthresh:
            # By the octets acknowledged and not by the ACK, as one ACK may stand for many segments.
            grown = min(self.cwnd + octets, self.ssthresh)
            octets -= grown - self.cwnd
            self.cwnd = grown
            if self.cwnd < self.ssthresh or octets <= 0:
                return
        if self.gathered >= self.cwnd:  # gathered while the window was larger
            self.gathered = 0
            self.cwnd += self.mss
        window = self.cwnd
        self.gathered += octets
        self.cwnd += self.gathered // window * self.mss
        self.gathered %= window

    def round_trip(self, rtt: int, una: int, nxt: int, now: int) -> None:
        pass

    def after_loss(self, in_flight: int) -> int:
        self.gathered = 0
        return max(in_flight // 2, 2 * self.mss)  # equation 4

    def undone(self, prior_cwnd: int) -> None:
        self.cwnd = max(self.cwnd, prior_cwnd)

    def timed_out(self) -> None:
        self.gathered = 0

    def idle(self, quiet: int) -> None:
        pass

    def clone(self) -> NewReno:
        twin = NewReno(self.mss, self.cwnd)
        twin.ssthresh = self.ssthresh
        twin.gathered = self.gathered
        return twin


ALGORITHMS: Final[dict[str, Callable[[int, int], CongestionControl]]] = {"cubic": Cubic, "reno": NewReno}
