"""What a connection remembers to decide when it acknowledges; ``acking`` acts on it."""

from __future__ import annotations

from typing import final


@final
class AckState:
    """Times in nanoseconds, sizes in octets."""

    __slots__ = ("answering", "delay", "heard_text_at", "last_size", "pending", "quick", "seen_mss", "small")

    def __init__(self) -> None:
        self.pending = 0  # octets received since the last ACK we sent
        self.quick = 0  # ACKs still to be sent at once
        self.delay = 0  # how long the next may wait; 0 before the first text
        self.heard_text_at = 0
        self.answering = False  # the application answers what it receives, and an ACK can go with that
        self.seen_mss = 0  # the largest segment seen, as far as it can be a full one
        self.last_size = 0  # of a smaller one that may have been full
        self.small = False  # one of those not acknowledged is not full

    def clone(self) -> AckState:
        """Return an independent copy."""
        twin = AckState()
        twin.pending = self.pending
        twin.quick = self.quick
        twin.delay = self.delay
        twin.heard_text_at = self.heard_text_at
        twin.answering = self.answering
        twin.seen_mss = self.seen_mss
        twin.last_size = self.last_size
        twin.small = self.small
        return twin
