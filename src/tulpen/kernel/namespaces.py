"""The network namespaces of this machine: found by their processes and by their names, and entered for a socket.

A namespace lives as long as a process is in it, or as it is mounted somewhere (``ip netns
add`` mounts it below /run/netns, Docker below /run/docker/netns).  A container is told by the
control group of its first process.
"""

from __future__ import annotations

import os
import re
import socket
import threading
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from tulpen.kernel.processes import command, pids

_MOUNTED: Final = ("/run/netns", "/run/docker/netns")
# What the engines call the control group of a container; the hexadecimal id is cut to twelve, as they show it.
_CONTAINER: Final = re.compile(
    r"(?:docker|libpod|crio|cri-containerd|containerd|podman)?[-/]?\b([0-9a-f]{12})[0-9a-f]{52}\b"
    r"|/(?:lxc(?:\.payload)?|machine\.slice/machine)[./-]([\w.-]+?)(?:\.scope)?(?:/|$)"
)
_BLANK: Final = re.compile(r"[^!-~]")  # a name can be typed, and is one cell of a table


class Namespace(NamedTuple):
    """A network namespace."""

    inode: int  # as in /proc/PID/ns/net; what tells one from another
    name: str  # ``ip netns``'s name, a container's id, or the first process as ``pid/command``; empty: our own
    pids: tuple[int, ...]  # ascending
    path: str  # where it can be opened


class Namespaces(NamedTuple):
    """Those that are to be seen, our own first."""

    found: list[Namespace]
    unseen: int  # processes whose namespace we may not know

    def of(self, pid: int) -> Namespace | None:
        """Return the namespace of a process."""
        return next((each for each in self.found if pid in each.pids), None)


def namespaces(*, proc: str = "/proc", mounted: Iterable[str] = _MOUNTED) -> Namespaces:
    """Return every network namespace that has a process or a name."""
    members, unseen = _members(proc)
    names = _names(mounted)
    own = os.stat(f"{proc}/self/ns/net").st_ino
    found = []
    for inode in sorted({*members, *names}, key=lambda inode: (inode != own, names.get(inode, "~"), inode)):
        inside = tuple(members.get(inode, ()))
        path = f"{proc}/self/ns/net" if inode == own else names.get(inode, "") or f"{proc}/{inside[0]}/ns/net"
        found.append(Namespace(inode, "" if inode == own else _name(names.get(inode), inside, proc), inside, path))
    return Namespaces(found, unseen)


def sockets_in(places: Sequence[Namespace], family: int, kind: int, protocol: int = 0) -> list[socket.socket | OSError]:
    """Make a socket in each of these namespaces; where that may not be, the error stands in its place.

    A thread of its own enters them, so the caller never leaves the namespace it is in.
    Entering needs CAP_SYS_ADMIN.
    """
    made: list[socket.socket | OSError] = []
    thread = threading.Thread(target=_visit, args=(places, (family, kind, protocol), made), daemon=True)
    thread.start()
    thread.join()
    return made


def _visit(places: Sequence[Namespace], what: tuple[int, int, int], made: list[socket.socket | OSError]) -> None:
    own = os.stat("/proc/thread-self/ns/net").st_ino
    for place in places:
        try:
            if place.inode != own:
                _enter(place)
                own = place.inode
            made.append(socket.socket(*what))
        except OSError as error:
            made.append(error)


def _enter(place: Namespace) -> None:
    from tulpen.link.syscalls import CLONE_NEWNET, setns

    descriptor = os.open(place.path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if os.fstat(descriptor).st_ino != place.inode:
            raise ProcessLookupError(3, "this namespace has ended")  # and its process's number is another's now
        setns(descriptor, CLONE_NEWNET)
    finally:
        os.close(descriptor)


def _members(proc: str) -> tuple[dict[int, list[int]], int]:
    found: dict[int, list[int]] = {}
    unseen = 0
    for pid in pids(proc=proc):
        try:
            found.setdefault(os.stat(f"{proc}/{pid}/ns/net").st_ino, []).append(pid)
        except PermissionError:
            unseen += 1
        except OSError:  # it has ended
            continue
    return found, unseen


def _names(folders: Iterable[str]) -> dict[int, str]:
    """Return the paths of the namespaces that are mounted."""
    device = os.stat("/proc/self/ns/net").st_dev
    found: dict[int, str] = {}
    for folder in folders:
        try:
            entries = sorted(os.listdir(folder))
        except OSError:
            continue
        for entry in entries:
            path = f"{folder}/{entry}"
            try:
                status = os.stat(path)
            except OSError:
                continue
            if status.st_dev == device:  # a name that was left over is a plain file
                found.setdefault(status.st_ino, path)
    return found


def _name(path: str | None, inside: Sequence[int], proc: str) -> str:
    if path:
        return path.rpartition("/")[2]
    first = inside[0]
    return container(first, proc=proc) or f"{first}/{_BLANK.sub('_', command(first, proc=proc))}"


def container(pid: int, *, proc: str = "/proc") -> str:
    """Return the container of a process, its id in twelve digits or its name; empty: none that its cgroup tells."""
    try:
        with open(f"{proc}/{pid}/cgroup") as file:
            groups = file.read()
    except OSError:
        return ""
    found = _CONTAINER.search(groups)
    return (found[1] or found[2]) if found else ""
