"""Which process holds a socket, by which descriptor: one pass over /proc/PID/fd (proc(5)), or a program in the kernel.

A descriptor of a socket is a link to ``socket:[INODE]``, and sock_diag gives each
socket's inode.  Whoever has no right to read the descriptors of a process is told how many
there are of these; nothing is guessed.  Where very many files are open and BPF may be
used, ``bpf.holders`` finds the same at a fraction of the cost.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, NamedTuple, final

from tulpen.errors import TulpenError

if TYPE_CHECKING:
    from tulpen.kernel.bpf.holders import Holders

_PREFIX: Final = "socket:["
_DEFAULT_PATH: Final = "/proc"
_MANY: Final = 20_000  # open files, from which on loading a program costs less than reading their links


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

    __slots__ = ("_descriptors", "_others", "_owners", "found", "how", "unseen")

    def __init__(self, found: list[Process], unseen: int, how: str) -> None:
        self.found = found
        self.unseen = unseen
        self.how = how  # ``/proc`` or ``bpf``
        self._owners: dict[int, Process] | None = None
        self._others: dict[int, tuple[Process, ...]] = {}  # those beside the first
        self._descriptors: dict[int, dict[int, list[int]]] = {}  # by pid and inode

    def holders(self, inode: int) -> list[Holder]:
        """Return who holds a socket, in the order of pid and descriptor; nobody holds inode 0."""
        holders = []
        for process in self.of(inode):
            descriptors = self._descriptors.get(process.pid)
            if descriptors is None:
                descriptors = self._descriptors[process.pid] = _by_inode(process)
            holders += [Holder(process.pid, fd, process.command) for fd in descriptors[inode]]
        return holders

    def of(self, inode: int) -> Sequence[Process]:
        """Return the processes that hold a socket, by their pids."""
        owner = self.owners().get(inode)
        if owner is None:
            return ()
        return (owner, *self._others.get(inode, ()))

    def owners(self) -> dict[int, Process]:
        """Return the process of every socket; of several that share one, the first."""
        if self._owners is None:
            self._owners = {}
            for process in reversed(self.found):  # the first is written last
                mine = dict.fromkeys(process.inodes, process)
                many = len(self._owners) + len(mine)
                before = self._owners
                self._owners = before | mine
                if len(self._owners) < many:
                    for inode in before.keys() & mine.keys():
                        self._others[inode] = (before[inode], *self._others.get(inode, ()))
        return self._owners

    def pids(self) -> dict[int, int]:
        """Return the pid for every inode; of several processes that share a socket, the first."""
        found: dict[int, int] = {}
        for process in reversed(self.found):
            found.update(dict.fromkeys(process.inodes, process.pid))
        return found

    def by_pid(self) -> dict[int, Process]:
        """Return the processes by their numbers."""
        return {process.pid: process for process in self.found}


def _by_inode(process: Process) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for inode, fd in zip(process.inodes, process.fds, strict=True):
        found.setdefault(inode, []).append(fd)
    return found


def processes(*, bpf: bool | None = None, proc: str = _DEFAULT_PATH) -> Processes:
    """Return every process that holds a socket.

    ``bpf`` False reads /proc; True has a program in the kernel tell, and raises TulpenError
    where that cannot be; None does so where it can and there are many open files.
    """
    if bpf is not False and proc == _DEFAULT_PATH:
        found = _by_bpf(required=bpf is True)
        if found is not None:
            return found
    return _by_proc(proc)


def _by_bpf(*, required: bool) -> Processes | None:
    if not required and (os.geteuid() != 0 or open_files() < _MANY):
        return None
    from tulpen.kernel.bpf.libbpf import Unavailable

    try:
        return Processes([Process(*each) for each in _program().take()], 0, "bpf")
    except Unavailable as error:
        if required:
            raise TulpenError(f"BPF: {error}", "without --bpf, /proc is read") from None
        return None


@functools.cache
def _program() -> Holders:
    from tulpen.kernel.bpf.holders import Holders

    return Holders()


def open_files() -> int:
    """Return how many files are open on this machine; 0: it does not say."""
    number = read_text("/proc/sys/fs/file-nr").partition("\t")[0]
    return int(number) if number.isdecimal() else 0


def _by_proc(proc: str) -> Processes:
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
    return read_text(f"{proc}/{pid}/comm").removesuffix("\n")


def command_line(pid: int, *, proc: str = _DEFAULT_PATH) -> list[str]:
    """Return the words a process was started with; none: it has ended, or it is the kernel's."""
    words = read_text(f"{proc}/{pid}/cmdline")
    return words.removesuffix("\0").split("\0") if words else []


def owner(pid: int, *, proc: str = _DEFAULT_PATH) -> int | None:
    """Return the effective uid of a process; None: it has ended."""
    try:
        return os.stat(f"{proc}/{pid}").st_uid
    except OSError:
        return None


def read_text(path: str) -> str:
    """Return what a small file says; empty: it is not there, or may not be read."""
    try:
        with open(path, "rb") as file:
            return file.read().decode(errors="replace")
    except OSError:
        return ""


def _sockets(folder: str) -> tuple[list[int], list[int]]:
    """Return the descriptors of a process that are sockets, and their inodes."""
    fds: list[int] = []
    inodes: list[int] = []
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for name in os.listdir(descriptor):
            try:
                link = os.readlink(name, dir_fd=descriptor)
            except FileNotFoundError:  # it was closed meanwhile
                continue
            if link.startswith(_PREFIX):
                fds.append(int(name))
                inodes.append(int(link[len(_PREFIX) : -1]))
    finally:
        os.close(descriptor)
    return fds, inodes
