"""Taking samples: each namespace is read once a step, with as little time as can be between its parts."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import TypeVar

from tulpen.doctor.place import Place
from tulpen.doctor.sample import Sample
from tulpen.kernel.attributes import Kind
from tulpen.kernel.counters import read_conntrack, read_mib
from tulpen.kernel.dump import EVERY_STATE
from tulpen.kernel.processes import Holder
from tulpen.kernel.sockstat import read_totals
from tulpen.kernel.sysctls import read_sysctls

T = TypeVar("T")


def look(place: Place, owners: Callable[[int], Sequence[Holder]]) -> Sample:
    """Return what is seen in a namespace now."""
    with place.visit():
        return _look(place, owners)


def _look(place: Place, owners: Callable[[int], Sequence[Holder]]) -> Sample:
    missing: list[str] = []
    with closing(place.dump()) as dump:
        table = dump.take(EVERY_STATE, Kind.INFO.bit | Kind.MEMORY.bit)
    if table.interrupted:
        missing.append("sockets that came or went while the kernel's table was read")
    return Sample(
        place.name,
        time.monotonic(),
        tuple(table.sockets()),
        _try(lambda: read_mib(place.read), {}, "TCP's counters (/proc/net/snmp, /proc/net/netstat)", missing),
        _try(lambda: read_totals(place.read("net/sockstat")), read_totals(""), "/proc/net/sockstat", missing),
        read_conntrack(place.read),
        read_sysctls(place.read),
        owners,
        tuple(missing),
        place.inode(),
    )


def _try(read: Callable[[], T], otherwise: T, what: str, missing: list[str]) -> T:
    try:
        return read()
    except OSError as error:
        missing.append(f"{what} cannot be read: {error.strerror or error}")
        return otherwise
