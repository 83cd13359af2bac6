"""CUBIC (RFC 9438), with HyStart's delay rule to leave slow start in time (RFC 9406).

Windows are kept in octets; the cubic function itself counts segments and seconds, as
the RFC's formulas do.
"""

from __future__ import annotations

from typing import Final, final

from tulpen.tcp.config import MS, SECOND

BETA: Final = 0.7  # §4.6
C: Final = 0.4  # §5
ALPHA: Final = 3 * (1 - BETA) / (1 + BETA)  # §4.3
INFINITE: Final = 1 << 62

MIN_RTT_THRESH: Final = 4 * MS  # RFC 9406 §4.3
MAX_RTT_THRESH: Final = 16 * MS
N_RTT_SAMPLE: Final = 8
LOW_WINDOW: Final = 16  # segments below which slow start is not left early
NO_RTT: Final = 1 << 62


@final
class Cubic:
    """RFC 9438 §4."""

    __slots__ = (
        "_acked", "_epoch", "_k", "_least_rtt", "_origin", "_round_end", "_round_rtt", "_samples", "_w_est", "_w_max",
        "cwnd", "mss", "ssthresh",
    )  # fmt: skip

    def __init__(self, mss: int, initial: int) -> None:
        self.mss = mss
        self.cwnd = initial
        self.ssthresh = INFINITE
        self._w_max = 0.0  # segments
        self._origin = 0.0  # the plateau
        self._k = 0.0  # seconds to the plateau
        self._epoch = -1  # t of §4.2 counts from here; -1: not begun
        self._w_est = 0.0
        self._acked = 0  # octets towards the next increase
        # HyStart
        self._round_end = -1
        self._samples = 0
        self._round_rtt = NO_RTT
        self._least_rtt = NO_RTT

    def acknowledged(self, octets: int, now: int, srtt: int) -> None:
        if self.cwnd < self.ssthresh:
            grown = min(self.cwnd + octets, self.ssthresh)
            octets -= grown - self.cwnd
            self.cwnd = grown
            if octets <= 0:
                return
        self._avoid(octets, now, srtt)

    def _avoid(self, octets: int, now: int, srtt: int) -> None:
        """Congestion avoidance (§4.2 to §4.5)."""
        window = self.cwnd / self.mss
        if self._epoch < 0:
            self._epoch = now
            self._acked = 0
            self._w_est = window
            if self._w_max <= window:
                self._k = 0.0
                self._origin = window
            else:
                self._k = ((self._w_max - window) / C) ** (1 / 3)
                self._origin = self._w_max
        t = (now - self._epoch + srtt) / SECOND
        target = min(max(self._origin + C * (t - self._k) ** 3, window), 1.5 * window)
        self._w_est += ALPHA * octets / self.mss / window
        target = max(target, self._w_est)
        # the octets to be acknowledged for one more segment
        need = self.cwnd / (target - window) if target > window else 100 * self.cwnd
        need = max(need, 2 * self.mss)
        self._acked += octets
        if self._acked >= need:
            grown = int(self._acked // need)
            self._acked -= int(grown * need)
            self.cwnd += grown * self.mss

    def undone(self, prior_cwnd: int) -> None:
        self.cwnd = max(self.cwnd, prior_cwnd)

    def timed_out(self) -> None:
        """§4.8: whatever was learnt of the path is forgotten."""
        self._w_max = self._origin = self._k = self._w_est = 0.0
        self._epoch = -1
        self._acked = 0
        self._round_end = -1
        self._round_rtt = self._least_rtt = NO_RTT

    def after_loss(self, in_flight: int) -> int:
        """Multiplicative decrease (§4.6), with fast convergence (§4.7)."""
        window = self.cwnd / self.mss
        self._w_max = window * (1 + BETA) / 2 if window < self._w_max else window
        self._epoch = -1
        return max(int(window * BETA), 2) * self.mss

    def round_trip(self, rtt: int, una: int, nxt: int, now: int) -> None:
        """Leave slow start when a round's least delay lies well above the least ever (RFC 9406 §4.2)."""
        if self._epoch >= 0 and now - self._epoch < SECOND:
            return  # samples right after a recovery mislead
        self._least_rtt = min(self._least_rtt, rtt)
        if self.cwnd >= self.ssthresh:
            return
        if una > self._round_end:
            self._round_end = nxt
            self._round_rtt = NO_RTT
            self._samples = 0
        if self.cwnd < LOW_WINDOW * self.mss:
            return
        self._round_rtt = min(self._round_rtt, rtt)
        if self._samples < N_RTT_SAMPLE:
            self._samples += 1
        elif self._round_rtt > self._least_rtt + min(max(self._least_rtt // 8, MIN_RTT_THRESH), MAX_RTT_THRESH):
            self.ssthresh = self.cwnd

    def idle(self, quiet: int) -> None:
        """The time nothing was sent does not count as growth (§4.2)."""
        if self._epoch >= 0:
            self._epoch += quiet

    def clone(self) -> Cubic:
        """Return an independent copy."""
        twin = Cubic(self.mss, self.cwnd)
        twin.ssthresh = self.ssthresh
        twin._w_max = self._w_max
        twin._origin = self._origin
        twin._k = self._k
        twin._epoch = self._epoch
        twin._w_est = self._w_est
        twin._acked = self._acked
        twin._round_end = self._round_end
        twin._samples = self._samples
        twin._round_rtt = self._round_rtt
        twin._least_rtt = self._least_rtt
        return twin
