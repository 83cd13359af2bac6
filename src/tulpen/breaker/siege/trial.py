"""One server under one kind of bad client: started, measured, besieged, measured again, counted."""

from __future__ import annotations

import os
import select
import time
from collections import Counter
from enum import Enum
from itertools import pairwise
from typing import TYPE_CHECKING, Final, Literal, cast

from tulpen.breaker.drive import Drive
from tulpen.breaker.siege.owners import owners
from tulpen.breaker.siege.report import Leak, Service, SiegeResult, judge
from tulpen.breaker.words import last_words
from tulpen.faults.asker import Asked, Asker
from tulpen.faults.bad_client import Target
from tulpen.faults.gate import Gate
from tulpen.host.host import Host
from tulpen.kernel.sock_diag import SockDiag
from tulpen.link.namespace import OUTSIDE, PrivateNetwork
from tulpen.link.tee import PcapngWriter, Tee
from tulpen.sim.chance import Chance
from tulpen.sim.station import Station
from tulpen.tcp.config import Settings
from tulpen.tcp.state import CLOSE_WAIT, LISTEN
from tulpen.tcp.trace import FourTuple
from tulpen.wire.address import address

if TYPE_CHECKING:
    from pathlib import Path

    from tulpen.breaker.siege.plan import SiegePlan
    from tulpen.faults.clients.catalogue import ClientChoice
    from tulpen.link.command import Command

SECOND: Final = 1_000_000_000
LOOK: Final = SECOND // 50  # how often it is asked whether the server listens
CALM: Final = int(0.8 * SECOND)  # how long the healthy client is alone, before and after
SETTLE: Final = SECOND  # for the server to close what its clients have closed
PAUSE: Final = SECOND // 25  # between two healthy requests
BAD_HOME: Final = ("192.0.2.66", "2001:db8::66")


class Phase(Enum):
    """How far a siege has come."""

    STARTING = "starting"
    BEFORE = "before"
    DURING = "during"
    AFTER = "after"
    SETTLING = "settling"
    DONE = "done"


