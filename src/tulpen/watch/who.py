"""Which process a thread's number belongs to, and in which network namespace it is."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple, final

_INIT: Final = "pid:[4026531836]"  # the PID namespace that the machine began with
_TGID: Final = re.compile(rb"^Tgid:\s*(\d+)", re.MULTILINE)
_NAME: Final = re.compile(rb"^Name:\s*(.*)$", re.MULTILINE)
# A thread of the kernel: its father is kthreadd; Linux 6.8 and later say it outright.
_KERNEL: Final = re.compile(rb"^(?:Kthread:\s*1|PPid:\s*2)$", re.MULTILINE)
_KEPT: Final = 5_000_000_000  # ns that an answer stays good: numbers of processes are given out again
_RECENT: Final = 1_000_000_000  # ns


class Who(NamedTuple):
    """A process."""

    pid: int
    command: str
    namespace: int | None  # the inode of its network namespace


@final
class Processes:
    """Asks /proc, and remembers for a while; where it may not know, it says nothing."""

    __slots__ = ("_cache", "_names", "_read", "_recorded", "blind")

    def __init__(self, recorded: Callable[[], dict[int, str]] = dict) -> None:
        self._cache: dict[int, tuple[int, Who | None]] = {}
        self._recorded = recorded  # the names of threads that may have ended
        self._names: dict[int, str] = {}  # as they were when last asked for: all of them come at once, which takes long
        self._read = -_RECENT
        # The tracepoints number threads as the whole machine does: in a container other processes bear those numbers.
        self.blind = str(Path("/proc/self/ns/pid").readlink()) != _INIT

    def find(self, thread: int, now: int) -> Who | None:
        """Return the process of a thread; None: it is unknown, or the kernel's own thread."""
        if self.blind or not thread:
            return None
        known = self._cache.get(thread)
        if known is None or now - known[0] > _KEPT:
            known = now, self._ask(thread, now)
            self._cache[thread] = known
            if len(self._cache) > 100_000:
                self._cache = {thread: known}
        return known[1]

    def _ask(self, thread: int, now: int) -> Who | None:
        try:
            status = Path(f"/proc/{thread}/status").read_bytes()
        except OSError:
            command = self._name(thread, now)
            return Who(thread, command, None) if command else None
        group, name = _TGID.search(status), _NAME.search(status)
        if group is None or name is None or _KERNEL.search(status):
            return None
        pid = int(group[1])
        command = name[1].decode(errors="replace")
        if pid != thread:
            with suppress(OSError):
                command = Path(f"/proc/{pid}/comm").read_text(errors="replace").rstrip("\n")
        return Who(pid, command, _namespace(str(thread)))

    def _name(self, thread: int, now: int) -> str | None:
        """Return the name of a thread that has ended."""
        if abs(now - self._read) >= _RECENT:
            self._names, self._read = self._recorded(), now
        return self._names.get(thread)


def _namespace(thread: str) -> int | None:
    try:
        return Path(f"/proc/{thread}/ns/net").stat().st_ino
    except OSError:
        return None
