"""A window that stays shut: somebody does not read, and the other side may not send."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from tulpen.doctor.change import Change, Pair
from tulpen.doctor.finding import Evidence, Finding, Fix, Severity
from tulpen.doctor.words import count, lasting, local, remote
from tulpen.kernel.sock_diag import KernelSocket, Timer
from tulpen.tcp.state import State

_HAS_RCV_WND = 236  # octets of a tcp_info that has it: Linux 6.2
_RECEIVING = (State.ESTABLISHED, State.FIN_WAIT_1, State.FIN_WAIT_2)


def find(change: Change) -> Iterator[Finding]:
    """Find processes that don't read, and peers that don't."""
    tells = any(sock.info_octets >= _HAS_RCV_WND for sock in change.after.sockets)
    ours: dict[str, list[KernelSocket]] = defaultdict(list)
    theirs: dict[bytes, list[KernelSocket]] = defaultdict(list)
    for pair in change.pairs:
        if _unread(change, pair, tells=tells):
            ours[str(change.holders([pair.now])[0])].append(pair.now)
        elif _shut_out(change, pair) and not change.inside(pair.now):
            theirs[pair.now.name.remote].append(pair.now)
    yield from (_not_reading(change, socks) for socks in ours.values())
    yield from (_not_read(change, socks) for socks in theirs.values())


def _unread(change: Change, pair: Pair, *, tells: bool) -> bool:
    """Say whether our window is shut: as tcp_info has it since Linux 6.2, before by the receive queue."""
    then, now = pair
    if now.state not in _RECEIVING or then.info is None or now.info is None or not now.inode:
        return False
    shut = now.info.rcv_wnd < max(1, now.info.rcv_mss) if tells else 2 * now.recv_q >= now.info.rcv_ssthresh > 0
    return (
        shut
        and 0 < then.recv_q <= now.recv_q
        and then.info.bytes_received == now.info.bytes_received
        and now.info.last_data_recv / 1000 >= change.limits.unread
    )


def _shut_out(change: Change, pair: Pair) -> bool:
    then, now = pair
    return (
        then.timer is now.timer is Timer.PERSIST
        and now.send_q > 0
        and then.info is not None
        and now.info is not None
        and then.info.bytes_acked == now.info.bytes_acked
    )


def _not_reading(change: Change, socks: list[KernelSocket]) -> Finding:
    holders = change.holders(socks)
    longest = max(sock.info.last_data_recv for sock in socks if sock.info) / 1000
    listeners = Counter(local(sock) for sock in socks if change.after.listener_of(sock))
    peers = Counter(remote(sock) for sock in socks)
    return Finding(
        "zero-window",
        Severity.WARNING,
        f"{holders[0]} does not read {count(len(socks), 'connection')}: the receive window has been shut for "
        f"{lasting(longest)}, and the peers wait.",
        (
            Evidence("Recv-Q", sum(sock.recv_q for sock in socks), None, "octets unread"),
            change.counted("TcpExtTCPToZeroWindowAdv"),
            change.counted("TcpExtTCPWantZeroWindowAdv"),
            *(
                Evidence("descriptors", " ".join(map(str, holder.fds)), None, str(holder))
                for holder in holders[:1]
                if holder.fds
            ),
            *(Evidence(f"from {peer}", number) for peer, number in peers.most_common(3)),
        ),
        f"for {lasting(longest)}",
        (
            Fix(
                "see what this process waits for (its stack, a lock, a slow disk, another service) while it should read"
            ),
            Fix("a larger receive buffer only puts it off (net.ipv4.tcp_rmem)"),
        ),
        "Recv-Q falls: it reads after all; or it means to hold the sender back",
        "zero-window",
        len(socks),
        holders,
        listener=listeners.most_common(1)[0][0] if listeners else "",
        destination="" if listeners else peers.most_common(1)[0][0],
        age=longest,
    )


def _not_read(change: Change, socks: list[KernelSocket]) -> Finding:
    holders = change.holders(socks)
    longest = max(sock.info.last_data_sent for sock in socks if sock.info) / 1000
    where = Counter(remote(sock) for sock in socks).most_common(1)[0][0]
    return Finding(
        "zero-window",
        Severity.WARNING,
        f"The peer {where} does not read: {holders[0]} may not send on {count(len(socks), 'connection')}, the "
        f"window is shut.",
        (
            Evidence("Send-Q", sum(sock.send_q for sock in socks), None, "octets that wait"),
            Evidence("timer", "persist", None, f"{max(sock.retransmits for sock in socks)} probes without an opening"),
            change.counted("TcpExtTCPWinProbe"),
        ),
        f"nothing has gone for {lasting(longest)}",
        (
            Fix("see why the peer's process does not read"),
            Fix("a deadline on writing, or TCP_USER_TIMEOUT: a peer that answers probes is waited for without end"),
        ),
        "Send-Q falls: the window has opened",
        "zero-window",
        len(socks),
        holders,
        destination=where,
        age=longest,
    )
