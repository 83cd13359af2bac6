"""The totals of a network namespace: what ``ss -s`` and ``sar -n SOCK`` tell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tulpen.kernel.sockstat import SocketTotals, socket_totals
from tulpen.kernel.tally import tally
from tulpen.kernel.view import View

_WORDS = {
    "used": "sockets of all protocols",
    "tcp_in_use": "TCP over IPv4 in use",
    "tcp6_in_use": "TCP over IPv6 in use",
    "time_wait": "TIME-WAIT",
    "orphans": "orphans (of the whole machine)",
    "allocated": "allocated (of the whole machine)",
    "memory_pages": "pages of memory (of the whole machine)",
    "udp_in_use": "UDP in use",
    "raw_in_use": "raw sockets in use",
    "fragments": "IP fragments waiting",
}


def summary(views: Sequence[View]) -> dict[str, Any]:
    """Return the totals of each namespace, and the sockets by state."""
    return {
        "namespaces": [{"netns": view.place, "totals": _totals(view)._asdict()} for view in views],
        "states": {count.what: count.total for count in tally(views, "state")},
    }


def summary_lines(views: Sequence[View]) -> list[str]:
    """Return the same as text; what this kernel does not say is left out."""
    lines = []
    for view in views:
        if len(views) > 1:
            lines.append(f"network namespace {view.place}")
        totals = _totals(view)._asdict()
        lines += [f"{totals[key]:>9}  {words}" for key, words in _WORDS.items() if totals[key] is not None]
    return [*lines, *(f"{count.total:>9}  {count.what}" for count in tally(views, "state"))]


def _totals(view: View) -> SocketTotals:
    if view.namespace is None or view.place == ".":
        return socket_totals()
    return socket_totals(process=view.namespace.pids[0]) if view.namespace.pids else SocketTotals(*[None] * 10)
