"""CUBIC (RFC 9438), with HyStart's two rules to leave slow start in time (RFC 9406; Ha and Rhee 2011).

The window is kept in octets; the function itself counts whole segments, as Linux's does, so
that a path sees the same window from both.
"""

from __future__ import annotations

from typing import Final, final

from tulpen.tcp.config import MS, SECOND

BETA: Final = 717 / 1024  # §4.6: 0.7
C: Final = 410 / 1024  # §5: 0.4
FRIENDLY: Final = 15 / 8  # §4.3: windows acknowledged for a segment more of Reno's, (1 + BETA) / (3 * (1 - BETA))
STARTING: Final = 20  # acknowledgments for a segment at most, while no loss has shown what the path bears
AT_LEAST: Final = 2  # ... and never fewer than these (§4.4)
STEADY: Final = SECOND // 32  # how long the function's value holds while the window stays
INFINITE: Final = 1 << 62

MIN_RTT_THRESH: Final = 4 * MS  # RFC 9406 §4.3
MAX_RTT_THRESH: Final = 16 * MS
N_RTT_SAMPLE: Final = 8
LOW_WINDOW: Final = 16  # segments below which slow start is not left early
TRAIN: Final = 2 * MS  # acknowledgments no further apart than this are of one train
TRAIN_DELAY: Final = 1 * MS  # what a device may add between them
NO_RTT: Final = 1 << 62


@final
class Cubic:
    """RFC 9438 §4."""

    __slots__ = (
        "_credit", "_epoch", "_found", "_friend", "_friend_credit", "_k", "_last_ack", "_least_rtt", "_need", "_origin",
        "_round_end", "_round_from", "_round_rtt", "_samples", "_valued_at", "_valued_for", "_w_max", "cwnd", "mss",
        "ssthresh",
    )  # fmt: skip

    def __init__(self, mss: int, initial: int) -> None:
        self.mss = mss
        self.cwnd = initial
        self.ssthresh = INFINITE
        self._credit = 0  # octets acknowledged towards the next increase
        self._forget()

    def _forget(self) -> None:
        """What is learnt of a path, and unlearnt by a timeout."""
        self._w_max = 0  # segments
        self._origin = 0  # the plateau
        self._k = 0  # nanoseconds to the plateau
        self._epoch = -1  # t of §4.2 counts from here; -1: not begun
        self._need = 0  # segments to be acknowledged for one more
        self._valued_at = 0
        self._valued_for = -1
        self._friend = 0  # W_est: Reno's window
        self._friend_credit = 0
        # HyStart
        self._found = False
        self._round_end = -1
        self._round_from = 0
        self._last_ack = 0
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
        self._avoid(octets, now)

    def _avoid(self, octets: int, now: int) -> None:
        """Congestion avoidance: a segment more for each ``_need`` acknowledged (§4.2 to §4.5)."""
        window = self.cwnd // self.mss
        self._friend_credit += octets
        if window != self._valued_for or now - self._valued_at > STEADY:
            if self._epoch < 0 or now // MS != self._valued_at // MS:
                self._value(window, octets, now)
            self._keep_up_with_reno(window)
            self._need = max(self._need, AT_LEAST)
        need = self._need * self.mss
        if self._credit >= need:  # gathered while more was needed
            self._credit = 0
            self.cwnd += self.mss
        self._credit += octets
        self.cwnd += self._credit // need * self.mss
        self._credit %= need

    def _value(self, window: int, octets: int, now: int) -> None:
        """How far the window is from where the cubic function wants it a round trip from now (§4.2)."""
        self._valued_for = window
        self._valued_at = now
        if self._epoch < 0:
            self._epoch = now
            self._friend = window
            self._friend_credit = octets
            self._origin = max(self._w_max, window)
            self._k = int(((self._origin - window) / C) ** (1 / 3) * SECOND)
        least = 0 if self._least_rtt == NO_RTT else self._least_rtt
        offset = (now - self._epoch + least - self._k) / SECOND
        target = self._origin + (int(C * offset**3) if offset >= 0 else -int(C * -(offset**3)))
        self._need = window // (target - window) if target > window else 100 * window
        if not self._w_max:
            self._need = min(self._need, STARTING)

    def _keep_up_with_reno(self, window: int) -> None:
        """The Reno-friendly region (§4.3)."""
        step = int(window * FRIENDLY) * self.mss
        while self._friend_credit > step:
            self._friend_credit -= step
            self._friend += 1
        if self._friend > window:
            self._need = min(self._need, window // (self._friend - window))

    def undone(self, prior_cwnd: int) -> None:
        self.cwnd = max(self.cwnd, prior_cwnd)

    def timed_out(self) -> None:
        """§4.8: whatever was learnt of the path is forgotten."""
        self._credit = 0
        self._forget()

    def after_loss(self, in_flight: int) -> int:
        """Multiplicative decrease (§4.6), with fast convergence (§4.7)."""
        window = self.cwnd // self.mss
        self._w_max = int(window * (1 + BETA) / 2) if window < self._w_max else window
        self._epoch = -1
        self._credit = 0
        return max(int(window * BETA), 2) * self.mss

    def round_trip(self, rtt: int, una: int, nxt: int, now: int) -> None:
        """Leave slow start when a round shows that the path is full."""
        if self._epoch >= 0 and now - self._epoch < SECOND:
            return  # samples right after a recovery mislead
        self._least_rtt = min(self._least_rtt, rtt)
        if self._found or self.cwnd >= self.ssthresh:
            return
        if una > self._round_end:
            self._round_end = nxt
            self._round_from = self._last_ack = now
            self._round_rtt = NO_RTT
            self._samples = 0
        if self.cwnd >= LOW_WINDOW * self.mss and (self._long_train(now) or self._delay_grew(rtt)):
            self._found = True
            self.ssthresh = self.cwnd

    def _long_train(self, now: int) -> bool:
        """The acknowledgments of a round came without a gap for half of the least round trip and more."""
        if now - self._last_ack > TRAIN:
            return False
        self._last_ack = now
        return now - self._round_from > (self._least_rtt + TRAIN_DELAY) // 2

    def _delay_grew(self, rtt: int) -> bool:
        """The least delay of a round lies well above the least ever (RFC 9406 §4.2)."""
        self._round_rtt = min(self._round_rtt, rtt)
        if self._samples < N_RTT_SAMPLE:
            self._samples += 1
            return False
        threshold = min(max(self._least_rtt // 8, MIN_RTT_THRESH), MAX_RTT_THRESH)
        return self._round_rtt > self._least_rtt + threshold

    def idle(self, quiet: int) -> None:
        """The time nothing was sent does not count as growth (§4.2)."""
        if self._epoch >= 0:
            self._epoch += quiet

    def clone(self) -> Cubic:
        """Return an independent copy."""
        twin = Cubic(self.mss, self.cwnd)
        twin._credit = self._credit
        twin._epoch = self._epoch
        twin._found = self._found
        twin._friend = self._friend
        twin._friend_credit = self._friend_credit
        twin._k = self._k
        twin._last_ack = self._last_ack
        twin._least_rtt = self._least_rtt
        twin._need = self._need
        twin._origin = self._origin
        twin._round_end = self._round_end
        twin._round_from = self._round_from
        twin._round_rtt = self._round_rtt
        twin._samples = self._samples
        twin._valued_at = self._valued_at
        twin._valued_for = self._valued_for
        twin._w_max = self._w_max
        twin.ssthresh = self.ssthresh
        return twin
