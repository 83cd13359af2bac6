"""TCP is short of memory: of the machine's (tcp_mem), or of a socket's own buffer."""

from __future__ import annotations

from collections.abc import Iterator

from tulpen.doctor.change import Change
from tulpen.doctor.finding import Evidence, Finding, Fix, Severity
from tulpen.doctor.words import count, lasting, share

_PAGE = 4096
_PRUNED = ("TcpExtRcvPruned", "TcpExtTCPRcvQDrop", "TcpExtOfoPruned")
_LEAST = 3


def find(change: Change) -> Iterator[Finding]:
    """Find TCP as a whole near its limits, and receive buffers from which octets had to be thrown."""
    pages = change.after.totals.memory_pages or 0
    limits = change.after.sysctls.numbers("net.ipv4.tcp_mem")
    pressed = change.grew("TcpExtTCPMemoryPressures")
    if pressed or (len(limits) == 3 and limits[1] and pages >= change.limits.memory_share * limits[1]):
        yield _machine(change, pages, limits)
    pruned = sum(change.grew(name) for name in _PRUNED)
    if pruned >= _LEAST:
        yield _buffers(change, pruned)


def _machine(change: Change, pages: int, limits: tuple[int, ...]) -> Finding:
    queued = sorted(change.after.connections, key=lambda sock: sock.recv_q + sock.send_q, reverse=True)
    most = [sock for sock in queued[:100] if sock.recv_q + sock.send_q]
    holders = change.holders(most)
    over = len(limits) == 3 and pages >= limits[2]
    part = f"{share(pages / limits[1])} of the pressure mark" if len(limits) == 3 and limits[1] else ""
    return Finding(
        "memory",
        Severity.CRITICAL if over or change.grew("TcpExtTCPAbortOnMemory") else Severity.WARNING,
        f"TCP is short of memory: {pages * _PAGE // 1_000_000:,} MB in its buffers"
        + (", at the hard limit." if over else ", so windows are kept small."),
        (
            Evidence("TCP mem", pages, pages - (change.before.totals.memory_pages or 0), part or "pages"),
            change.setting("net.ipv4.tcp_mem", "pages: no pressure below, pressure above, never more"),
            change.counted("TcpExtTCPMemoryPressures"),
            change.counted("TcpExtTCPMemoryPressuresChrono", "milliseconds under pressure"),
            change.counted("TcpExtTCPAbortOnMemory"),
            Evidence("Recv-Q of all", sum(sock.recv_q for sock in change.after.connections)),
            Evidence("Send-Q of all", sum(sock.send_q for sock in change.after.connections)),
        ),
        f"{count(change.grew('TcpExtTCPMemoryPressures'), 'time')} in {lasting(change.seconds)}",
        (
            Fix("see who lets octets lie: a large Recv-Q is a process that does not read, a large Send-Q a peer"),
            Fix("smaller buffers for many connections: SO_SNDBUF, SO_RCVBUF, TCP_NOTSENT_LOWAT"),
            Fix(
                "more for TCP",
                f"sysctl -w net.ipv4.tcp_mem='{' '.join(str(2 * limit) for limit in limits)}'" if limits else "",
                "memory that nobody else can have",
            ),
        ),
        "TCPMemoryPressures does not grow, and TCP mem falls below the second number of tcp_mem",
        "memory",
        pages,
        holders,
    )


def _buffers(change: Change, pruned: int) -> Finding:
    full = [sock for sock in change.after.connections if sock.recv_q and sock.inode]
    full.sort(key=lambda sock: sock.recv_q, reverse=True)
    holders = change.holders(full[:10])
    return Finding(
        "receive-buffer",
        Severity.WARNING,
        f"Octets that had come were thrown away for want of room in receive buffers, "
        f"{count(pruned, 'time')} in {lasting(change.seconds)}.",
        (
            *(change.counted(name) for name in _PRUNED),
            change.counted("TcpExtPruneCalled"),
            change.counted("TcpExtTCPRcvCollapsed"),
            change.setting("net.ipv4.tcp_rmem"),
        ),
        f"{count(pruned, 'time')} in {lasting(change.seconds)}",
        (
            Fix("read sooner; don't set SO_RCVBUF (it ends the kernel's own tuning)"),
            Fix("a larger buffer", "sysctl -w net.ipv4.tcp_rmem='4096 131072 33554432'", "memory for each connection"),
        ),
        "RcvPruned and TCPRcvQDrop do not grow any more",
        "memory",
        pruned,
        holders,
        per_second=pruned / change.seconds,
    )
