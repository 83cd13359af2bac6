"""A socket as JSON tells it: everything that is known of it, under stable names."""

from __future__ import annotations

from typing import Any

from tulpen.kernel.cells import cookie_text
from tulpen.kernel.sock_diag import Timer, given
from tulpen.kernel.table import state
from tulpen.kernel.texts import address_text, user_name
from tulpen.kernel.view import View


def as_json(view: View, row: int) -> dict[str, Any]:
    """Return one socket; ``null`` is what was not asked for or may not be seen."""
    inode = view.inodes[row]
    timer = view.timers[row]
    memory = view.memory(row)
    record: dict[str, Any] = {
        "netns": None if view.namespace is None else view.place,
        "state": state(view.states[row]).title,
        "local_address": address_text(view.local_addresses[row]),
        "local_port": view.local_ports[row],
        "remote_address": address_text(view.remote_addresses[row]),
        "remote_port": view.remote_ports[row],
        "recv_q": view.receive_queues[row],
        "send_q": view.send_queues[row],
        "timer": Timer(timer).name.lower() if timer in _TIMERS else f"unknown-{timer}",
        "expires_ms": view.expiries[row],
        "retransmits": view.retransmits[row],
        "uid": None if view.uids[row] < 0 else view.uids[row],
        "user": None if view.uids[row] < 0 else user_name(view.uids[row]),
        "inode": inode,
        "cookie": cookie_text(view.cookies[row]),
        "interface": view.interfaces[row],
        "drops": None if memory is None else memory.drops,
        "processes": _processes(view, inode),
    }
    if view.detailed:
        record |= _details(view, row)
    return record


_TIMERS = frozenset(Timer)


def _processes(view: View, inode: int) -> list[dict[str, Any]] | None:
    if view.processes is None:
        return None
    holders = view.processes.holders(inode) if inode else []
    if inode and not holders:  # the kernel itself, or whom we may not see
        return None
    return [holder._asdict() for holder in holders]


def _details(view: View, row: int) -> dict[str, Any]:
    found = view.details[row]
    return {
        "congestion": found.congestion or None,
        "memory": None if found.memory is None else found.memory._asdict(),
        "tcp_info": None if found.info is None else given(found.info, found.info_octets),
    }
