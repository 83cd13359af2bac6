"""How often a fault really happened: a program that never met it has shown nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from tulpen.sim.filters import Filter, Passed
    from tulpen.wire.ip import Packet


class Tally:
    """A count that the conduct and the filters of one stage share."""

    __slots__ = ("met",)

    def __init__(self) -> None:
        self.met = 0

    def mark(self) -> None:
        """It happened."""
        self.met += 1


class Counted:
    """A filter that marks the tally whenever ``filter`` did anything to a packet."""

    __slots__ = ("filter", "tally")

    def __init__(self, tally: Tally, filter: Filter) -> None:
        self.filter = filter
        self.tally = tally

    def __call__(self, packet: Packet, now: int) -> Passed:
        passed = self.filter(packet, now)
        if len(passed) != 1 or passed[0][0] != 0 or passed[0][1] is not packet:
            self.tally.mark()
        return passed


class Seen:
    """A filter that passes everything and marks the tally for the packets that ``which`` picks."""

    __slots__ = ("tally", "which")

    def __init__(self, tally: Tally, which: Callable[[Packet], bool]) -> None:
        self.tally = tally
        self.which = which

    def __call__(self, packet: Packet, now: int) -> Passed:
        if self.which(packet):
            self.tally.mark()
        return [(0, packet)]
