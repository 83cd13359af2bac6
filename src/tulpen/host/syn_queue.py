"""The half-open connections of a host, each as some sixty octets (RFC 4987 §3.3).

Those whose SYN,ACK was sent equally often wait equally long for its answer: they lie in one
``SlotTable``, the order in which they came is the order of their deadlines, and no timer is
set for any.  What octets cannot say (signatures, ECN, a TIME-WAIT displaced) is kept as an object.
"""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct
from typing import TYPE_CHECKING, Final, final

from tulpen.host.deadlines import Deadlines
from tulpen.host.packing import Packing, terms_of
from tulpen.host.slots import SlotTable
from tulpen.tcp.compact import Request

if TYPE_CHECKING:
    from tulpen.host.listener import Listener
    from tulpen.host.signing import Signing
    from tulpen.host.tw_slot import Lingering
    from tulpen.tcp.trace import FourTuple

#: Deadline, when the SYN came, when it was last answered for something out of window; IRS, ISS, TS.Recent; the largest
#: segment we take, and they; the SYN's window; whose it is; flags.
VALUE: Final = Struct("<qqqIIIHHHHH")
_DEADLINE: Final = Struct("<q")
ACKNOWLEDGED: Final = 1 << 13  # beside the flags of the terms
MOST: Final = 0xFFFF  # of a number in 16 bits


@final
class Pending:
    """An entry of a SYN queue."""

    __slots__ = ("displaced", "listener", "request", "signing")

    def __init__(
        self, request: Request, listener: Listener, displaced: Lingering | None, signing: Signing | None
    ) -> None:
        self.request = request
        self.signing = signing
        self.listener = listener
        self.displaced = displaced  # the TIME-WAIT its SYN reopened; back it goes if this comes to nothing