class SiegeTrial:
    """A server under one kind of bad client.  Never waits."""

    def __init__(self, plan: SiegePlan, choice: ClientChoice, folder: Path) -> None:
        self.plan = plan
        self.choice = choice
        self.phase = Phase.STARTING
        self.listened = False
        name = choice.spelling.replace(":", "-").replace(",", "-").replace("=", "")
        self.pcap = folder / f"{name}.pcapng"
        self.result = SiegeResult(choice)
        self._network = PrivateNetwork(device=cast("Literal['auto', 'tun', 'veth']", plan.device))
        try:
            self._build()
        except BaseException:
            self._network.close()
            raise

    def _build(self) -> None:
        plan, network = self.plan, self._network
        chance = Chance(plan.seed).split(self.choice.spelling)
        gate = Gate()
        self._diag = SockDiag(network.sock_diag())
        self._tee = Tee(network.link, PcapngWriter(self.pcap, comment=f"tulpen break --server: {self.choice.spelling}"))
        self._drive = Drive(self._tee, gate)
        self._here = address(OUTSIDE[plan.family == 6])
        server = address(plan.host)
        host = Host(
            [self._here],
            settings=Settings(tcp_timewait_len=1),
            secret=chance.split("healthy").octets(16),
            mtu=network.link.mtu,
        )
        self._asker = Asker(
            server, plan.port, plan.question, times=0, pause=PAUSE, patience=int(plan.patience * SECOND)
        )  # fmt: skip
        self._station = Station(host, self._asker)
        home = address(BAD_HOME[plan.family == 6])
        self._target = Target(server, plan.port, plan.bad_question, home, gate, chance)
        self._visit = self.choice.client.recipe(self.choice.values, self._target)
        self._command: Command = network.start(plan.argv(), env=plan.environment(os.environ))
        self._began = time.monotonic_ns()
        self._until = self._began + int(plan.deadline * SECOND)
        self._marks: list[int] = []  # when each phase began

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
        return wanted

    def deadline(self) -> int:
        """Return when the next turn is due, on the monotonic clock."""
        times = [self._until]
        if self.phase is Phase.STARTING:
            times.append(time.monotonic_ns() + LOOK)
        due = self._drive.deadline()
        return min([*times, due] if due is not None else times)

    def turn(self) -> None:
        """Do what is to be done now."""
        self._drive.turn()
        now = time.monotonic_ns()
        if self._command.poll() is not None and not self.done:
            self._ended(now)
        elif self.phase is Phase.STARTING:
            self._look(now)
        elif now >= self._until:
            self._next_phase(now)

    def close(self) -> None:
        """End everything that runs, and the network."""
        self._diag.close()
        self._tee.close()
        self._network.close()

    # The phases in turn.

    def _look(self, now: int) -> None:
        """Begin as soon as the server listens."""
        if self._diag.state(FourTuple(self._target.address, self.plan.port, self._here, 0)) is LISTEN:
            self.listened = True
            self._drive.add(self._station, self._here)
            self._enter(Phase.BEFORE, now + CALM, now)
        elif now >= self._until:
            self.result.says = self._why_not()
            self._finish(now)

    def _why_not(self) -> str:
        """Say where the server listens instead."""
        sockets = self._diag.sockets(info=False)
        ports = sorted({each.name.local_port for each in sockets if each.state is LISTEN})
        if self.plan.port in ports:
            return f"it listens on port {self.plan.port} of another address than {self.plan.host}"
        return f"it listens on port {', '.join(map(str, ports))}" if ports else "it listens nowhere"

    def _next_phase(self, now: int) -> None:
        if self.phase is Phase.BEFORE:
            if self._visit is not None:
                self._drive.add(self._visit, *self._visit.addresses)
            self._enter(Phase.DURING, now + int(self.plan.seconds * SECOND), now)
        elif self.phase is Phase.DURING:
            if self._visit is not None:
                self._visit.leave(now)
            self._enter(Phase.AFTER, now + CALM + int(self.plan.patience * SECOND) * self._waits(), now)
        elif self.phase is Phase.AFTER:
            self._asker.stop(now)
            self._enter(Phase.SETTLING, now + SETTLE, now)
        else:
            self._finish(now)

    def _waits(self) -> bool:
        """Whether a question is open that may take all of its patience."""
        return bool(self._asker.asked) and self._asker.asked[-1].gave_up

    def _enter(self, phase: Phase, until: int, now: int) -> None:
        self.phase = phase
        self._until = until
        self._marks.append(now)

    def _ended(self, now: int) -> None:
        """The server has ended by itself, which no server should."""
        finished = self._command.wait()
        self.result.status = finished.status
        self.result.stderr = finished.stderr
        self.result.last_words = last_words(finished.stderr.text) or last_words(finished.stdout.text)
        self._finish(now)

    def _finish(self, now: int) -> None:
        self.phase = Phase.DONE
        result = self.result
        result.seconds = (now - self._began) / SECOND
        result.opened = self._visit.opened if self._visit is not None else 0
        result.pcap = self.pcap
        if not self.listened:
            return
        self._count()
        self._sum_up(now)
        result.outcome, result.says = judge(result)

    def _count(self) -> None:
        """Count the sockets that are left, and name those who have not closed theirs."""
        sockets = [each for each in self._diag.sockets(info=False) if each.state is not LISTEN]
        sockets = [each for each in sockets if each.name.local_port == self.plan.port]
        states = Counter(each.state for each in sockets)
        self.result.left = {state.title: states[state] for state in sorted(states)}
        waiting = [each for each in sockets if each.state is CLOSE_WAIT]
        if waiting and self.result.status is None:
            whose = owners(self._network.pid)
            names = Counter(whose.get(each.inode, "its kernel: not accepted yet") for each in waiting)
            self.result.leaks = [Leak(count, owner) for owner, count in names.most_common()]

    def _sum_up(self, now: int) -> None:
        asked = self._asker.asked
        marks = [*self._marks, *[now] * 4][:4]
        digest = next((each.digest for each in asked if each.whole), "") if self._stable(asked, marks[1]) else ""
        self.result.before, self.result.during, self.result.after = (
            Service.of([each for each in asked if start <= each.began < end], digest) for start, end in pairwise(marks)
        )

    @staticmethod
    def _stable(asked: list[Asked], until: int) -> bool:
        """Whether the server says the same each time while nothing is wrong."""
        return len({each.digest for each in asked if each.whole and each.began < until}) == 1
