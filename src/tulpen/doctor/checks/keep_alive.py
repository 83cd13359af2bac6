"""Idle connections that nobody keeps alive: a NAT or a load balancer forgets them without a word."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from tulpen.doctor.change import Change, idle_of
from tulpen.doctor.finding import Evidence, Finding, Fix, Severity
from tulpen.doctor.limits import USUAL_IDLE
from tulpen.doctor.words import count, lasting, remote
from tulpen.kernel.sock_diag import KernelSocket, Timer
from tulpen.tcp.state import State


def find(change: Change) -> Iterator[Finding]:
    """Find, by process, connections to other machines that are idle for too long, with no keep-alive or a late one."""
    groups: dict[tuple[str, bool], list[KernelSocket]] = defaultdict(list)
    for sock in change.after.connections:
        if _idle(change, sock) and not _kept(change, sock):
            groups[str(change.holders([sock])[0]), sock.timer is Timer.KEEPALIVE].append(sock)
    for (_, late), socks in groups.items():
        yield _finding(change, socks, late=late)


def _idle(change: Change, sock: KernelSocket) -> bool:
    return (
        sock.state is State.ESTABLISHED
        and sock.inode != 0
        and sock.info is not None
        and sock.send_q == 0
        and idle_of(sock.info) >= change.limits.idle
        and not change.inside(sock)
    )


def _kept(change: Change, sock: KernelSocket) -> bool:
    """Say whether keep-alive probes go often enough: the peer has answered within the limit, or soon a probe goes."""
    if sock.timer is not Timer.KEEPALIVE or sock.info is None:
        return False
    return (sock.info.last_ack_recv + sock.expires) / 1000 <= change.limits.idle


def _finding(change: Change, socks: list[KernelSocket], *, late: bool) -> Finding:
    holders = change.holders(socks)
    longest = max(idle_of(sock.info) for sock in socks)
    ends = Counter(remote(sock) for sock in socks)
    what = "whose keep-alive comes too late" if late else "without keep-alive"
    forgets = ", ".join(f"{who} after {seconds} s" for who, seconds in USUAL_IDLE)
    return Finding(
        "keep-alive",
        Severity.WARNING,
        f"{holders[0]} holds {count(len(socks), 'connection')} {what}, idle for up to {lasting(longest)}: "
        "a NAT or load balancer on the way forgets them, and the next write hangs or is reset.",
        (
            Evidence("idle", f"up to {lasting(longest)}", None, f"the limit is {lasting(change.limits.idle)}; "
                                                                f"{forgets}"),
            Evidence("timer", "keepalive" if late else "off", None, _next(socks) if late else "no SO_KEEPALIVE"),
            change.setting("net.ipv4.tcp_keepalive_time", "seconds; for sockets with SO_KEEPALIVE alone"),
            change.setting("net.ipv4.tcp_keepalive_intvl"),
            change.setting("net.ipv4.tcp_keepalive_probes"),
            *(Evidence(f"to {end}", number) for end, number in ends.most_common(3)),
        ),
        f"the longest has been idle for {lasting(longest)}",
        (
            Fix("SO_KEEPALIVE with TCP_KEEPIDLE 60, TCP_KEEPINTVL 10, TCP_KEEPCNT 3 on these sockets; or a "
                "heartbeat of "
                "the application's own; or close what is idle for longer"),
            Fix(
                "a sooner keep-alive for every socket that has it on",
                "sysctl -w net.ipv4.tcp_keepalive_time=120",
                "a small packet for each idle connection every two minutes; sockets without SO_KEEPALIVE are not "
                "helped",
            ),
        ),
        "nothing between the two ends forgets connections (the same network), or the protocol has a heartbeat that is "
        "slower than the limit of what lies between",
        "half-open",
        len(socks),
        holders,
        destination=ends.most_common(1)[0][0],
        age=longest,
    )  # fmt: skip


def _next(socks: list[KernelSocket]) -> str:
    return f"the next probe is due in {lasting(min(sock.expires for sock in socks) / 1000)}"