@final
class SynQueue:
    """The entries by name.  What is changed of one that was taken out by ``get`` or ``due`` is to be put back."""

    __slots__ = ("_deadlines", "_listeners", "_numbers", "_packing", "_tables", "_unusual")

    def __init__(self, packing: Packing) -> None:
        self._packing = packing
        self._tables: dict[tuple[int, int], SlotTable] = {}  # by the octets of a key, and retransmissions
        self._unusual: dict[FourTuple, Pending] = {}
        self._deadlines: Deadlines[FourTuple] = Deadlines()  # of the latter
        self._listeners: list[Listener | None] = []
        self._numbers: dict[Listener, int] = {}

    def __len__(self) -> int:
        return len(self._unusual) + sum(len(table) for table in self._tables.values())

    def __iter__(self) -> Iterator[FourTuple]:
        """Yield the names."""
        for table in self._tables.values():
            for key, _ in table:
                yield self._packing.name(key)
        yield from self._unusual

    def __contains__(self, name: FourTuple) -> bool:
        return self.get(name) is not None

    def get(self, name: FourTuple) -> Pending | None:
        """Return the entry of a connection."""
        if self._unusual and name in self._unusual:
            return self._unusual[name]
        if not self._tables or (key := self._packing.key(name)) is None:
            return None
        size = len(key)
        for (octets, retransmits), table in self._tables.items():
            if octets == size and (value := table.get(key)) is not None:
                return self._unpacked(key, value, retransmits)
        return None

    def add(self, pending: Pending) -> None:
        """Take in an entry of a connection that has none."""
        request = pending.request
        key, value = self._packing.key(request.name), self._packed(pending)
        if key is None or value is None:
            self._unusual[request.name] = pending
            self._deadlines.set(request.name, request.deadline)
            return
        table = self._tables.get((len(key), request.retransmits))
        if table is None:
            table = self._tables[len(key), request.retransmits] = SlotTable(len(key), VALUE.size)
        table.put(key, value)

    def put_back(self, pending: Pending) -> None:
        """Put what became of an entry in its place; it moves behind the others if its deadline did."""
        request = pending.request
        key, value = self._packing.key(request.name), self._packed(pending)
        if key is not None and value is not None:
            table = self._tables.get((len(key), request.retransmits))
            before = None if table is None else table.get(key)
            if table is not None and before is not None and _deadline_of(before) == request.deadline:
                table.replace(key, value)
                return
        self.forget(request.name)
        self.add(pending)

    def forget(self, name: FourTuple) -> None:
        """Take an entry out."""
        if self._unusual.pop(name, None) is not None:
            self._deadlines.forget(name)
        key = self._packing.key(name)
        if key is not None:
            for (octets, _), table in self._tables.items():
                if octets == len(key) and table.live:
                    table.remove(key)

    def earliest(self) -> int | None:
        """Return when the next SYN,ACK is to be sent again, or given up."""
        earliest = self._deadlines.earliest()
        for table in self._tables.values():
            first = table.first() if table.live else None
            if first is not None and (earliest is None or _deadline_of(first[1]) < earliest):
                earliest = _deadline_of(first[1])
        return earliest

    def due(self, now: int) -> Pending | None:
        """Return an entry whose deadline is not after ``now``, to be put back with another or forgotten."""
        unusual = self._deadlines.pop(now)
        if unusual is not None:
            return self._unusual[unusual]
        for key, value, retransmits in self._firsts():
            if _deadline_of(value) <= now:
                return self._unpacked(key, value, retransmits)
        return None

    def of(self, listener: Listener) -> list[Pending]:
        """Return the entries of a listener."""
        return [each for name in self if (each := self.get(name)) is not None and each.listener is listener]

    def dismiss(self, listener: Listener) -> None:
        """A listener is closed, and its entries are forgotten."""
        number = self._numbers.pop(listener, None)
        if number is not None:
            self._listeners[number] = None

    def _firsts(self) -> Iterator[tuple[bytes, bytes, int]]:
        """Yield the oldest of each table."""
        for (_, retransmits), table in self._tables.items():
            first = table.first() if table.live else None
            if first is not None:
                yield *first, retransmits

    def _number(self, listener: Listener) -> int:
        number = self._numbers.get(listener)
        if number is None:
            number = self._listeners.index(None) if None in self._listeners else len(self._listeners)
            self._listeners[number : number + 1] = [listener]
            self._numbers[listener] = number
        return number

    def _packed(self, pending: Pending) -> bytes | None:
        request = pending.request
        if pending.displaced is not None or pending.signing is not None or request.ecn is not None:
            return None
        flags = self._packing.flags(request.name, request.terms, request.ts_offset)
        number = self._number(pending.listener)
        if flags is None or max(number, request.mss, request.terms.mss, request.wnd) > MOST:
            return None
        return VALUE.pack(
            request.deadline, request.began, request.answered_at, request.irs, request.iss, request.ts_recent,
            request.mss, request.terms.mss, request.wnd, number, flags | ACKNOWLEDGED * request.acknowledged,
        )  # fmt: skip

    def _unpacked(self, key: bytes, value: bytes, retransmits: int) -> Pending:
        deadline, began, answered_at, irs, iss, ts_recent, mss, their_mss, wnd, number, flags = VALUE.unpack(value)
        name, listener = self._packing.name(key), self._listeners[number]
        if listener is None:
            raise LookupError("the entry of a listener that is closed")
        request = Request(
            name, irs=irs, iss=iss, mss=mss, terms=terms_of(flags, their_mss), wnd=wnd,
            ts_offset=self._packing.ts_offset(name, flags), ts_recent=ts_recent, now=began, retransmits=retransmits,
        )  # fmt: skip
        request.deadline = deadline
        request.answered_at = answered_at
        request.acknowledged = bool(flags & ACKNOWLEDGED)
        return Pending(request, listener, None, None)


def _deadline_of(value: bytes) -> int:
    deadline: int = _DEADLINE.unpack_from(value)[0]
    return deadline
