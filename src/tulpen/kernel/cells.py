"""The cells of the table of sockets: each function makes one column of the selected rows, all at once.

A cell has no blanks in it except in the name of a process, which stands last, so that the
lines can be taken apart; where there is nothing to say stands ``-``, and ``?`` where there
is something that we may not see.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable, Sequence
from typing import Final

from tulpen.kernel.processes import Holder
from tulpen.kernel.table import state
from tulpen.kernel.texts import UNKNOWN, host_text, timer_text, user_name
from tulpen.kernel.view import LISTEN, View

_TITLES: Final = [state(number).title for number in range(256)]
_NOTHING: Final = "-"


def namespaces(view: View) -> list[str]:
    """Name the network namespace."""
    return [view.place] * len(view.rows)


def states(view: View) -> list[str]:
    """Name the states as RFC 9293 does."""
    numbers = view.states
    return [_TITLES[numbers[row]] for row in view.rows]


def numbers(name: str) -> Callable[[View], list[str]]:
    """Return what writes the column ``name`` of a view in digits."""

    def cells(view: View) -> list[str]:
        values = getattr(view, name)
        return [str(values[row]) for row in view.rows]

    return cells


def drops(view: View) -> list[str]:
    """Write how many connections a listener has lost, or what was dropped elsewhere where memory was asked for."""
    counts = drop_numbers(view)
    return [_NOTHING if counts[row] < 0 else str(counts[row]) for row in view.rows]


def drop_numbers(view: View) -> list[int]:
    """Return the drops; -1: they were not asked for."""
    if view.detailed:
        return [each.memory.drops if each.memory is not None else -1 for each in view.details]
    found = [-1] * len(view.table)
    if view.listeners:
        for row, number in enumerate(view.states):
            memory = view.memory(row) if number == LISTEN else None
            if memory is not None:
                found[row] = memory.drops
    return found


def local(view: View) -> list[str]:
    """Write this end: address, interface where it is bound to one, port."""
    names = _ends(view, view.local_addresses, view.local_ports)
    if any(view.interfaces):
        return [
            _scoped(name, _interface(view, view.interfaces[row])) for name, row in zip(names, view.rows, strict=True)
        ]
    return names


def peer(view: View) -> list[str]:
    """Write the other end; of a listener ``*``."""
    return _ends(view, view.remote_addresses, view.remote_ports)


def local_keys(view: View) -> list[tuple[bytes, int]]:
    """Return what sorts by this end."""
    return list(zip(view.local_addresses, view.local_ports, strict=True))


def peer_keys(view: View) -> list[tuple[bytes, int]]:
    """Return what sorts by the other end."""
    return list(zip(view.remote_addresses, view.remote_ports, strict=True))


def timers(view: View) -> list[str]:
    """Write the timers."""
    kinds, expiries, times = view.timers, view.expiries, view.retransmits
    return [timer_text(kinds[row], expiries[row], times[row]) for row in view.rows]


def users(view: View) -> list[str]:
    """Name the users."""
    uids = view.uids
    return [user_name(uids[row]) for row in view.rows]


def cookies(view: View) -> list[str]:
    """Write the cookies in hexadecimal digits."""
    column = view.cookies
    return [cookie_text(column[row]) for row in view.rows]


def cookie_text(cookie: bytes) -> str:
    """Return a cookie as ss writes it."""
    low, high = (int.from_bytes(cookie[at : at + 4], sys.byteorder) for at in (0, 4))
    return f"{high << 32 | low:x}"


def processes(view: View) -> list[str]:
    """Name the processes: ``nginx(1234,fd=5)``, several beside each other."""
    found, inodes = view.processes, view.inodes
    if found is None:
        return [_NOTHING] * len(view.rows)
    cells = []
    for row in view.rows:
        inode = inodes[row]
        holders = found.holders(inode) if inode else ()
        cells.append(",".join(map(holder_text, holders)) if holders else UNKNOWN if inode else _NOTHING)
    return cells


def processes_of_all(view: View) -> list[tuple[int, int]]:
    """Return what sorts by process: pid and descriptor; what nobody holds comes first."""
    if view.processes is None:
        return [(0, 0)] * len(view.table)
    held = [view.processes.holders(inode) for inode in view.inodes]
    return [(holders[0].pid, holders[0].fd) if holders else (0, 0) for holders in held]


def holder_text(holder: Holder) -> str:
    """Return a holder as it stands in the table."""
    return f"{holder.command}({holder.pid},fd={holder.fd})"


def _ends(view: View, addresses: Sequence[bytes], ports: Sequence[int]) -> list[str]:
    any_of_both = view.both_families
    if any_of_both:
        return [f"{host_text(addresses[row], both=row in any_of_both)}:{ports[row] or '*'}" for row in view.rows]
    return [f"{host_text(addresses[row])}:{ports[row] or '*'}" for row in view.rows]


def _scoped(name: str, interface: str) -> str:
    host, colon, port = name.rpartition(":")
    return f"{host}{interface}{colon}{port}"


def _interface(view: View, index: int) -> str:
    """Return the interface; in another network namespace its name is not known here."""
    if not index:
        return ""
    try:
        return f"%{socket.if_indextoname(index) if view.place == '.' else index}"
    except OSError:
        return f"%{index}"
