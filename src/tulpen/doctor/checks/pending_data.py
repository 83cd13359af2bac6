"""A peer that is gone while octets are under way: keep-alive does not run then, and the connection hangs."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from tulpen.doctor.change import Change
from tulpen.doctor.finding import Evidence, Finding, Fix, Severity
from tulpen.doctor.words import count, endpoint, lasting
from tulpen.kernel.sock_diag import KernelSocket, TcpInfo, Timer
from tulpen.tcp.state import State

_RTO_MAX = 120.0


def find(change: Change) -> Iterator[Finding]:
    """Find, by peer, connections that send the same octets again and again and hear nothing."""
    groups: dict[tuple[bytes, int], list[KernelSocket]] = defaultdict(list)
    for sock in change.after.connections:
        if _stuck(change, sock):
            groups[sock.name.remote, _service(change, sock)].append(sock)
    for (host, port), socks in groups.items():
        yield _finding(change, endpoint(host, port).removesuffix(":0"), socks)


def _stuck(change: Change, sock: KernelSocket) -> bool:
    return (
        sock.state in (State.ESTABLISHED, State.CLOSE_WAIT)
        and sock.info is not None
        and sock.timer is Timer.RETRANSMIT
        and sock.send_q > 0
        and sock.retransmits >= change.limits.stuck_tries
        and sock.info.last_ack_recv / 1000 >= change.limits.stuck
    )


def _service(change: Change, sock: KernelSocket) -> int:
    """Return the peer's port where it is a service's: those of clients differ from connection to connection."""
    return 0 if change.after.listener_of(sock) else sock.name.remote_port


def gives_up(info: TcpInfo, retransmits: int, retries: int) -> float:
    """Return in how many seconds tcp_retries2 ends a connection, from the retransmission timeout that runs now."""
    left, rto = 0.0, info.rto / 1_000_000
    for _ in range(max(0, retries + 1 - retransmits)):
        left += rto
        rto = min(rto * 2, _RTO_MAX)
    return left


def _finding(change: Change, destination: str, socks: list[KernelSocket]) -> Finding:
    holders = change.holders(socks)
    silent = max(sock.info.last_ack_recv for sock in socks if sock.info) / 1000
    retries = change.number("net.ipv4.tcp_retries2", 15)
    last = max(gives_up(sock.info, sock.retransmits, retries) for sock in socks if sock.info)
    tries = Counter(sock.retransmits for sock in socks)
    return Finding(
        "pending-data",
        Severity.CRITICAL,
        f"{holders[0]} hangs on {count(len(socks), 'connection')} to {destination}: octets are under way and "
        f"nothing has "
        f"been heard for {lasting(silent)}; keep-alive does not run while data is pending.",
        (
            Evidence("Send-Q", sum(sock.send_q for sock in socks), None, "octets that nobody acknowledges"),
            Evidence("retransmissions", max(tries), None, "in a row"),
            Evidence("last ACK", f"{lasting(silent)} ago"),
            change.setting("net.ipv4.tcp_retries2", f"it gives up in {lasting(last)}"),
            change.counted("TcpExtTCPTimeouts"),
        ),
        f"for {lasting(silent)}; it would go on for {lasting(last)}",
        (
            Fix("TCP_USER_TIMEOUT (say 30,000 ms) on these sockets: it ends what keep-alive cannot; or a deadline "
                "of the "
                "application's own on every answer"),
            Fix("look whether the peer is up, and whether a firewall or NAT has forgotten the connection"),
            Fix(
                "give up sooner, everywhere",
                "sysctl -w net.ipv4.tcp_retries2=8",
                "some 100 s instead of 15 minutes; what a path out of order for longer would have survived now dies",
            ),
        ),
        "an ACK of these octets comes: Send-Q falls",
        "half-open",
        len(socks),
        holders,
        destination=destination,
        age=silent,
    )  # fmt: skip
