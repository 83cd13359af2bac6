"""The timers of one connection: deadlines in nanoseconds, ``NEVER`` where one is not running."""

from __future__ import annotations

from typing import Final, final

NEVER: Final = 1 << 63


@final
class Timers:
    """A deadline for each of RFC 9293 §3.10.8 and of what RFC 1122 adds."""

    __slots__ = ("delayed_ack", "keepalive", "linger", "pace", "persist", "probe", "reorder", "retransmit")

    def __init__(self) -> None:
        self.retransmit = NEVER  # RFC 6298 §5
        self.probe = NEVER  # RFC 8985 §7.2, in the place of the former
        self.reorder = NEVER  # RFC 8985 §6.2 step 5
        self.pace = NEVER  # when text that pacing holds may leave
        self.persist = NEVER  # RFC 9293 §3.8.6.1, and the override timeout of §3.8.6.2.1
        self.delayed_ack = NEVER  # RFC 9293 §3.8.6.3
        self.keepalive = NEVER  # RFC 9293 §3.8.4
        self.linger = NEVER  # 2 MSL in TIME-WAIT; tcp_fin_timeout in an orphan's FIN-WAIT-2

    def next(self) -> int:
        """Return the earliest deadline, ``NEVER`` for none."""
        return min(
            self.retransmit, self.probe, self.reorder, self.pace, self.persist, self.delayed_ack, self.keepalive,
            self.linger,
        )  # fmt: skip

    def stop(self) -> None:
        """Stop all of them."""
        self.retransmit = self.probe = self.reorder = NEVER
        self.pace = self.persist = self.delayed_ack = self.keepalive = self.linger = NEVER

    def clone(self) -> Timers:
        """Return an independent copy."""
        twin = Timers()
        twin.retransmit = self.retransmit
        twin.probe = self.probe
        twin.reorder = self.reorder
        twin.pace = self.pace
        twin.persist = self.persist
        twin.delayed_ack = self.delayed_ack
        twin.keepalive = self.keepalive
        twin.linger = self.linger
        return twin
