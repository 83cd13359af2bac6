"""How long Linux waits for an acknowledgment before it gives a connection up (tcp_retries2)."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from pathlib import Path
from typing import Final

from tulpen.link.syscalls import CLONE_NEWNET, setns

_RTO_MIN: Final = 0.2
_RTO_MAX: Final = 120.0
_known: Final[dict[int, int]] = {}


def patience(pid: int, namespace: int) -> float | None:
    """Return the least time in seconds that ``tcp_retries2`` of a process's network namespace gives; None: unknown.

    Linux counts in time what it sets in retransmissions: from the least timeout, doubled
    each time up to two minutes.
    """
    if namespace not in _known:
        read: list[int] = []
        thread = threading.Thread(target=_read, args=(pid, namespace, read), daemon=True)
        thread.start()
        thread.join()
        if not read:
            return None
        _known[namespace] = read[0]
    return float(sum(min(_RTO_MIN * 2**turn, _RTO_MAX) for turn in range(_known[namespace] + 1)))


def _read(pid: int, namespace: int, into: list[int]) -> None:
    """Enter a namespace for good, which a thread of its own may, and read the setting there."""
    with suppress(OSError, ValueError):
        there = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            if os.fstat(there).st_ino != namespace:
                return
            if Path("/proc/thread-self/ns/net").stat().st_ino != namespace:
                setns(there, CLONE_NEWNET)
        finally:
            os.close(there)
        into.append(int(Path("/proc/sys/net/ipv4/tcp_retries2").read_text()))
