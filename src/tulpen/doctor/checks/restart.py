"""A server that is gone has left connections on its port: it may be started again only with SO_REUSEADDR."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Final

from tulpen.doctor.change import Change
from tulpen.doctor.finding import Evidence, Finding, Fix, Severity
from tulpen.doctor.words import count, lasting
from tulpen.kernel.sock_diag import KernelSocket
from tulpen.tcp.state import State

SEVERAL: Final = 3  # one or two are what a stopped server of a developer leaves


def find(change: Change) -> Iterator[Finding]:
    """Find ports that served several clients, or had a listener in the first look, and have none now."""
    listening = {sock.name.local_port for sock in change.after.listeners}
    had = {sock.name.local_port for sock in change.before.listeners}
    by_port: dict[int, list[KernelSocket]] = defaultdict(list)
    for sock in change.after.connections:
        if sock.name.local_port not in listening:
            by_port[sock.name.local_port].append(sock)
    for port, socks in by_port.items():
        if port in had or (port not in change.after.ephemeral and _served(change, socks)):
            yield _finding(change, port, socks)


def _served(change: Change, socks: list[KernelSocket]) -> bool:
    """Say whether a server's port it was: of several clients, and no client's own, whose peers' ports are services'."""
    return len(socks) >= SEVERAL and all(sock.name.remote_port > 1023 for sock in socks)


def _finding(change: Change, port: int, socks: list[KernelSocket]) -> Finding:
    states = Counter(sock.state for sock in socks)
    holders = change.holders(sock for sock in socks if sock.inode)
    waiting = [sock.expires / 1000 for sock in socks if sock.state is State.TIME_WAIT]
    taken = port in change.after.ephemeral and any(sock in change.after.outgoing for sock in socks) and holders
    told = ", ".join(f"{number:,} in {state.title}" for state, number in states.most_common())
    remain = "remains" if len(socks) == 1 else "remain"
    until = f"the last TIME-WAIT ends in {lasting(max(waiting))}" if waiting else "until these connections end"
    fixes = [Fix("set SO_REUSEADDR on the listening socket before bind(), in the old server and in the new one")]
    if holders:
        fixes.append(Fix("end the processes that still hold connections of the old server"))
    if taken:
        fixes.append(
            Fix(
                "keep clients off this port",
                f"sysctl -w net.ipv4.ip_local_reserved_ports={port}",
                "it replaces what was reserved before: name those too",
            )
        )
    return Finding(
        "restart",
        Severity.WARNING,
        f"Nobody listens on port {port}, and {count(len(socks), 'connection')} of it {remain} ({told}): a server that "
        "binds it without SO_REUSEADDR gets EADDRINUSE.",
        tuple(Evidence(f"{state.title} on port {port}", number) for state, number in states.most_common()),
        until,
        tuple(fixes),
        f"bind() to port {port} without SO_REUSEADDR succeeds, or nobody means to serve there",
        "time-wait",
        len(socks),
        holders,
        listener=f"*:{port}",
    )
