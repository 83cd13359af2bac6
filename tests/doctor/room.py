"""A private network as the doctor's place, and the programs inside that do something wrong."""

from __future__ import annotations

import sys
import time
from contextlib import AbstractContextManager, closing, nullcontext
from pathlib import Path
from typing import final

from tests.doctor.far import wait_for
from tulpen.doctor.examine import examine
from tulpen.doctor.finding import Finding
from tulpen.doctor.limits import Limits
from tulpen.kernel.attributes import Kind
from tulpen.kernel.dump import EVERY_STATE, Dump
from tulpen.kernel.sock_diag import KernelSocket
from tulpen.link.command import Command
from tulpen.link.namespace import PrivateNetwork
from tulpen.tcp.state import State

SOON = Limits(close_wait=0.5, stuck=1.0, alike_idle=0.3, unread=0.5)


@final
class Room:
    """What the doctor needs of a namespace, asked of the private network's keeper."""

    name = "room"

    def __init__(self, network: PrivateNetwork) -> None:
        self.network = network

    def visit(self) -> AbstractContextManager[None]:
        return nullcontext()

    def inode(self) -> int:
        return Path(f"/proc/{self.network.pid}/ns/net").stat().st_ino

    def read(self, path: str) -> str:
        return self.network.read_file(f"/proc/{path}")

    def dump(self) -> Dump:
        return Dump(self.network.sock_diag())

    def sockets(self) -> list[KernelSocket]:
        with closing(self.dump()) as dump:
            return dump.take(EVERY_STATE, Kind.INFO.bit).sockets()

    def states(self) -> list[State]:
        return [sock.state for sock in self.sockets()]

    def wait_for(self, state: State, number: int) -> None:
        wait_for(lambda: self.states().count(state) >= number, f"{number} are in {state.title}")

    def listening(self, port: int) -> None:
        wait_for(
            lambda: any(sock.state is State.LISTEN and sock.name.local_port == port for sock in self.sockets()),
            f"port {port} is listened on",
        )

    def python(self, script: str, *args: object) -> Command:
        """Start a Python script inside."""
        return self.network.start([sys.executable, "-I", "-c", script, *map(str, args)])

    def findings(self, *, seconds: float = 0.5, interval: float = 0.25, limits: Limits = SOON) -> list[Finding]:
        """Examine this namespace, by looks alone."""
        return list(examine([self], seconds=seconds, interval=interval, limits=limits, events=False).findings)

    def found(self, check: str, *, seconds: float = 0.5, interval: float = 0.25, limits: Limits = SOON) -> Finding:
        """Examine until this check finds something, and return the one finding of it."""
        until = time.monotonic() + 90
        while True:
            seen = self.findings(seconds=seconds, interval=interval, limits=limits)
            named = [finding for finding in seen if finding.check == check]
            if named or time.monotonic() > until:
                break
        assert len(named) == 1, [finding.sentence for finding in seen]
        return named[0]

    def gone(self, check: str, *, seconds: float = 0.6) -> None:
        """Examine until this check finds nothing any more."""
        wait_for(lambda: check not in {finding.check for finding in self.findings(seconds=seconds)}, f"{check} is gone")


class Looked:
    """A place like a room, where something may happen before a look."""

    name = "room"

    def __init__(self, room: Room) -> None:
        self.room = room

    def visit(self) -> AbstractContextManager[None]:
        return nullcontext()

    def inode(self) -> int:
        return self.room.inode()

    def read(self, path: str) -> str:
        return self.room.read(path)

    def dump(self) -> Dump:
        return self.room.dump()


def pid_of(finding: Finding) -> int | None:
    """Return the process that a finding accuses first."""
    return finding.holders[0].pid if finding.holders else None


def evidence(finding: Finding, name: str) -> int | float | str:
    """Return a figure of a finding."""
    return next(each.value for each in finding.evidence if each.name == name)


def grew(finding: Finding, name: str) -> int:
    """Return by how much a counter of a finding grew."""
    return next(each.grew or 0 for each in finding.evidence if each.name == name)
