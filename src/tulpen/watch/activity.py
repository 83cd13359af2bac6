"""What a live screen shows, as numbers: states, flows between them, endings, the busiest ends."""

from __future__ import annotations

import time
from collections import Counter, deque
from typing import TYPE_CHECKING, Final, NamedTuple, final

from tulpen.errors import TulpenError
from tulpen.kernel.snapshot import Source as Snapshots
from tulpen.kernel.snapshot import Wanted
from tulpen.show.ladder import Standing
from tulpen.tcp.state import State
from tulpen.watch.ended import endpoint, text

if TYPE_CHECKING:
    from tulpen.watch.ended import Ended
    from tulpen.watch.tally import Tally

_KEPT: Final = 12  # lines of ends
_NAMES: Final = 10_000  # of which the busiest are known; a flood from everywhere must not fill the memory
_LOOKED: Final = 2.0  # seconds between two counts of the sockets
_PATIENCE: Final = 20  # a count that took long is paid for with so many times its length without another


class Flow(NamedTuple):
    """A transition, and how often it happens."""

    before: State
    after: Standing  # TIME-WAIT is inferred: the tracepoint shows CLOSED
    total: int
    rate: float  # a second, of late


def _shown(before: State, after: State) -> Standing:
    hidden = after is State.CLOSED and before in (State.FIN_WAIT_2, State.CLOSING)
    return Standing(State.TIME_WAIT, True) if hidden else Standing(after)


@final
class Activity:
    """Fed with what a watch tells; read by a screen."""

    __slots__ = (
        "_before", "_due", "_since", "_snapshots", "endings", "flows", "last", "listeners", "namespaces", "peers",
        "states",
    )  # fmt: skip

    def __init__(self) -> None:
        self._snapshots = Snapshots(Wanted(everywhere=True))
        self._due = 0.0
        self._since = time.monotonic()
        self._before: dict[tuple[State, State], int] = {}
        self.states: dict[State, int] = {}
        self.namespaces = 0
        self.flows: list[Flow] = []
        self.endings: Counter[str] = Counter()
        self.listeners: Counter[str] = Counter()
        self.peers: Counter[str] = Counter()
        self.last: deque[Ended] = deque(maxlen=_KEPT)

    def add(self, ended: list[Ended]) -> None:
        """Take ends that were told."""
        for each in ended:
            name, opened = each.name, each.verdict.opened.value
            self.endings[each.verdict.ending.value] += 1
            if opened == "passive" and len(self.listeners) < _NAMES:
                place = f" in {each.place}" if each.place else ""
                self.listeners[endpoint(name.local, name.local_port) + place] += 1
            if name.remote_port and len(self.peers) < _NAMES:
                self.peers[text(name.remote)] += 1
        self.last.extend(ended[-_KEPT:])

    def look(self, tally: Tally) -> None:
        """Bring the flows up to date, and the states if it is time."""
        now = time.monotonic()
        span = now - self._since
        if span >= 1:
            totals = tally.transitions()
            self.flows = [
                Flow(before, _shown(before, after), total, (total - self._before.get((before, after), 0)) / span)
                for (before, after), total in sorted(totals.items())
            ]
            self._before, self._since = totals, now
        if now >= self._due:
            self._count()
            self._due = now + max(_LOOKED, _PATIENCE * (time.monotonic() - now))

    def close(self) -> None:
        """Close what is open."""
        self._snapshots.close()

    def _count(self) -> None:
        try:
            views = self._snapshots.take().views
        except (TulpenError, OSError):  # there is no sock_diag: the flows are still right
            return
        found = dict.fromkeys(State, 0)
        for view in views:
            for state, number in view.table.by_state().items():
                found[state] += number
        self.states, self.namespaces = found, len(views)
