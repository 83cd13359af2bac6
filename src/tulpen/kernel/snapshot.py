"""The sockets that were asked for, of one network namespace or of all, with the processes that hold them."""

from __future__ import annotations

import os
import socket
from typing import NamedTuple, final

from tulpen.errors import TulpenError
from tulpen.kernel.attributes import Kind
from tulpen.kernel.dump import BOTH, EVERY_STATE, LISTENERS, Dump, fresh_block
from tulpen.kernel.namespaces import Namespace, namespaces, sockets_in
from tulpen.kernel.processes import Processes, processes
from tulpen.kernel.selection import Selection
from tulpen.kernel.sock_diag import NETLINK_SOCK_DIAG
from tulpen.kernel.table import Table
from tulpen.kernel.view import View

_DETAILS = Kind.INFO.bit | Kind.CONGESTION.bit | Kind.MEMORY.bit | Kind.TOS.bit


class Wanted(NamedTuple):
    """What a snapshot is to hold."""

    selection: Selection = Selection(None, None, processes=False)
    states: int = EVERY_STATE  # where the selection says nothing of states
    family: int = BOTH
    details: bool = False  # tcp_info, memory, congestion control
    processes: bool = False
    bpf: bool | None = None  # see ``processes``
    everywhere: bool = False  # all network namespaces
    namespace: str = ""  # one of them: its name, a process inside, or its inode


class Snapshot(NamedTuple):
    """What was there."""

    views: list[View]
    processes: Processes | None
    notes: list[str]  # what could not be seen, and what would help


@final
class Source:
    """Takes snapshots, one after another."""

    __slots__ = ("_block", "_dumps", "_wanted")

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._block = fresh_block()
        self._dumps: dict[int, Dump] = {}  # by the inode of the namespace; 0: our own

    def take(self) -> Snapshot:
        """Take a snapshot: first the sockets, then who holds them.

        Raises TulpenError where the kernel or a right is missing.
        """
        wanted, notes = self._wanted, list[str]()
        pairs = self._everywhere(notes) if wanted.everywhere or wanted.namespace else [(None, self._own())]
        views = [self._view(place, dump) for place, dump in pairs]
        found = processes(bpf=wanted.bpf) if wanted.processes or wanted.selection.processes else None
        for view in views:
            view.processes = found
            if wanted.selection.maker is not None:
                test = wanted.selection.maker(view)
                view.rows = [row for row in view.rows if test(row)]
        if found is not None and found.unseen:
            notes.append(f"{_of(found.unseen)} the sockets may not be read: that takes root, or CAP_SYS_PTRACE")
        if any(view.table.interrupted for view in views):
            notes.append("the kernel's table changed while it was read: sockets may be missing or doubled")
        torn = sum(view.table.torn for view in views)
        if torn:
            notes.append(f"{torn} answers of the kernel could not be read")
        return Snapshot(views, found, notes)

    def close(self) -> None:
        """Close what is open."""
        for dump in self._dumps.values():
            dump.close()
        self._dumps.clear()

    def _view(self, place: Namespace | None, dump: Dump) -> View:
        wanted = self._wanted
        states = wanted.states if wanted.selection.states is None else wanted.selection.states
        extensions = _DETAILS if wanted.details else 0
        listening = dump.take(LISTENERS, extensions or Kind.MEMORY.bit, wanted.family)
        listeners = listening.sockets()
        if extensions:
            table = dump.take(states, extensions, wanted.family)
        elif states & ~LISTENERS:
            others = dump.take(states & ~LISTENERS, 0, wanted.family)
            table = Table.of([listening, others]) if states & LISTENERS else others
        else:
            table = listening
        view = View(table, place, None, detailed=bool(extensions))
        view.listeners = listeners
        return view

    def _own(self) -> Dump:
        if 0 not in self._dumps:
            self._dumps[0] = Dump(block=self._block)
        return self._dumps[0]

    def _everywhere(self, notes: list[str]) -> list[tuple[Namespace | None, Dump]]:
        """Return the namespaces that were asked for, each with what reads it."""
        found = namespaces()
        places = [_named(found.found, self._wanted.namespace)] if self._wanted.namespace else found.found
        for inode in self._dumps.keys() - {place.inode for place in places}:
            self._dumps.pop(inode).close()
        new = [place for place in places if place.inode not in self._dumps]
        refused = 0
        for place, made in zip(new, _sockets(new), strict=True):
            if isinstance(made, socket.socket):
                self._dumps[place.inode] = Dump(made, self._block)
            elif isinstance(made, PermissionError):
                if self._wanted.namespace:
                    raise TulpenError(f"the network namespace {place.name} may not be entered", "try it as root")
                refused += 1
        if refused:
            notes.append(f"of the network namespaces {refused} may not be entered: that takes root, or CAP_SYS_ADMIN")
        if found.unseen:
            notes.append(
                f"{_of(found.unseen)} the network namespace may not be known: that takes root, or CAP_SYS_PTRACE"
            )
        return [(place, self._dumps[place.inode]) for place in places if place.inode in self._dumps]


def _of(processes: int) -> str:
    return f"of {processes} {'process' if processes == 1 else 'processes'}"


def _sockets(places: list[Namespace]) -> list[socket.socket | OSError]:
    return sockets_in(places, socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG) if places else []


def _named(places: list[Namespace], name: str) -> Namespace:
    for place in places:
        if name in (place.name, str(place.inode)) or (name.isdecimal() and int(name) in place.pids):
            return place
    if name.isdecimal() and os.path.exists(f"/proc/{name}"):
        raise TulpenError(
            f"the network namespace of process {name} may not be known", "that takes root, or CAP_SYS_PTRACE"
        )
    known = ", ".join(place.name for place in places if place.name)
    raise TulpenError(
        f"there is no network namespace {name!r}", f"there are {known}" if known else "there is one alone"
    )
