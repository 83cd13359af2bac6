"""Hosts on a link, in real time: packets in, deadlines, packets out, with a path between host and link.

``Drive`` does one turn at a time and never waits, so that one loop can turn many;
``run`` is that loop for one alone.
"""

from __future__ import annotations

import select
import time
from collections.abc import Callable
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Final, Protocol

from tulpen.sim.filters import Filter, Passed, clear
from tulpen.sim.rewrite import on_the_wire
from tulpen.wire.ip import Offload, Packet, packet_parts, parse_packet
from tulpen.wire.malformed import Malformed

if TYPE_CHECKING:
    from tulpen.link.link import Link
    from tulpen.sim.station import Endpoint

MILLISECOND: Final = 1_000_000
ROUNDS: Final = 8  # of packets and answers in one turn, so that a storm starves nobody


class Witness(Protocol):
    """Somebody who sees each packet twice: where it sets out, and where it arrives."""

    def departs(self, packet: Packet, passed: Passed, incoming: bool, now: int) -> None:
        """One end has sent ``packet``; ``passed`` is what comes of it on its way."""

    def arrives(self, packet: Packet, incoming: bool, now: int) -> None:
        """One end has taken ``packet`` in."""


class Drive:
    """Endpoints on a link.  What they send to others goes out on it; what comes in for nobody is lost."""

    def __init__(
        self,
        link: Link,
        path: Filter = clear,
        *,
        witness: Witness | None = None,
        clock: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self.link = link
        self.path = path
        self.witness = witness
        self.clock = clock
        self.malformed = 0  # packets from the link that could not be read
        self._endpoints: list[Endpoint] = []
        self._by_address: dict[bytes, Endpoint] = {}
        self._late: list[tuple[int, int, Packet, bool]] = []  # packets that the path delays
        self._entered = 0

    def add(self, endpoint: Endpoint, *addresses: bytes) -> None:
        """Put an endpoint on the link under its addresses."""
        self._endpoints.append(endpoint)
        for address in addresses:
            self._by_address[address] = endpoint

    def fileno(self) -> int:
        """Return the link's descriptor."""
        return self.link.fileno()

    def deadline(self) -> int | None:
        """Return when the next turn is due, if no packet comes before."""
        times = [self._late[0][0]] if self._late else []
        times += [when for each in self._endpoints if (when := each.next_deadline()) is not None]
        return min(times, default=None)

    def turn(self) -> None:
        """Take what has arrived, do what is due, send what is to be sent; return at once."""
        for _ in range(ROUNDS):
            now = self.clock()
            arrivals = self.link.read()
            for buffer, offload in arrivals:
                self._from_link(buffer, offload, now)
            now = self.clock()
            late = self._deliver_late(now)
            for endpoint in self._endpoints:
                due = endpoint.next_deadline()
                if due is not None and due <= now:
                    endpoint.timeout(now)
            sent = self._collect(self.clock())
            if not (arrivals or late or sent):
                return

    def run(self, until: Callable[[], bool], deadline: int | None = None) -> bool:
        """Turn until ``until()`` is true; False if ``deadline`` (on the clock) came first."""
        poll = select.poll()
        poll.register(self.link.fileno(), select.POLLIN)
        while True:
            self.turn()
            if until():
                return True
            now = self.clock()
            if deadline is not None and now >= deadline:
                return False
            times = [when for when in (deadline, self.deadline()) if when is not None]
            poll.poll(max(0.0, (min(times) - now) / MILLISECOND) if times else None)

    def _from_link(self, buffer: bytes | memoryview, offload: Offload | None, now: int) -> None:
        try:
            packet = parse_packet(buffer, offload=offload)
        except Malformed:
            self.malformed += 1
            return
        pieces = on_the_wire(packet) if self.path is not clear else [packet]
        for piece in pieces:
            self._pass(piece, True, now)

    def _collect(self, now: int) -> bool:
        """Send what the endpoints have to send."""
        sent = False
        for endpoint in self._endpoints:
            for packet in endpoint.packets_to_send(now):
                sent = True
                whole = self.path is clear and self.link.offload
                for piece in [packet] if whole else on_the_wire(packet):
                    self._pass(piece, False, now)
        return sent

    def _pass(self, packet: Packet, incoming: bool, now: int) -> None:
        passed = self.path(packet, now)
        if self.witness is not None:
            self.witness.departs(packet, passed, incoming, now)
        for delay, out in passed:
            if delay > 0:
                self._entered += 1
                heappush(self._late, (now + delay, self._entered, out, incoming and out.dst != packet.src))
            else:
                self._deliver(out, incoming and out.dst != packet.src, now)

    def _deliver_late(self, now: int) -> bool:
        delivered = False
        while self._late and self._late[0][0] <= now:
            delivered = True
            _, _, packet, inward = heappop(self._late)
            self._deliver(packet, inward, now)
        return delivered

    def _deliver(self, packet: Packet, inward: bool, now: int) -> None:
        endpoint = self._by_address.get(packet.dst)
        if endpoint is not None:
            endpoint.packet_arrives(packet, now)
        elif not inward:
            self._to_link(packet)
        if self.witness is not None:
            self.witness.arrives(packet, inward, now)

    def _to_link(self, packet: Packet) -> None:
        gso_size = getattr(packet.payload, "gso_size", 0) if self.link.offload else 0
        head, text = packet_parts(packet, checksum=not gso_size)
        self.link.write(head, Offload(True, gso_size) if gso_size else None, text)
