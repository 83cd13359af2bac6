"""A network: interfaces with a path each way, and the packets under way between them.

Sans-I/O like the engine: ``send`` takes a packet with ``now``, ``arrivals`` gives those
that have come through, ``next_deadline`` says when to ask again.  Virtual time and a
real clock drive it alike.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from heapq import heappop, heappush

from tulpen.sim.filters import Filter, clear
from tulpen.sim.rewrite import on_the_wire
from tulpen.wire.ip import Packet
from tulpen.wire.segment import Segment


class Interface:
    """Where a host is plugged in: ``out`` is the path from it, ``into`` the path to it."""

    __slots__ = ("addresses", "into", "name", "out")

    def __init__(self, name: str, addresses: Iterable[bytes], out: Filter = clear, into: Filter = clear) -> None:
        self.name = name
        self.addresses = tuple(addresses)
        self.out = out
        self.into = into

    def __repr__(self) -> str:
        return f"<Interface {self.name}>"


Arrival = tuple[Interface, Packet]  # a packet that has reached the interface it was routed to


class Network:
    """Routes packets between interfaces by destination address; one that nobody has is lost."""

    def __init__(self) -> None:
        self.unroutable = 0
        self._routes: dict[bytes, Interface] = {}
        # under way, by the time of arrival: most come in the order in which they were sent, the heap has the others
        self._in_order: deque[tuple[int, int, Interface, Packet]] = deque()
        self._heap: list[tuple[int, int, Interface, Packet]] = []
        self._entered = 0
        self._last = 0  # when the last of those in order arrives

    def plug(self, interface: Interface) -> Interface:
        """Add an interface; its addresses must be free."""
        for address in interface.addresses:
            if address in self._routes:
                raise ValueError(f"{self._routes[address].name} already has this address")
            self._routes[address] = interface
        return interface

    def send(self, interface: Interface, packet: Packet, now: int) -> None:
        """Take a packet that leaves through ``interface``."""
        payload = packet.payload
        whole = not isinstance(payload, Segment) or not payload.gso_size
        for piece in (packet,) if whole else on_the_wire(packet):
            for waited, passed in interface.out(piece, now):
                self._route(passed, now + waited)

    def _route(self, packet: Packet, when: int) -> None:
        target = self._routes.get(packet.dst)
        if target is None:
            self.unroutable += 1
            return
        if target.into is clear:
            self._enter(when, target, packet)
            return
        for waited, passed in target.into(packet, when):
            if passed.dst in target.addresses:
                self._enter(when + waited, target, passed)
            else:  # translated, or turned back
                self._route(passed, when + waited)

    def _enter(self, when: int, target: Interface, packet: Packet) -> None:
        self._entered += 1
        if when >= self._last:
            self._last = when
            self._in_order.append((when, self._entered, target, packet))
        else:
            heappush(self._heap, (when, self._entered, target, packet))

    def arrivals(self, now: int) -> list[Arrival]:
        """Return the packets that have arrived by ``now``, in the order of their arrival."""
        arrived: list[Arrival] = []
        in_order, heap = self._in_order, self._heap
        while in_order and in_order[0][0] <= now:
            while heap and heap[0] < in_order[0]:
                arrived.append(heappop(heap)[2:])
            arrived.append(in_order.popleft()[2:])
        while heap and heap[0][0] <= now:
            arrived.append(heappop(heap)[2:])
        return arrived

    def next_deadline(self) -> int | None:
        """Return when the next packet arrives."""
        in_order, heap = self._in_order, self._heap
        if in_order and heap:
            return min(in_order[0][0], heap[0][0])
        first = in_order or heap
        return first[0][0] if first else None

    def __len__(self) -> int:
        """The packets under way."""
        return len(self._in_order) + len(self._heap)
