"""The TIME-WAIT table: small records that wait out 2 MSL (RFC 9293 §3.6.1 MUST-13, RFC 6191).

Nearly all of them are octets in a ``SlotTable``, which ``tw_slot`` writes and reads; what
does not fit into those (a signed connection, a port held in an unusual way) is kept as an object.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from typing import final

from tulpen.host.deadlines import Deadlines
from tulpen.host.packing import KEY_4, KEY_6, Packing
from tulpen.host.signing import Signing
from tulpen.host.slots import SlotTable
from tulpen.host.tw_slot import VALUE, Lingering, deadline_of, packed, unpacked
from tulpen.tcp.compact import TimeWait
from tulpen.tcp.config import SECOND
from tulpen.tcp.stack import Stack
from tulpen.tcp.timers import NEVER
from tulpen.tcp.trace import FourTuple
from tulpen.wire.address import is_loopback


@final
class TimeWaitTable:
    """The records by name.

    All wait equally long, so the order of arrival is the order of expiry and costs
    nothing to keep; only tcp_tw_recycle made some of them expire early.
    """

    __slots__ = ("_hurried", "_packing", "_slots_4", "_slots_6", "_stack", "_unusual")

    def __init__(self, stack: Stack, packing: Packing) -> None:
        self._stack = stack
        self._packing = packing
        self._slots_4 = SlotTable(KEY_4.size, VALUE.size)
        self._slots_6 = SlotTable(KEY_6.size, VALUE.size)
        self._unusual: OrderedDict[FourTuple, Lingering] = OrderedDict()  # a dict is slow to give its first
        self._hurried: Deadlines[FourTuple] = Deadlines()

    def __len__(self) -> int:
        return len(self._slots_4) + len(self._slots_6) + len(self._unusual)

    def __iter__(self) -> Iterator[TimeWait]:
        for slots in (self._slots_4, self._slots_6):
            for key, value in slots:
                yield unpacked(self._packing, key, value).record
        for entry in self._unusual.values():
            yield entry.record

    def full(self) -> bool:
        """Say whether tcp_max_tw_buckets is reached, and count that a connection has to skip TIME-WAIT."""
        if len(self) < self._stack.settings.tcp_max_tw_buckets:
            return False
        self._stack.count("TCPTimeWaitOverflow")
        return True

    def get(self, name: FourTuple) -> TimeWait | None:
        """Return the record of a connection."""
        entry = self._entry(name)
        return None if entry is None else entry.record

    def signing(self, name: FourTuple) -> Signing | None:
        """Return how the segments of a connection in TIME-WAIT are signed."""
        entry = self._unusual.get(name)
        return None if entry is None else entry.signing

    def put(self, entry: Lingering) -> None:
        """Take a record in, or put it behind the others after its 2 MSL began anew."""
        name = entry.record.name
        key, value = self._packing.key(name), packed(self._packing, entry)
        if key is None or value is None:
            self._remove(name)
            self._unusual[name] = entry
        else:
            self._unusual.pop(name, None)
            self._slots(name).put(key, value)

    def hurry(self, name: FourTuple, deadline: int) -> None:
        """Let a record go before its time (tcp_tw_recycle)."""
        self._hurried.set(name, deadline)

    def replace(self, record: TimeWait) -> None:
        """Put what became of a record in its place; it moves back if its deadline did."""
        before = self._entry(record.name)
        if before is None:
            raise KeyError(record.name)
        after = before._replace(record=record)
        if record.deadline != before.record.deadline:
            self.put(after)
        elif record.name in self._unusual:
            self._unusual[record.name] = after
        else:
            self._replace_slot(after)

    def take(self, name: FourTuple) -> Lingering:
        """Take a record out."""
        entry = self._entry(name)
        if entry is None:
            raise KeyError(name)
        self._hurried.forget(name)
        self._remove(name)
        return entry

    def expired(self, now: int) -> Lingering | None:
        """Take out a record whose time is over."""
        hurried = self._hurried.pop(now)
        if hurried is not None:
            self._stack.count("TWKilled")
            return self.take(hurried)
        deadline, slots = self._first()
        if deadline > now:
            return None
        self._stack.count("TW")
        first = None if slots is None else slots.first()
        if slots is None or first is None:
            return self._unusual.popitem(last=False)[1]
        slots.remove(first[0])
        return unpacked(self._packing, *first)

    def earliest(self) -> int | None:
        """Return when the next record expires."""
        deadline, _ = self._first()
        hurried = self._hurried.earliest()
        if hurried is not None:
            deadline = min(deadline, hurried)
        return None if deadline == NEVER else deadline

    def reusable(self, record: TimeWait, now: int) -> bool:
        """Say whether connect() may open over a record (tcp_tw_reuse): its peer's timestamps tell old from new."""
        reuse = self._stack.settings.tcp_tw_reuse
        if not reuse or not record.terms.timestamps:
            return False
        name = record.name
        if reuse == 2 and not (is_loopback(name.local) or is_loopback(name.remote)):
            return False
        return now - record.ts_recent_at >= SECOND

    def _slots(self, name: FourTuple) -> SlotTable:
        return self._slots_4 if len(name.remote) == 4 else self._slots_6

    def _entry(self, name: FourTuple) -> Lingering | None:
        unusual = self._unusual.get(name) if self._unusual else None
        slots = self._slots_4 if len(name.remote) == 4 else self._slots_6
        if unusual is not None or not slots.live:
            return unusual
        key = self._packing.key(name)
        value = None if key is None else slots.get(key)
        return None if key is None or value is None else unpacked(self._packing, key, value)

    def _remove(self, name: FourTuple) -> None:
        if self._unusual.pop(name, None) is None and (key := self._packing.key(name)) is not None:
            self._slots(name).remove(key)

    def _replace_slot(self, entry: Lingering) -> None:
        key, value = self._packing.key(entry.record.name), packed(self._packing, entry)
        if key is None or value is None:
            self.put(entry)
        else:
            self._slots(entry.record.name).replace(key, value)

    def _first(self) -> tuple[int, SlotTable | None]:
        """Return the earliest deadline, and where that record is; None: among the unusual."""
        earliest, where = NEVER, None
        for slots in (self._slots_4, self._slots_6):
            first = slots.first() if slots.live else None
            if first is not None and deadline_of(first[1]) < earliest:
                earliest, where = deadline_of(first[1]), slots
        for entry in self._unusual.values():
            if entry.record.deadline < earliest:
                return entry.record.deadline, None
            break
        return earliest, where
