"""CLOSE-WAIT leaks: the peer has closed, and the process does not; told apart by what it has read."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from enum import Enum
from typing import Final

from tulpen.doctor.change import Change
from tulpen.doctor.finding import Evidence, Finding, Fix, Severity
from tulpen.doctor.words import count, lasting, local, remote
from tulpen.kernel.sock_diag import KernelSocket
from tulpen.tcp.state import State

_MANY: Final = 100


class Reading(Enum):
    """How far a process has read, by the receive queue, in which a FIN counts as one octet."""

    ALL = "it has read the end (EOF) and has not closed"
    END = "it has read every octet but not the end (EOF): it does not look at the socket any more"
    NOTHING = "octets lie unread before the end (EOF): it does not read"


_FIXES: Final = {
    Reading.ALL: Fix("close the socket where recv() gives 0 octets, on every way out (finally, with, defer)"),
    Reading.END: Fix("keep waiting for the socket (poll, select) while it is idle, read the end, and close; a pool "
                     "must look at a connection before it puts it away"),
    Reading.NOTHING: Fix("read what comes, or close: the process is blocked elsewhere or has forgotten the socket; "
                         "look at its stack"),
}  # fmt: skip

_WAITING: Final = {
    Reading.ALL: "nothing waits to be read",
    Reading.END: "the FIN of each, which counts as one octet",
    Reading.NOTHING: "octets wait to be read, the FINs among them",
}


def reading(sock: KernelSocket) -> Reading:
    """Say how far the process has read."""
    return Reading.ALL if sock.recv_q == 0 else Reading.END if sock.recv_q == 1 else Reading.NOTHING


def age(sock: KernelSocket) -> float:
    """Return for how many seconds nothing has come: the FIN was the last."""
    return 0.0 if sock.info is None else sock.info.last_ack_recv / 1000


def leaked(change: Change) -> list[KernelSocket]:
    """Return the sockets in CLOSE-WAIT, in both looks, on which the process has long done nothing."""
    return [
        now
        for then, now in change.pairs
        if now.state is then.state is State.CLOSE_WAIT
        and now.inode
        and age(now) >= change.limits.close_wait
        and now.send_q == 0
        and then.info is not None
        and now.info is not None
        and now.info.bytes_sent == then.info.bytes_sent
    ]


def find(change: Change) -> Iterator[Finding]:
    """Find leaks by process, by how far it has read, and by where the connections came in."""
    groups: dict[tuple[str, Reading], list[KernelSocket]] = defaultdict(list)
    for sock in leaked(change):
        groups[str(change.holders([sock])[0]), reading(sock)].append(sock)
    for (_, how), socks in groups.items():
        yield _finding(change, how, socks)


def _finding(change: Change, how: Reading, socks: list[KernelSocket]) -> Finding:
    holders = change.holders(socks)
    oldest = max(age(sock) for sock in socks)
    before = {then.cookie for then, _ in change.pairs if then.state is State.CLOSE_WAIT}
    came = [each for each in change.after.sockets if each.state is State.CLOSE_WAIT and each.cookie not in before]
    new = sum(str(each) == str(holders[0]) for sock in came for each in change.holders([sock])[:1])
    # What is new may yet be closed; it counts as the pace, not as the leak.
    ends = Counter(local(sock) if change.after.listener_of(sock) else remote(sock) for sock in socks)
    end, _ = ends.most_common(1)[0]
    incoming = change.after.listener_of(socks[0]) is not None
    unread = sum(sock.recv_q for sock in socks)
    return Finding(
        "close-wait",
        Severity.CRITICAL if len(socks) >= _MANY else Severity.WARNING,
        f"{holders[0]} leaks {count(len(socks), 'socket')} in CLOSE-WAIT: {how.value}.",
        (
            Evidence("CLOSE-WAIT", len(socks), None, f"the oldest for {lasting(oldest)}"),
            Evidence("Recv-Q", unread, None, _WAITING[how]),
            *(
                Evidence(f"{'of listener' if incoming else 'towards'} {name}", number)
                for name, number in ends.most_common(3)
            ),
            *(
                Evidence("descriptors", " ".join(map(str, holder.fds)), None, str(holder))
                for holder in holders[:1]
                if holder.fds
            ),
        ),
        f"the oldest for {lasting(oldest)}; {count(new, 'new one')} in {lasting(change.seconds)}",
        (
            _FIXES[how],
            Fix("no sysctl and no keep-alive ends CLOSE-WAIT: the peer is answering, the process must close"),
        ),
        "the process still sends on these sockets: a half-close that is meant",
        "close-wait",
        len(socks),
        holders,
        listener=end if incoming else "",
        destination="" if incoming else end,
        per_second=new / change.seconds,
        age=oldest,
    )
