"""The accept queue overflows: a process does not accept() as fast as clients come."""

from __future__ import annotations

from collections.abc import Iterator

from tulpen.doctor.change import Change
from tulpen.doctor.finding import Evidence, Finding, Fix, Severity
from tulpen.doctor.words import count, lasting, local, pace
from tulpen.kernel.sock_diag import KernelSocket
from tulpen.tcp.state import State


def full(sock: KernelSocket) -> bool:
    """Say whether a listener takes no more: Linux holds one more than the backlog says."""
    return sock.recv_q > sock.send_q


def overflowing(change: Change) -> list[KernelSocket]:
    """Return the listeners whose accept queue was full in some look or that dropped because it was, worst first."""
    worst: dict[bytes, KernelSocket] = {}
    dropped = {sock.cookie for sock in change.after.listeners if _drops(change, sock)}
    for sample in change.samples:
        for sock in sample.listeners:
            if full(sock) or sock.cookie in dropped:
                known = worst.get(sock.cookie)
                worst[sock.cookie] = sock if known is None or sock.recv_q >= known.recv_q else known
    return sorted(worst.values(), key=lambda sock: (_drops(change, sock), sock.recv_q), reverse=True)


def _drops(change: Change, sock: KernelSocket) -> int:
    then, now = (sample.by_cookie.get(sock.cookie) for sample in (change.before, change.after))
    if then is None or now is None or then.memory is None or now.memory is None:
        return 0
    return max(0, now.memory.drops - then.memory.drops)


def find(change: Change) -> Iterator[Finding]:
    """Find listeners whose queue is full while clients are turned away, or stays full; and final ACKs dropped."""
    overflows = change.grew("TcpExtListenOverflows")
    found = overflowing(change) if overflows else [sock for sock in change.after.listeners if _stays_full(change, sock)]
    for sock in found:
        yield _finding(change, sock, overflows)
        waiting = _unfinished(change, sock)
        if overflows and waiting:
            yield _final_ack(change, sock, waiting)
    if overflows and not found:
        yield _unknown(change, overflows)


def _stays_full(change: Change, sock: KernelSocket) -> bool:
    then = change.before.by_cookie.get(sock.cookie)
    return then is not None and full(then) and full(sock)


def _unfinished(change: Change, listener: KernelSocket) -> list[KernelSocket]:
    """Return the half-open connections, in both looks, of a full listener: their last ACKs are dropped."""
    if not any(full(sock) for sample in change.samples for sock in sample.listeners if sock.cookie == listener.cookie):
        return []
    then = {sock.name for sock in change.before.sockets if sock.state is State.SYN_RECEIVED}
    return [
        sock
        for sock in change.after.connections
        if sock.state is State.SYN_RECEIVED and sock.name in then and change.after.listener_of(sock) is not None
        and sock.name.local_port == listener.name.local_port
    ]  # fmt: skip


def _finding(change: Change, sock: KernelSocket, overflows: int) -> Finding:
    holders = change.holders([sock])
    where = local(sock)
    drops = _drops(change, sock)
    lost = f", {pace(overflows / change.seconds)} turned away" if overflows else ""
    return Finding(
        "accept-queue",
        Severity.CRITICAL if overflows else Severity.WARNING,
        f"{holders[0]} accepts too slowly on {where}: its accept queue is full ({sock.recv_q} wait, the backlog is "
        f"{sock.send_q}){lost}.",
        (
            Evidence("Recv-Q of the listener", sock.recv_q, None, "connections that wait for accept()"),
            Evidence("Send-Q of the listener", sock.send_q, None, "its backlog"),
            *_counters(change, sock, drops),
            change.setting("net.core.somaxconn", _capped(change, sock)),
            change.setting("net.ipv4.tcp_abort_on_overflow"),
        ),
        f"{count(overflows, 'overflow')} in {lasting(change.seconds)}"
        if overflows
        else f"full in the first look and in the last, {lasting(change.seconds)} apart; nobody came meanwhile",
        tuple(_fixes(change, sock)),
        "ListenOverflows does not grow, and Recv-Q of the listener falls below its Send-Q",
        "accept-queue",
        overflows + sock.recv_q,
        holders,
        listener=where,
        per_second=overflows / change.seconds,
    )


