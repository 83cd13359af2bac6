"""One fault, one private network, one victim: from the making of the network to the result."""

from __future__ import annotations

import hashlib
import os
import select
import sys
import time
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, cast

from tulpen.breaker.drive import Drive
from tulpen.breaker.observer import Observer
from tulpen.breaker.relay import Relay
from tulpen.breaker.report import Connection, Result
from tulpen.breaker.words import last_words
from tulpen.faults.fault import Scene
from tulpen.faults.http import Http
from tulpen.faults.server import Server
from tulpen.host.host import Host
from tulpen.kernel.sock_diag import SockDiag
from tulpen.link.command import Output
from tulpen.link.namespace import OUTSIDE, PrivateNetwork
from tulpen.link.tee import PcapngWriter, Tee
from tulpen.sim.chance import Chance
from tulpen.sim.filters import Chain, clear
from tulpen.sim.station import Station
from tulpen.tcp.config import Settings
from tulpen.tcp.state import CLOSED, TIME_WAIT
from tulpen.wire.address import address

if TYPE_CHECKING:
    from tulpen.breaker.plan import Plan
    from tulpen.faults.catalogue import Choice
    from tulpen.faults.http import Page
    from tulpen.faults.service import Service
    from tulpen.link.command import Command
    from tulpen.tcp.trace import FourTuple, Record

SECOND: Final = 1_000_000_000
ORDERLY: Final = int(1.7 * SECOND)  # for both ends to finish after the victim has: tulpen's 2 MSL and some
KILLED: Final = int(0.2 * SECOND)
LOOK: Final = SECOND // 50  # how often it is asked whether they have
TWO_MSL: Final = 1  # seconds: short, so that CLOSED is seen
LADDERS: Final = 8  # connections of one run that are drawn up

_OCCUPY: Final = """
import socket, sys
for _ in range(int(sys.argv[3])):
    with socket.create_connection((sys.argv[1], int(sys.argv[2]))) as s:
        s.shutdown(socket.SHUT_WR)
        s.recv(1)
"""


class Phase(Enum):
    """How far a trial has come."""

    PREPARING = "preparing"
    RUNNING = "running"
    LINGERING = "lingering"
    DONE = "done"


