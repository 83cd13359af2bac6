"""A network: interfaces with a path each way, and the packets under way between them.

Sans-I/O like the engine: ``send`` takes a packet with ``now``, ``arrivals`` gives those
that have come through, ``next_deadline`` says when to ask again.  Virtual time and a
real clock drive it alike.
"""

from __future__ import annotations

from collections.abc import Iterable
from heapq import heappop, heappush
from typing import NamedTuple

from tulpen.sim.filters import Filter, clear
from tulpen.sim.rewrite import on_the_wire
from tulpen.wire.ip import Packet


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


class Arrival(NamedTuple):
    """A packet that has reached the interface it was routed to."""

    interface: Interface
    packet: Packet


class Network:
    """Routes packets between interfaces by destination address; one that nobody has is lost."""

    def __init__(self) -> None:
        self.unroutable = 0
        self._routes: dict[bytes, Interface] = {}
        self._heap: list[tuple[int, int, Interface, Packet]] = []
        self._entered = 0

    def plug(self, interface: Interface) -> Interface:
        """Add an interface; its addresses must be free."""
        for address in interface.addresses:
            if address in self._routes:
                raise ValueError(f"{self._routes[address].name} already has this address")
            self._routes[address] = interface
        return interface

    def send(self, interface: Interface, packet: Packet, now: int) -> None:
        """Take a packet that leaves through ``interface``."""
        for piece in on_the_wire(packet):
            for waited, passed in interface.out(piece, now):
                self._route(passed, now + waited)

    def _route(self, packet: Packet, when: int) -> None:
        target = self._routes.get(packet.dst)
        if target is None:
            self.unroutable += 1
            return
        for waited, passed in target.into(packet, when):
            if passed.dst in target.addresses:
                self._entered += 1
                heappush(self._heap, (when + waited, self._entered, target, passed))
            else:  # translated, or turned back
                self._route(passed, when + waited)

    def arrivals(self, now: int) -> list[Arrival]:
        """Return the packets that have arrived by ``now``, in the order of their arrival."""
        arrived = []
        while self._heap and self._heap[0][0] <= now:
            _, _, interface, packet = heappop(self._heap)
            arrived.append(Arrival(interface, packet))
        return arrived

    def next_deadline(self) -> int | None:
        """Return when the next packet arrives."""
        return self._heap[0][0] if self._heap else None

    def __len__(self) -> int:
        """The packets under way."""
        return len(self._heap)
