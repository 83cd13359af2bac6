"""Hosts and a network in virtual time.  A seed replays a run exactly.

Nothing here waits: the world moves its clock to the next packet, deadline or planned
action, so an idle hour costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Protocol

from tulpen.host.host import Host
from tulpen.sim.chance import Chance
from tulpen.sim.clock import Action, Clock
from tulpen.sim.filters import Filter, clear
from tulpen.sim.network import Arrival, Interface, Network
from tulpen.sim.station import Endpoint, Station

if TYPE_CHECKING:
    from tulpen.sim.application import Application
    from tulpen.tcp.config import Settings
    from tulpen.wire.ip import Packet


BATCH: Final = 64  # packets that arrive together are taken in before any is answered; so many at most


class Tap(Protocol):
    """Somebody who listens in: is shown every packet where it leaves an interface and where it arrives."""

    def __call__(self, now: int, interface: Interface, outgoing: bool, packet: Packet) -> None:
        """See one packet."""


class Livelock(Exception):
    """Packets or deadlines without end while no time passes: an ACK storm, or a deadline never met."""


class _Plugged:
    __slots__ = ("due", "endpoint", "interface")

    def __init__(self, endpoint: Endpoint, interface: Interface) -> None:
        self.endpoint = endpoint
        self.interface = interface
        self.due: int | None = endpoint.next_deadline()


class World:
    """Endpoints, the network between them, and the clock they live by."""

    def __init__(self, seed: int | str = 0, *, start: int = 0, patience: int = 1_000_000) -> None:
        self.clock = Clock(start)
        self.network = Network()
        self.chance = Chance(seed)
        self.taps: list[Tap] = []
        self.patience = patience  # events in one instant before it is a Livelock
        self._plugged: dict[Interface, _Plugged] = {}
        self._instant = start
        self._events = 0

    @property
    def now(self) -> int:
        """The virtual time, in nanoseconds."""
        return self.clock.now

    @property
    def interfaces(self) -> tuple[Interface, ...]:
        """Every interface with an endpoint, in the order they were added."""
        return tuple(self._plugged)

    def add(
        self, name: str, endpoint: Endpoint, *addresses: bytes, out: Filter = clear, into: Filter = clear
    ) -> Interface:
        """Plug an endpoint into the network, behind a path each way."""
        interface = self.network.plug(Interface(name, addresses, out, into))
        self._plugged[interface] = _Plugged(endpoint, interface)
        return interface

    def station(
        self,
        name: str,
        *addresses: str,
        runs: Application,
        settings: Settings | None = None,
        mtu: int = 1500,
        gso_max: int = 0,
        trace: bool = False,
        encoded: bool = False,
        out: Filter = clear,
        into: Filter = clear,
    ) -> Station:
        """Add a host that runs an application; its secret is drawn from the seed."""
        secret = self.chance.split(f"secret of {name}").octets(16)
        host = Host(addresses, settings=settings, secret=secret, mtu=mtu, gso_max=gso_max, trace=trace)
        station = Station(host, runs, encoded=encoded)
        self.add(name, station, *host.addresses, out=out, into=into)
        return station

    def at(self, when: int, action: Action) -> None:
        """Plan ``action(now)``; every endpoint is asked afterwards what it wants to send."""
        self.clock.at(when, action)

    def poke(self) -> None:
        """Ask every endpoint what it wants to send: for whoever called a host from outside."""
        for plugged in self._plugged.values():
            self._settle(plugged)

    def next_deadline(self) -> int | None:
        """Return the time of the next thing to happen, which is not before now."""
        times = [plugged.due for plugged in self._plugged.values()]
        times += (self.clock.next(), self.network.next_deadline())
        known = [when for when in times if when is not None]
        return max(min(known), self.now) if known else None

    def step(self) -> bool:
        """Move to the next instant at which something happens and do it; False if nothing ever will."""
        when = self.next_deadline()
        if when is None:
            return False
        self._live(when)
        return True

    def _live(self, when: int) -> None:
        """Do what happens at ``when``, the next instant at which something does."""
        self._watch(when)
        self.clock.advance(when)
        while (due := self.clock.next()) is not None and due <= when:
            self.clock.step()
            self.poke()
        arrived = self.network.arrivals(when)
        for start in range(0, len(arrived), BATCH):
            self._deliver(arrived[start : start + BATCH])
        for plugged in self._plugged.values():
            if plugged.due is not None and plugged.due <= when:
                plugged.endpoint.timeout(when)
                self._settle(plugged)

    def run(self, until: int | None = None, *, unless: Callable[[], bool] | None = None) -> int:
        """Run to ``until``, or until nothing is left to happen, or ``unless()`` is true; return the time."""
        while unless is None or not unless():
            when = self.next_deadline()
            if when is None or (until is not None and when > until):
                if until is not None:
                    self.clock.advance(until)
                break
            self._live(when)
        return self.now

    def _deliver(self, batch: list[Arrival]) -> None:
        """Hand over what arrives together; only then everybody is asked what it answers, as behind a device."""
        reached: dict[Interface, _Plugged] = {}
        now = self.clock.now
        for interface, packet in batch:
            plugged = self._plugged.get(interface)
            if plugged is not None:
                reached[interface] = plugged
                if self.taps:
                    self._show(interface, packet, outgoing=False)
                plugged.endpoint.packet_arrives(packet, now)
        for plugged in reached.values():
            self._settle(plugged)

    def _settle(self, plugged: _Plugged) -> None:
        now, interface, send = self.clock.now, plugged.interface, self.network.send
        for packet in plugged.endpoint.packets_to_send(now):
            if self.taps:
                self._show(interface, packet, outgoing=True)
            send(interface, packet, now)
        plugged.due = plugged.endpoint.next_deadline()

    def _show(self, interface: Interface, packet: Packet, *, outgoing: bool) -> None:
        for tap in self.taps:
            tap(self.now, interface, outgoing, packet)

    def _watch(self, when: int) -> None:
        if when > self._instant:
            self._instant, self._events = when, 0
        self._events += 1
        if self._events > self.patience:
            busy = [p.interface.name for p in self._plugged.values() if p.due is not None and p.due <= when]
            raise Livelock(f"no end of events at {when} ns; due: {busy}, under way: {len(self.network)} packets")
