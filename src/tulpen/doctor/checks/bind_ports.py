"""A client that binds before it connects runs out of ports over all destinations: EADDRINUSE."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from tulpen.doctor.change import Change
from tulpen.doctor.checks.ephemeral_ports import uses
from tulpen.doctor.finding import Evidence, Finding, Fix, Severity
from tulpen.doctor.words import count, share
from tulpen.kernel.sock_diag import KernelSocket
from tulpen.wire.address import text as address_text


def find(change: Change) -> Iterator[Finding]:
    """Find source addresses all of whose ports are held, each for one destination only.

    connect() alone shares a port among destinations; that none is shared shows that
    somebody binds first.
    """
    if any(use.blocked / change.after.ephemeral_count >= change.limits.port_share for use in uses(change)):
        return  # one destination alone explains it
    by_source: dict[bytes, list[KernelSocket]] = defaultdict(list)
    for sock in change.after.outgoing:
        by_source[sock.name.local].append(sock)
    total = change.after.ephemeral_count
    for source, socks in by_source.items():
        ports = {sock.name.local_port for sock in socks}
        if len(ports) == len(socks) and len(ports) >= change.limits.spread_share * total:
            yield _finding(change, source, socks, total)


def _finding(change: Change, source: bytes, socks: list[KernelSocket], total: int) -> Finding:
    places = {(sock.name.remote, sock.name.remote_port) for sock in socks}
    where = address_text(source)
    return Finding(
        "bind-ports",
        Severity.CRITICAL if len(socks) >= total else Severity.WARNING,
        f"{count(len(socks), 'port')} of {total:,} of {where} are held, none for two destinations: who binds to "
        f"{where} "
        "before connecting gets EADDRINUSE.",
        (
            Evidence("ports in use", len(socks), None, f"{share(len(socks) / total)} of the range"),
            Evidence("destinations", len(places), None, "connect() alone would share ports among them"),
            change.setting("net.ipv4.ip_local_port_range"),
        ),
        "as long as these connections are open, and a minute longer",
        (
            Fix("don't bind the local port before connect(), or set IP_BIND_ADDRESS_NO_PORT before bind(): the port is "
                "then chosen at connect(), when the destination is known"),
            Fix("a wider range", "sysctl -w net.ipv4.ip_local_port_range='1024 65535'",
                "ports that services listen on must be reserved (net.ipv4.ip_local_reserved_ports)"),
        ),
        "bind() to that address with port 0 still succeeds",
        "port-exhaustion",
        len(socks) / total,
        change.holders(sock for sock in socks if sock.inode),
    )  # fmt: skip