class Trial:
    """A victim under one fault.  Never waits: ``turn`` it when a descriptor is ready or the deadline comes."""

    def __init__(
        self,
        plan: Plan,
        choice: Choice,
        folder: Path,
        label: str = "",
        page: Page | None = None,
        *,
        whole: bool = False,
    ) -> None:
        self.plan = plan
        self.choice = choice
        self.phase = Phase.PREPARING
        self.label = label
        self._whole = whole  # it goes on until tulpen's TIME-WAIT has passed too
        self._page = page if page is not None else plan.page
        name = (label or choice.spelling).replace(":", "-").replace(",", "-").replace("=", "")
        self.pcap = folder / f"{name}.pcapng"
        self.result = Result(choice)
        self._out = folder / f"{name}.out"
        self._network = PrivateNetwork(device=cast("Literal['auto', 'tun', 'veth']", plan.device))
        try:
            self._build()
        except BaseException:
            self._network.close()
            raise

    def _build(self) -> None:
        plan, choice, network = self.plan, self.choice, self._network
        scene = Scene(Chance(plan.seed).split(choice.spelling), address(plan.host))
        self._stage = choice.fault.stage(choice.values, scene)
        self._relays: list[Relay] = []
        self._server = Server(plan.port, self._stage, self._service)
        settings = Settings(tcp_timewait_len=TWO_MSL)
        for name, value in self._stage.settings.items():
            setattr(settings, name, value)
        secret = scene.chance.split("secret").octets(16)
        self._host = Host(OUTSIDE, settings=settings, secret=secret, mtu=network.link.mtu, trace=True)
        self._diag = SockDiag(network.sock_diag())
        self._observer = Observer(self._diag.state)
        comment = f"tulpen break: {choice.spelling}: {choice.fault.says(choice.values)}"
        self._tee = Tee(network.link, PcapngWriter(self.pcap, comment=comment))
        network_path = self._stage.network
        path = self._server.gate if network_path is clear else Chain(network_path, self._server.gate)
        self._drive = Drive(self._tee, path, witness=self._observer)
        self._drive.add(Station(self._host, self._server), *(address(each) for each in OUTSIDE))
        self._until = 0
        self._records: list[tuple[FourTuple | None, Record]] | None = None  # as they were when it hung
        self._drive.turn()  # the server listens before the victim starts
        self._command = self._prepare()

    def _service(self) -> Service:
        if self.plan.upstream is None:
            return Http(self._page, self._stage.framing or self.plan.framing)
        relay = Relay(*self.plan.upstream)
        self._relays.append(relay)
        return relay

    @property
    def device(self) -> str:
        """What the network stands on."""
        return self._network.device

    @property
    def done(self) -> bool:
        """Whether the result is complete."""
        return self.phase is Phase.DONE

    def polls(self) -> list[tuple[int, int]]:
        """Return the descriptors to wait for, and what for."""
        wanted = [(self._drive.fileno(), select.POLLIN)]
        if self._command.status is None:
            wanted.append((self._command.fileno(), select.POLLIN))
        self._relays = [relay for relay in self._relays if relay.fileno() >= 0]
        wanted += [(relay.fileno(), events) for relay in self._relays if (events := relay.events())]
        return wanted

    def deadline(self) -> int:
        """Return when the next turn is due, on the monotonic clock."""
        times = [now for now in (self._drive.deadline(),) if now is not None]
        left = self._command.remaining() if self._command.status is None else None
        if left is not None:
            times.append(time.monotonic_ns() + int(left * SECOND))
        if self.phase is Phase.LINGERING:
            times.append(min(self._until, time.monotonic_ns() + LOOK))
        return min(times, default=time.monotonic_ns() + SECOND)

    def turn(self) -> None:
        """Do what is to be done now."""
        now = time.monotonic_ns()
        for relay in self._relays:
            relay.ready(now)
        if self._relays:
            self._server.poke(now)
        self._drive.turn()
        if self.phase is Phase.PREPARING:
            if self._command.poll() is not None:
                self._prepared()
        elif self.phase is Phase.RUNNING:
            if self._command.remaining() == 0.0:
                self._stuck()
            if self._command.poll() is not None:
                self._ended()
        elif self.phase is Phase.LINGERING and (now >= self._until or self._settled()):
            self._finish()

    def close(self) -> None:
        """End everything that runs, and the network."""
        for relay in self._relays:
            relay.closed()
        self._diag.close()
        self._tee.close()
        self._network.close()
        self._out.unlink(missing_ok=True)

    # The phases in turn.

    def _prepare(self) -> Command:
        victim = self._stage.victim
        for name, value in victim.sysctls.items():
            self._network.set_sysctl(name, value)
        if not victim.time_waits:
            return self._begin()
        target = (self.plan.host, str(self.plan.port), str(victim.time_waits))
        return self._network.start([sys.executable, "-I", "-S", "-c", _OCCUPY, *target], deadline=self.plan.deadline)

    def _prepared(self) -> None:
        lingering = sum(each.state is TIME_WAIT for each in self._diag.sockets(info=False))
        wanted = self._stage.victim.time_waits
        if lingering >= wanted:
            self._stage.tally.mark()
        else:
            self.result.notes.append(f"only {lingering} of {wanted} ports could be put in TIME-WAIT")
        self._observer.ignore()
        self._host_forget()
        self._command = self._begin()

    def _host_forget(self) -> None:
        if self._host.stack.records is not None:
            self._host.stack.records.clear()

    def _begin(self) -> Command:
        self.phase = Phase.RUNNING
        out = str(self._out)
        environment = self.plan.environment(os.environ, out, self.choice)
        return self._network.start(self.plan.argv(out), deadline=self.plan.deadline, env=environment)

    def _stuck(self) -> None:
        """It hangs: what both ends do from now on comes of its being killed."""
        self._observer.freeze(time.monotonic_ns())
        self._records = list(self._host.stack.records or ())

    def _ended(self) -> None:
        finished = self._command.wait()
        result = self.result
        result.status = None if finished.timed_out else finished.status
        result.seconds = finished.seconds
        result.stdout = finished.stdout
        result.stderr = finished.stderr
        if finished.status != 0 or finished.timed_out:
            result.last_words = last_words(finished.stderr.text) or last_words(finished.stdout.text)
        if self.plan.uses_out:
            result.written = _written(self._out)
        self.phase = Phase.LINGERING
        self._until = time.monotonic_ns() + (KILLED if finished.timed_out else ORDERLY)

    def _settled(self) -> bool:
        """Both ends have come to CLOSED or TIME-WAIT."""
        if any(self._host.sockets()) or (self._whole and len(self._host.time_wait)):
            return False
        return all(seen.readings and seen.readings[-1][1] in (CLOSED, TIME_WAIT) for seen in self._observer.connections)

    def _finish(self) -> None:
        self.phase = Phase.DONE
        self._observer.freeze(time.monotonic_ns())
        self._observer.take(self._host.stack.records or () if self._records is None else self._records)
        self.result.met = self._stage.tally.met
        self.result.pcap = self.pcap
        seen = self._observer.connections
        for each in seen[:LADDERS]:
            ladder = each.ladder(f"{self.plan.program} (Linux)", "tulpen")
            self.result.connections.append(Connection(each.title, ladder))
        if len(seen) > LADDERS:
            self.result.notes.append(f"{len(seen)} connections, of which the first {LADDERS} are shown")


def _written(path: Path) -> Output:
    data = path.read_bytes() if path.exists() else b""
    return Output(data[:0], len(data), hashlib.sha256(data).hexdigest())
