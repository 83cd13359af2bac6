"""The TIME-WAIT table: small records that wait out 2 MSL (RFC 9293 §3.6.1 MUST-13, RFC 6191)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from typing import Final, NamedTuple, final

from tulpen.host.deadlines import Deadlines
from tulpen.host.ports import Claim
from tulpen.host.signing import Signing
from tulpen.tcp.compact import TimeWait
from tulpen.tcp.config import SECOND
from tulpen.tcp.stack import Stack
from tulpen.tcp.trace import FourTuple
from tulpen.wire.address import is_loopback

KILLED: Final = 4 * SECOND  # a record due within this is counted TWKilled, as Linux does


class Lingering(NamedTuple):
    """One record, the port it still holds, and how its segments are signed."""

    record: TimeWait
    claim: Claim
    signing: Signing | None = None


@final
class TimeWaitTable:
    """The records by name.

    All wait equally long, so the order of arrival is the order of expiry and costs
    nothing to keep; only tcp_tw_recycle made some of them expire early.
    """

    __slots__ = ("_entries", "_hurried", "_stack")

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._entries: OrderedDict[FourTuple, Lingering] = OrderedDict()  # a dict is slow to give its first
        self._hurried: Deadlines[FourTuple] = Deadlines()

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[TimeWait]:
        for entry in self._entries.values():
            yield entry.record

    def full(self) -> bool:
        """Say whether tcp_max_tw_buckets is reached, and count that a connection has to skip TIME-WAIT."""
        if len(self._entries) < self._stack.settings.tcp_max_tw_buckets:
            return False
        self._stack.count("TCPTimeWaitOverflow")
        return True

    def get(self, name: FourTuple) -> TimeWait | None:
        """Return the record of a connection."""
        entry = self._entries.get(name)
        return None if entry is None else entry.record

    def signing(self, name: FourTuple) -> Signing | None:
        """Return how the segments of a connection in TIME-WAIT are signed."""
        return self._entries[name].signing

    def put(self, entry: Lingering) -> None:
        """Take a record in, or put it behind the others after its 2 MSL began anew."""
        name = entry.record.name
        self._entries[name] = entry
        self._entries.move_to_end(name)

    def hurry(self, name: FourTuple, deadline: int) -> None:
        """Let a record go before its time (tcp_tw_recycle)."""
        self._hurried.set(name, deadline)

    def replace(self, record: TimeWait) -> None:
        """Put what became of a record in its place; it moves back if its deadline did."""
        before = self._entries[record.name]
        after = before._replace(record=record)
        if record.deadline == before.record.deadline:
            self._entries[record.name] = after
        else:
            self.put(after)

    def take(self, name: FourTuple) -> Lingering:
        """Take a record out."""
        self._hurried.forget(name)
        return self._entries.pop(name)

    def expired(self, now: int) -> Lingering | None:
        """Take out a record whose time is over."""
        hurried = self._hurried.pop(now)
        if hurried is not None:
            self._stack.count("TWKilled")
            return self._entries.pop(hurried)
        first = next(iter(self._entries.values()), None)
        if first is None or first.record.deadline > now:
            return None
        self._stack.count("TW")
        return self.take(first.record.name)

    def earliest(self) -> int | None:
        """Return when the next record expires."""
        first = next(iter(self._entries.values()), None)
        hurried = self._hurried.earliest()
        if first is None:
            return None
        return first.record.deadline if hurried is None else min(hurried, first.record.deadline)

    def reusable(self, record: TimeWait, now: int) -> bool:
        """Say whether connect() may open over a record (tcp_tw_reuse): its peer's timestamps tell old from new."""
        reuse = self._stack.settings.tcp_tw_reuse
        if not reuse or not record.terms.timestamps:
            return False
        name = record.name
        if reuse == 2 and not (is_loopback(name.local) or is_loopback(name.remote)):
            return False
        return now - record.ts_recent_at >= SECOND
