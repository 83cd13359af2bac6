"""Which process holds a socket, by which descriptor: one pass over /proc/PID/fd (proc(5)).

A descriptor of a socket is a link to ``socket:[INODE]``, and sock_diag gives each
socket's inode.  Whoever has no right to read the descriptors of a process is told how many
there are of these; nothing is guessed.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple, final

_PREFIX: Final = "socket:["
_DEFAULT_PATH: Final = "/proc"


class Holder(NamedTuple):
    """A descriptor of a process."""

    pid: int
    fd: int
    command: str  # as in /proc/PID/comm: 15 octets at most


class Process(NamedTuple):
    """A process and the sockets it holds, of whatever protocol: descriptor ``fds[i]`` is the socket ``inodes[i]``."""

    pid: int
    command: str
    inodes: Sequence[int]
    fds: Sequence[int]


@final
class Processes:
    """The processes that hold sockets, and how many more there are whose descriptors we may not read."""

    __slots__ = ("_by_inode", "found", "how", "unseen")

    def __init__(self, found: list[Process], unseen: int, how: str) -> None:
        self.found = found
        self.unseen = unseen
        self.how = how  # ``/proc`` or ``bpf``
        self._by_inode: dict[int, list[Holder]] | None = None

    def holders(self, inode: int) -> Sequence[Holder]:
        """Return who holds a socket, in the order of pid and descriptor; nobody holds inode 0."""
        if self._by_inode is None:
            self._by_inode = self._index()
        return self._by_inode.get(inode, ())

    def by_pid(self) -> dict[int, Process]:
        """Return the processes by their numbers."""
        return {process.pid: process for process in self.found}

    def _index(self) -> dict[int, list[Holder]]:
        found: dict[int, list[Holder]] = {}
        for process in self.found:
            for inode, fd in zip(process.inodes, process.fds, strict=True):
                found.setdefault(inode, []).append(Holder(process.pid, fd, process.command))
        return found


def processes(*, proc: str = _DEFAULT_PATH) -> Processes:
    """Return every process that holds a socket, from one pass over its descriptors."""
    found: list[Process] = []
    unseen = 0
    for pid in pids(proc=proc):
        try:
            fds, inodes = _sockets(f"{proc}/{pid}/fd")
        except PermissionError:
            unseen += 1
            continue
        except OSError:  # it has ended
            continue
        if inodes:
            found.append(Process(pid, command(pid, proc=proc), inodes, fds))
    return Processes(found, unseen, "/proc")


def pids(*, proc: str = _DEFAULT_PATH) -> list[int]:
    """Return the number of every process that is to be seen, in ascending order."""
    return sorted(int(name) for name in os.listdir(proc) if name.isdecimal())


def command(pid: int, *, proc: str = _DEFAULT_PATH) -> str:
    """Return the name of a process's command; empty: the process has ended."""
    return _read(f"{proc}/{pid}/comm").removesuffix("\n")


def command_line(pid: int, *, proc: str = _DEFAULT_PATH) -> list[str]:
    """Return the words a process was started with; none: it has ended, or it is the kernel's."""
    words = _read(f"{proc}/{pid}/cmdline")
    return words.removesuffix("\0").split("\0") if words else []


def owner(pid: int, *, proc: str = _DEFAULT_PATH) -> int | None:
    """Return the effective uid of a process; None: it has ended."""
    try:
        return os.stat(f"{proc}/{pid}").st_uid
    except OSError:
        return None


def _read(path: str) -> str:
    try:
        with open(path, "rb") as file:
            return file.read().decode(errors="replace")
    except OSError:
        return ""


def _sockets(folder: str) -> tuple[list[int], list[int]]:
    """Return the descriptors of a process that are sockets, and their inodes."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        names = os.listdir(descriptor)
        links = _links(names, descriptor)
    finally:
        os.close(descriptor)
    fds, inodes = [], []
    for name, link in zip(names, links, strict=True):
        if link.startswith(_PREFIX):
            fds.append(int(name))
            inodes.append(int(link[8:-1]))
    return fds, inodes


def _links(names: Sequence[str], folder: int) -> Iterable[str]:
    try:
        return [os.readlink(name, dir_fd=folder) for name in names]
    except FileNotFoundError:  # one was closed meanwhile
        return list(_one_by_one(names, folder))


def _one_by_one(names: Sequence[str], folder: int) -> Iterator[str]:
    for name in names:
        link = ""
        with contextlib.suppress(FileNotFoundError):
            link = os.readlink(name, dir_fd=folder)
        yield link
