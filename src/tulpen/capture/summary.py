"""How many connections opened and ended how, counted as they are told: no rows have to be kept for it."""

from __future__ import annotations

from bisect import insort
from collections import Counter
from typing import TYPE_CHECKING, Final, final

if TYPE_CHECKING:
    from tulpen.capture.record import Connection

WORST: Final = 8  # rows that are kept of each weight
WEIGHED: Final = ("bad", "odd")  # the worst first


@final
class Summary:
    """Counts by word, and the first of the worst connections."""

    __slots__ = ("_worst", "cause", "connections", "ended", "found", "opened", "weights")

    def __init__(self) -> None:
        self.connections = 0
        self.opened: Counter[str] = Counter()
        self.ended: Counter[str] = Counter()
        self.cause: Counter[str] = Counter()
        self.found: Counter[str] = Counter()
        self.weights: Counter[str] = Counter()
        self._worst: dict[str, list[Connection]] = {weight: [] for weight in WEIGHED}

    def take(self, row: Connection) -> None:
        """Count a connection, and keep it if it is one of the first of the worst."""
        self.count(row)
        self.keep(row)

    def count(self, row: Connection, times: int = 1) -> None:
        """Count so many connections with the words of this one."""
        self.connections += times
        self.opened[row.opened] += times
        self.ended[row.ended] += times
        if row.cause:
            self.cause[row.cause] += times
        for kind in filter(None, row.findings.split(",")):
            self.found[kind] += times
        self.weights[row.worst] += times

    def keep(self, row: Connection) -> None:
        """Keep a connection if it is one of the first of the worst."""
        if row.worst in self._worst:
            kept = self._worst[row.worst]
            insort(kept, row, key=lambda each: each.number)
            del kept[WORST:]

    def kept(self) -> list[Connection]:
        """Return the rows that are kept."""
        return [row for rows in self._worst.values() for row in rows]

    def join(self, other: Summary) -> None:
        """Count what another has, too."""
        self.connections += other.connections
        for name in ("opened", "ended", "cause", "found", "weights"):
            getattr(self, name).update(getattr(other, name))
        for row in other.kept():
            self.keep(row)

    def worst(self) -> tuple[list[Connection], int]:
        """Return the first of the worst connections, and how many there are of that weight."""
        for weight, rows in self._worst.items():
            if rows:
                return rows, self.weights[weight]
        return [], 0
