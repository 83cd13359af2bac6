"""Where an incident happens: machines, the paths between them, and how time passes there.

One world serves the three backends (``sim/world.py``): the same routes, the same filters.
``sim`` is virtual time; ``stack`` the same hosts in real time, every packet as octets; on
``kernel`` the machines are Linux's, each in a private network, and what they send comes
through here.  An incident never waits by itself: it lets the ground run.
"""

from __future__ import annotations

import select
import time
from collections.abc import Callable, Mapping
from enum import Enum
from math import inf
from typing import TYPE_CHECKING, Final, final

from tulpen.lab.linux import LinuxMachine
from tulpen.lab.observer import Observer
from tulpen.lab.tulpens import TulpenMachine
from tulpen.sim.capture import Capture
from tulpen.sim.filters import Chain, Filter
from tulpen.sim.network import Interface
from tulpen.sim.world import World
from tulpen.wire.address import address as octets_of

if TYPE_CHECKING:
    from pathlib import Path

    from tulpen.lab.machine import Machine, Value
    from tulpen.show.ladder import Ladder
    from tulpen.wire.ip import Packet

SECOND: Final = 1_000_000_000
MILLISECOND: Final = 1_000_000
LOOK: Final = 2 * MILLISECOND  # how often real time is interrupted to ask a condition


class Backend(Enum):
    """What an incident is run on."""

    SIM = "sim"
    STACK = "stack"
    KERNEL = "kernel"

    @property
    def words(self) -> str:
        """Say it in a table's heading."""
        return {"sim": "tulpen, virtual time", "stack": "tulpen, real time", "kernel": "Linux"}[self.value]


@final
class Ground:
    """The machines of one run; a context manager."""

    def __init__(
        self,
        backend: Backend,
        seed: int | str = 0,
        *,
        watch: bool = True,
        settings: Mapping[str, Value] | None = None,
        pcap: Path | None = None,
        patience: float = inf,
    ) -> None:
        """Make an empty ground.

        ``watch``: keep what ladders are drawn from.  ``settings``: sysctls of every machine, over
        its own.  ``pcap``: a file for what the first machine sends and receives.  ``patience``:
        seconds after which ``until`` gives up in real time, whatever it is told.
        """
        self.backend = backend
        self._wished = dict(settings or {})
        self._pcap = pcap
        self._patience = patience
        self._capture: Capture | None = None
        self.world = World(seed)
        self.machines: list[Machine] = []
        self.observer = Observer(self.machines) if watch else None
        self._outside = Interface("outside", ())
        self._linux: list[LinuxMachine] = []
        self._poll = select.poll()
        self._polled: dict[int, LinuxMachine] = {}
        self._start = time.monotonic_ns()

    @property
    def virtual(self) -> bool:
        """Whether waiting costs nothing."""
        return self.backend is Backend.SIM

    @property
    def seconds(self) -> float:
        """Seconds since the beginning."""
        return self.world.now / SECOND

    @property
    def now(self) -> int:
        """Nanoseconds since the beginning."""
        return self.world.now

    def machine(
        self, name: str, address: str, *, out: Filter | None = None, mtu: int = 1500, secret: bytes | None = None,
        **settings: Value,
    ) -> Machine:  # fmt: skip
        """Add a machine at ``address``, whose packets leave by the path ``out``.

        ``secret``: of a tulpen machine, not drawn by lot.
        """
        machine: LinuxMachine | TulpenMachine
        if self.backend is Backend.KERNEL:
            machine = LinuxMachine(name, address, mtu=mtu, stamp=None if self.observer is None else self.observer.stamp)
            self._linux.append(machine)
        else:
            trace = self.observer is not None
            encoded = self.backend is not Backend.SIM
            machine = TulpenMachine(self.world, name, address, mtu=mtu, trace=trace, encoded=encoded, secret=secret)
        self.machines.append(machine)
        machine.set(**{**settings, **self._wished})
        leaving = Chain(out) if out is not None else Chain()
        endpoint = machine if isinstance(machine, LinuxMachine) else machine.station
        interface = self.world.add(name, endpoint, octets_of(address), out=leaving)
        if self.observer is not None:
            interface.out = self.observer.path(leaving)
        if self._pcap is not None and self._capture is None:
            self._capture = Capture(interface, self._pcap, epoch=0 if self.virtual else time.time_ns())
            self.world.taps.append(self._capture)
        self.world.poke()
        return machine

    def box(self, name: str, address: str, into: Filter) -> None:
        """Add an address that no machine has: what is sent to it passes ``into``, which may lead it on (a NAT)."""
        self.world.network.plug(Interface(name, [octets_of(address)], into=into))

    def inject(self, packet: Packet) -> None:
        """Let a packet in from nowhere, as a forger or an old duplicate would."""
        if self.observer is not None:
            self.observer.forged(packet, self.now)
        self.world.network.send(self._outside, packet, self.now)

    def run(self, seconds: float) -> None:
        """Let time pass."""
        end = self.world.now + round(seconds * SECOND)
        if self.virtual:
            self.world.run(end)
        else:
            self._pass(lambda: False, end)

    def until(self, true: Callable[[], bool], seconds: float) -> bool:
        """Let time pass until a condition holds; False if it did not within ``seconds``."""
        if self.virtual:
            self.world.run(self.world.now + round(seconds * SECOND), unless=true)
            return true()
        return self._pass(true, self.world.now + round(min(seconds, self._patience) * SECOND))

    def _pass(self, true: Callable[[], bool], end: int) -> bool:
        while True:
            self._turn()
            if true():
                return True
            if self.world.now >= end:
                return False
            self._wait(end)

    def ladder(self, number: int = 0, title: str = "") -> Ladder:
        """Draw the connection that was the ``number``-th to begin."""
        if self.observer is None:
            raise ValueError("nobody watched this ground")
        self.observer.look(self.now)
        return self.observer.ladder(self.observer.connections[number], title)

    def close(self) -> None:
        """End all machines."""
        if self._capture is not None:
            self._capture.close()
        for machine in self.machines:
            machine.close()
        self.machines.clear()

    def __enter__(self) -> Ground:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _turn(self) -> None:
        """Do what is due by now."""
        world = self.world
        world.run(max(time.monotonic_ns() - self._start, world.now))
        world.poke()

    def _wait(self, end: int) -> None:
        """Sleep until a packet comes from a kernel, something is due, or it is time to look again."""
        due = self.world.next_deadline()
        now = time.monotonic_ns() - self._start
        until = min(end, now + LOOK, *(() if due is None else (due,)))
        links = [machine.fileno() for machine in self._linux]
        if links != list(self._polled):
            for fd in self._polled:
                self._poll.unregister(fd)
            self._polled = dict(zip(links, self._linux, strict=True))
            for fd in links:
                self._poll.register(fd, select.POLLIN)
        self._poll.poll(max(0.0, (until - now) / MILLISECOND))
