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
class Curve:
    """The window as a function of time, once slow start is over (§4.2 to §4.5)."""

    __slots__ = (
        "credit", "epoch", "friend", "friend_credit", "k", "need", "origin", "valued_at", "valued_for", "w_max",
    )  # fmt: skip

    def __init__(self) -> None:
        self.credit = 0  # octets acknowledged towards the next increase
        self.w_max = 0  # segments
        self.origin = 0  # the plateau
        self.k = 0  # nanoseconds to the plateau
        self.epoch = -1  # t of §4.2 counts from here; -1: not begun
        self.need = 0  # segments to be acknowledged for one more
        self.valued_at = 0
        self.valued_for = -1
        self.friend = 0  # W_est: Reno's window
        self.friend_credit = 0

    def acknowledged(self, octets: int, cwnd: int, mss: int, least_rtt: int, now: int) -> int:
        """Return the congestion window after one of ``cwnd``: a segment more for each ``need`` acknowledged."""
        window = cwnd // mss
        self.friend_credit += octets
        if window != self.valued_for or now - self.valued_at > STEADY:
            if self.epoch < 0 or now // MS != self.valued_at // MS:
                self._value(window, octets, least_rtt, now)
            self._keep_up_with_reno(window, mss)
            self.need = max(self.need, AT_LEAST)
        need = self.need * mss
        if self.credit >= need:  # gathered while more was needed
            self.credit = 0
            cwnd += mss
        self.credit += octets
        cwnd += self.credit // need * mss
        self.credit %= need
        return cwnd

    def _value(self, window: int, octets: int, least_rtt: int, now: int) -> None:
        """How far the window is from where the cubic function wants it a round trip from now (§4.2)."""
        self.valued_for = window
        self.valued_at = now
        if self.epoch < 0:
            self.epoch = now
            self.friend = window
            self.friend_credit = octets
            self.origin = max(self.w_max, window)
            self.k = int(((self.origin - window) / C) ** (1 / 3) * SECOND)
        offset = (now - self.epoch + least_rtt - self.k) / SECOND
        target = self.origin + (int(C * offset**3) if offset >= 0 else -int(C * -(offset**3)))
        self.need = window // (target - window) if target > window else 100 * window
        if not self.w_max:
            self.need = min(self.need, STARTING)

    def _keep_up_with_reno(self, window: int, mss: int) -> None:
        """The Reno-friendly region (§4.3)."""
        step = int(window * FRIENDLY) * mss
        while self.friend_credit > step:
            self.friend_credit -= step
            self.friend += 1
        if self.friend > window:
            self.need = min(self.need, window // (self.friend - window))

    def lost(self, window: int) -> None:
        """A loss at so many segments: another curve begins, with fast convergence (§4.7)."""
        self.w_max = int(window * (1 + BETA) / 2) if window < self.w_max else window
        self.epoch = -1
        self.credit = 0

    def clone(self) -> Curve:
        """Return an independent copy."""
        twin = Curve()
        twin.credit = self.credit
        twin.w_max = self.w_max
        twin.origin = self.origin
        twin.k = self.k
        twin.epoch = self.epoch
        twin.need = self.need
        twin.valued_at = self.valued_at
        twin.valued_for = self.valued_for
        twin.friend = self.friend
        twin.friend_credit = self.friend_credit
        return twin


@final
class Cubic:
    """RFC 9438 §4."""

    __slots__ = (
        "_found", "_last_ack", "_least_rtt", "_round_end", "_round_from", "_round_rtt", "_samples", "curve", "cwnd",
        "mss", "ssthresh",
    )  # fmt: skip

    def __init__(self, mss: int, initial: int) -> None:
        self.mss = mss
        self.cwnd = initial
        self.ssthresh = INFINITE
        self._forget()

    def _forget(self) -> None:
        """What is learnt of a path, and unlearnt by a timeout."""
        self.curve: Curve | None = None  # None: it has not left slow start
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
        least = 0 if self._least_rtt == NO_RTT else self._least_rtt
        self.cwnd = self._curve().acknowledged(octets, self.cwnd, self.mss, least, now)

    def _curve(self) -> Curve:
        if self.curve is None:
            self.curve = Curve()
        return self.curve

    def undone(self, prior_cwnd: int) -> None:
        self.cwnd = max(self.cwnd, prior_cwnd)

    def timed_out(self) -> None:
        """§4.8: whatever was learnt of the path is forgotten."""
        self._forget()

    def after_loss(self, in_flight: int) -> int:
        """Multiplicative decrease (§4.6)."""
        window = self.cwnd // self.mss
        self._curve().lost(window)
        return max(int(window * BETA), 2) * self.mss

    def round_trip(self, rtt: int, una: int, nxt: int, now: int) -> None:
        """Leave slow start when a round shows that the path is full."""
        curve = self.curve
        if curve is not None and curve.epoch >= 0 and now - curve.epoch < SECOND:
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
        if self.curve is not None and self.curve.epoch >= 0:
            self.curve.epoch += quiet

    def clone(self) -> Cubic:
        """Return an independent copy."""
        twin = Cubic(self.mss, self.cwnd)
        twin.curve = None if self.curve is None else self.curve.clone()
        twin._found = self._found
        twin._last_ack = self._last_ack
        twin._least_rtt = self._least_rtt
        twin._round_end = self._round_end
        twin._round_from = self._round_from
        twin._round_rtt = self._round_rtt
        twin._samples = self._samples
        twin.ssthresh = self.ssthresh
        return twin
