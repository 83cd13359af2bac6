"""SYNs come faster than connections can be made of them: the SYN queue, with cookies and without."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from tulpen.doctor.change import Change
from tulpen.doctor.finding import Evidence, Finding, Fix, Severity
from tulpen.doctor.words import count, lasting, local, pace
from tulpen.kernel.sock_diag import KernelSocket
from tulpen.tcp.state import State


class Pressed(NamedTuple):
    """The listener that most half-open connections are for."""

    listener: KernelSocket | None
    half_open: int
    sources: int  # hosts that they are from


def pressed(change: Change) -> Pressed:
    """Return the listener under the most pressure, in the look that shows it best."""
    best = Pressed(None, 0, 0)
    for sample in change.samples:
        waiting: Counter[KernelSocket] = Counter()
        sources: dict[bytes, set[bytes]] = {}
        for sock in sample.connections:
            if sock.state is State.SYN_RECEIVED and (listener := sample.listener_of(sock)) is not None:
                waiting[listener] += 1
                sources.setdefault(listener.cookie, set()).add(sock.name.remote)
        for listener, number in waiting.most_common(1):
            if number > best.half_open:
                best = Pressed(listener, number, len(sources[listener.cookie]))
    return best


def find(change: Change) -> Iterator[Finding]:
    """Find cookies being sent, and SYNs being dropped because cookies are off."""
    sent, dropped = change.grew("TcpExtSyncookiesSent"), change.grew("TcpExtTCPReqQFullDrop")
    if sent and change.number("net.ipv4.tcp_syncookies", 1) != 2:
        yield _flood(change, sent)
    if dropped or _nearly_full(change):
        yield _full(change, dropped)


def _nearly_full(change: Change) -> bool:
    """Say whether strangers' SYNs are dropped already: with cookies off, from three quarters of the queue on.

    That drop has no counter of its own (it is one of ListenDrops).
    """
    if change.number("net.ipv4.tcp_syncookies", 1) != 0 or not change.grew("TcpExtListenDrops"):
        return False
    most = change.number("net.ipv4.tcp_max_syn_backlog", 0)
    return bool(most) and most - pressed(change).half_open <= most >> 2


def _flood(change: Change, sent: int) -> Finding:
    at = pressed(change)
    received, failed = change.grew("TcpExtSyncookiesRecv"), change.grew("TcpExtSyncookiesFailed")
    answered = received >= sent / 2
    listener = _name(at)
    what = (
        f"More clients connect to {listener} at once than its SYN queue holds"
        if answered
        else f"A SYN flood fills the SYN queue of {listener}"
    )
    return Finding(
        "syn-flood",
        Severity.WARNING if answered else Severity.CRITICAL,
        f"{what}: SYNs are answered with cookies, {pace(sent / change.seconds)}"
        + ("." if answered else ", and hardly one comes back."),
        (
            change.counted("TcpExtSyncookiesSent"),
            change.counted("TcpExtSyncookiesRecv", "clients that really were there"),
            change.counted("TcpExtSyncookiesFailed", "ACKs that bore no cookie of ours"),
            change.counted("TcpExtTCPReqQFullDoCookies"),
            *_queue(change, at),
            change.setting("net.ipv4.tcp_syncookies"),
        ),
        f"{count(sent, 'cookie')} in {lasting(change.seconds)}; {received:,} came back, {failed:,} were wrong",
        (
            Fix("a larger backlog in listen(), and somaxconn as large: connections that fit the queue need no cookies"),
            Fix(
                "more room",
                "sysctl -w net.core.somaxconn=65535 net.ipv4.tcp_max_syn_backlog=65535",
                "some 300 octets for each half-open connection",
            ),
            Fix("against a flood: leave tcp_syncookies on; filter the sources before they come here (they are forged: "
                "blocking them one by one does nothing)"),
            Fix("what a cookie costs: without timestamps no window scaling and no SACK on that connection"),
        ),
        "SyncookiesSent does not grow any more",
        "syn-flood",
        sent,
        change.holders([at.listener]) if at.listener else (),
        listener=listener,
        per_second=sent / change.seconds,
    )  # fmt: skip


def _full(change: Change, dropped: int) -> Finding:
    at = pressed(change)
    listener = _name(at)
    lost = dropped or change.grew("TcpExtListenDrops")
    return Finding(
        "syn-queue-full",
        Severity.CRITICAL,
        f"The SYN queue of {listener} is full and tcp_syncookies is off: SYNs are dropped, "
        f"{pace(lost / change.seconds)}.",
        (
            change.counted("TcpExtTCPReqQFullDrop"),
            change.counted("TcpExtListenDrops"),
            *_queue(change, at),
            change.setting("net.ipv4.tcp_syncookies"),
            change.setting("net.ipv4.tcp_max_syn_backlog", "from three quarters of it strangers are dropped"),
        ),
        f"{count(lost, 'SYN')} dropped in {lasting(change.seconds)}",
        (
            Fix("a larger backlog in listen()"),
            Fix(
                "answer with cookies when the queue is full",
                "sysctl -w net.ipv4.tcp_syncookies=1",
                "connections made by a cookie lose window scaling and SACK where timestamps are off",
            ),
            Fix(
                "more room",
                "sysctl -w net.core.somaxconn=65535 net.ipv4.tcp_max_syn_backlog=65535",
                "some 300 octets for each half-open connection",
            ),
        ),
        "TCPReqQFullDrop and ListenDrops do not grow any more",
        "syn-flood",
        lost,
        change.holders([at.listener]) if at.listener else (),
        listener=listener,
        per_second=lost / change.seconds,
    )


def _name(at: Pressed) -> str:
    return local(at.listener) if at.listener else "a listener"


def _queue(change: Change, at: Pressed) -> Iterator[Evidence]:
    yield Evidence("SYN-RECEIVED", at.half_open, None, f"from {count(at.sources, 'host')}")
    if at.listener is not None:
        yield Evidence("backlog", at.listener.send_q, None, _name(at))
    yield change.setting("net.core.somaxconn")
