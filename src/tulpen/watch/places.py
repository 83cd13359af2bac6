"""The network namespaces that are watched: what each is called, and its sockets' last numbers."""

from __future__ import annotations

import os
import socket
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Final, final

from tulpen.kernel.destroyed import Destroyed
from tulpen.kernel.namespaces import Namespace, namespaces, sockets_in
from tulpen.kernel.sock_diag import NETLINK_SOCK_DIAG
from tulpen.link.syscalls import CLONE_NEWNET, setns

_REFRESHED: Final = 2_000_000_000  # ns between two looks for new ones
_PATIENCE: Final = 50  # a look that took long is paid for with so many times its length without another
_RTO_MIN: Final = 0.2
_RTO_MAX: Final = 120.0


@final
class Places:
    """Listens in every namespace that it may enter; a namespace that has ended is let go within seconds."""

    __slots__ = ("_destroyed", "_due", "_names", "_octets", "_overrun", "_retries", "unseen")

    def __init__(self, *, octets: bool) -> None:
        self._octets = octets
        self._due = 0
        self._names: dict[int, str] = {}
        self._destroyed: dict[int, Destroyed] = {}
        self._retries: dict[int, int] = {}
        self._overrun = 0
        self.unseen = 0  # namespaces that may not be entered

    def refresh(self, now: int) -> None:
        """Look for namespaces that came or went, if it is time; ``now`` in ns."""
        if now < self._due:
            return
        began = time.monotonic_ns()
        found = {place.inode: place for place in namespaces().found}
        self._names = {inode: place.name for inode, place in found.items()}
        for inode in self._retries.keys() - found.keys():
            del self._retries[inode]
            if inode in self._destroyed:  # it keeps the namespace alive
                self._overrun += self._destroyed[inode].lost()
                self._destroyed.pop(inode).close()
        self._enter([place for inode, place in found.items() if inode not in self._retries])
        self._due = now + max(_REFRESHED, _PATIENCE * (time.monotonic_ns() - began))

    def read(self, last: dict[int, bytes], where: dict[int, int]) -> None:
        """Put the last numbers of destroyed sockets into ``last``, and their namespace into ``where``, by cookie."""
        for inode, destroyed in self._destroyed.items():
            new: dict[int, bytes] = {}
            if destroyed.read(new):
                last.update(new)
                if len(self._destroyed) > 1:
                    where.update(dict.fromkeys(new, inode))

    def label(self, inode: int) -> str:
        """What a namespace is called; empty: our own."""
        return self._names.get(inode, f"net:[{inode}]")

    @property
    def lost(self) -> int:
        """How many sockets' last numbers the kernel had no room for."""
        return self._overrun + sum(each.lost() for each in self._destroyed.values())

    def patience(self) -> float:
        """Return the seconds without an acknowledgment that every namespace's ``tcp_retries2`` grants.

        Linux counts in time what it sets in retransmissions: from the least timeout,
        doubled each time up to two minutes.
        """
        turns = min((number for number in self._retries.values() if number >= 0), default=0)
        return float(sum(min(_RTO_MIN * 2**turn, _RTO_MAX) for turn in range(turns + 1)))

    def close(self) -> None:
        """Stop listening."""
        for destroyed in self._destroyed.values():
            destroyed.close()
        self._destroyed.clear()

    def _enter(self, places: list[Namespace]) -> None:
        if not places:
            return
        made = sockets_in(places, socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG) if self._octets else []
        for place, each in zip(places, made, strict=False):
            if isinstance(each, OSError):
                self.unseen += 1
            else:
                self._destroyed[place.inode] = Destroyed(each)
        thread = threading.Thread(target=_read_retries, args=(places, self._retries), daemon=True)
        thread.start()
        thread.join()


def _read_retries(places: list[Namespace], into: dict[int, int]) -> None:
    """Visit each namespace, which a thread of its own may; -1: it may not be entered."""
    own = Path("/proc/thread-self/ns/net").stat().st_ino
    for place in places:
        into[place.inode] = -1
        with suppress(OSError, ValueError):
            if place.inode != own:
                there = os.open(place.path, os.O_RDONLY | os.O_CLOEXEC)
                try:
                    setns(there, CLONE_NEWNET)
                finally:
                    os.close(there)
                own = place.inode
            into[place.inode] = int(Path("/proc/sys/net/ipv4/tcp_retries2").read_text())
