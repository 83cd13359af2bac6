"""FIN-WAIT-2 and orphans pile up: this end has closed, and the other does not finish."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from tulpen.doctor.change import Change
from tulpen.doctor.finding import Evidence, Finding, Fix, Severity
from tulpen.doctor.words import count, endpoint, lasting, local, remote
from tulpen.kernel.sock_diag import KernelSocket
from tulpen.tcp.state import State

_UNACKNOWLEDGED = (State.FIN_WAIT_1, State.CLOSING, State.LAST_ACK)


def find(change: Change) -> Iterator[Finding]:
    """Find piles of FIN-WAIT-2, held and orphaned, and of orphans whose FIN nobody acknowledges."""
    waiting = [sock for sock in change.after.sockets if sock.state is State.FIN_WAIT_2]
    held = [sock for sock in waiting if sock.inode]
    orphaned = [sock for sock in waiting if not sock.inode]
    unanswered = [sock for sock in change.after.sockets if sock.state in _UNACKNOWLEDGED and not sock.inode]
    if len(held) >= change.limits.pile:
        yield _held(change, held)
    if len(orphaned) >= change.limits.pile:
        yield _orphaned(change, orphaned)
    most = change.number("net.ipv4.tcp_max_orphans", 0)
    dropped = change.grew("TcpExtTCPAbortOnMemory")
    full = bool(most) and (change.after.totals.orphans or 0) >= change.limits.pile_share * most
    if len(unanswered) >= change.limits.pile or full or (dropped and unanswered):
        yield _unanswered(change, unanswered, critical=full or dropped > 0)


def _held(change: Change, socks: Sequence[KernelSocket]) -> Finding:
    holders = change.holders(socks)
    return Finding(
        "fin-wait-2",
        Severity.WARNING,
        f"{holders[0]} holds {count(len(socks), 'socket')} in FIN-WAIT-2: it has shut down its side, and the peers do "
        "not close theirs.",
        (Evidence("FIN-WAIT-2 with a process", len(socks)), *_ends(socks)),
        _pace(change, socks),
        (
            Fix(
                "close() after shutdown() once a deadline has passed: FIN-WAIT-2 that a process holds never ends "
                "by itself"
            ),
            Fix("see why the peers do not close: there these connections are in CLOSE-WAIT"),
        ),
        "the peers still send: a half-close that is meant",
        "close-wait",
        len(socks),
        holders,
        destination=_main(socks),
    )


def _orphaned(change: Change, socks: Sequence[KernelSocket]) -> Finding:
    longest = max((sock.expires for sock in socks), default=0) / 1000
    return Finding(
        "fin-wait-2",
        Severity.WARNING,
        f"{count(len(socks), 'closed socket')} wait in FIN-WAIT-2 for a FIN of their peers, who do not close.",
        (
            Evidence("FIN-WAIT-2 of nobody", len(socks), None, f"the last goes in {lasting(longest)}"),
            change.setting("net.ipv4.tcp_fin_timeout", "seconds until such a socket is forgotten"),
            *_ends(socks),
        ),
        _pace(change, socks),
        (
            Fix("see why the peers do not close: there these connections are in CLOSE-WAIT"),
            Fix(
                "forget them sooner",
                "sysctl -w net.ipv4.tcp_fin_timeout=15",
                "a peer that closes later than that gets a RST; TIME-WAIT is not shortened",
            ),
        ),
        "their number falls by itself from look to look",
        "close-wait",
        len(socks),
        destination=_main(socks),
    )


def _unanswered(change: Change, socks: Sequence[KernelSocket], *, critical: bool) -> Finding:
    tries = Counter(sock.retransmits for sock in socks)
    unsent = sum(sock.send_q for sock in socks)
    return Finding(
        "orphans",
        Severity.CRITICAL if critical else Severity.WARNING,
        f"{count(len(socks), 'closed socket')} wait for an ACK of their last octets and FIN that does not come.",
        (
            Evidence("FIN-WAIT-1, CLOSING, LAST-ACK of nobody", len(socks), None, f"{unsent:,} octets in their Send-Q"),
            Evidence("retransmissions", max(tries, default=0), None, "of the one that tried most"),
            Evidence("orphans of the machine", (change.after.totals.orphans or 0)),
            change.setting("net.ipv4.tcp_max_orphans", "more are reset, with a warning in the log"),
            change.setting("net.ipv4.tcp_orphan_retries", "0 means 8"),
            change.counted("TcpExtTCPAbortOnMemory", "orphans that were reset"),
            *_ends(socks),
        ),
        _pace(change, socks),
        (
            Fix("see what became of these peers: gone without a word, or a window of 0 that they never open"),
            Fix(
                "give up on orphans sooner",
                "sysctl -w net.ipv4.tcp_orphan_retries=3",
                "a peer behind a bad path loses the end of what it was sent",
            ),
        ),
        "their number falls by itself from look to look",
        "half-open",
        len(socks),
        destination=_main(socks),
    )


def _ends(socks: Sequence[KernelSocket]) -> Iterator[Evidence]:
    for port, number in Counter(sock.name.local_port for sock in socks).most_common(2):
        yield Evidence(f"from port {port}", number)
    if socks:
        yield Evidence("for example", f"{local(socks[0])} to {remote(socks[0])}")


def _main(socks: Sequence[KernelSocket]) -> str:
    """Return the peer that most of them are for."""
    hosts = Counter(sock.name.remote for sock in socks)
    return endpoint(hosts.most_common(1)[0][0], 0).removesuffix(":0") if hosts else ""


def _pace(change: Change, socks: Sequence[KernelSocket]) -> str:
    then = {sock.name for sock in change.before.sockets}
    new = sum(sock.name not in then for sock in socks)
    return f"{count(new, 'new one')} in {lasting(change.seconds)}"