def _counters(change: Change, sock: KernelSocket, drops: int) -> Iterator[Evidence]:
    now = change.after.by_cookie.get(sock.cookie, sock)
    if now.memory is not None:
        yield Evidence("drops of the listener", now.memory.drops, drops)
    yield change.counted("TcpExtListenOverflows")
    yield change.counted("TcpExtListenDrops")


def _capped(change: Change, sock: KernelSocket) -> str:
    return "it caps the backlog" if sock.send_q == change.number("net.core.somaxconn", -1) else ""


def _fixes(change: Change, sock: KernelSocket) -> Iterator[Fix]:
    yield Fix("accept() sooner and more at a time: more workers, no work between accept() and accept(), a loop that "
              "empties the queue at every wake-up")  # fmt: skip
    if _capped(change, sock):
        yield Fix(
            "a longer queue, with as large a backlog in listen(), and the service started again",
            "sysctl -w net.core.somaxconn=4096",
            "clients wait longer before they learn that the server is too slow",
        )
    else:
        yield Fix("a larger backlog in listen(): somaxconn does not cap this one, the program's own number does",
                  cost="clients wait longer before they learn that the server is too slow")  # fmt: skip
    if change.number("net.ipv4.tcp_abort_on_overflow", 0):
        yield Fix("let clients try again", "sysctl -w net.ipv4.tcp_abort_on_overflow=0",
                  "they wait a second or more where they now get a RST")  # fmt: skip


def _final_ack(change: Change, sock: KernelSocket, waiting: list[KernelSocket]) -> Finding:
    again = change.grew("TcpExtTCPSynRetrans")
    tries = max(each.retransmits for each in waiting)
    where = local(sock)
    return Finding(
        "final-ack",
        Severity.CRITICAL,
        f"The last ACK of {count(len(waiting), 'handshake')} on {where} was dropped for want of room in the "
        f"accept queue: "
        "these clients believe that they are connected, and what they send is ignored.",
        (
            Evidence("SYN-RECEIVED", len(waiting), None, f"of {where}, in both looks"),
            Evidence("SYN,ACKs sent again", tries, None, "of the one that tried most"),
            change.counted("TcpExtTCPSynRetrans"),
            change.counted("TcpExtListenOverflows"),
            Evidence("Recv-Q of the listener", sock.recv_q, None, f"backlog {sock.send_q}"),
            change.setting("net.ipv4.tcp_synack_retries", "then the client's next segment gets a RST"),
        ),
        f"for longer than {lasting(change.seconds)}; {count(again, 'SYN or SYN,ACK', 'SYNs and SYN,ACKs')} sent again",
        tuple(_fixes(change, sock)),
        "SYN-RECEIVED empties while the accept queue is being emptied",
        "accept-queue",
        len(waiting),
        change.holders([sock]),
        listener=where,
    )


def _unknown(change: Change, overflows: int) -> Finding:
    return Finding(
        "accept-queue",
        Severity.WARNING,
        f"Some accept queue overflowed {pace(overflows / change.seconds)}, for too short a time to be seen full.",
        (change.counted("TcpExtListenOverflows"), change.counted("TcpExtListenDrops")),
        f"{count(overflows, 'overflow')} in {lasting(change.seconds)}",
        (
            Fix("look again with a shorter --interval, to see which listener it is"),
            Fix("accept() sooner, or a larger backlog in listen()"),
        ),
        "ListenOverflows does not grow any more",
        "accept-queue",
        overflows,
        per_second=overflows / change.seconds,
    )
