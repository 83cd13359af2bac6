"""Ephemeral ports towards one destination are used up: connect() fails with EADDRNOTAVAIL."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from tulpen.doctor.change import Change
from tulpen.doctor.finding import Evidence, Finding, Fix, Severity
from tulpen.doctor.words import endpoint, lasting, pace, share
from tulpen.kernel.sock_diag import KernelSocket, Timer
from tulpen.tcp.state import State
from tulpen.wire.address import is_loopback
from tulpen.wire.address import text as address_text

TIME_WAIT: Final = 60.0  # TCP_TIMEWAIT_LEN: no setting changes it
_RECENT: Final = 10.0  # seconds over which the making of TIME-WAIT is counted
_TIMESTAMPS: Final = 1  # TCPI_OPT_TIMESTAMPS
_USED_UP: Final = 0.98

Towards = tuple[bytes, bytes, int]  # source, destination, port


class Use(NamedTuple):
    """The ports that one source has in use towards one destination."""

    towards: Towards
    ports: int  # different ones
    waiting: tuple[KernelSocket, ...]  # in TIME-WAIT, nobody's any more
    open: tuple[KernelSocket, ...]
    blocked: int  # ports that connect() may not take now

    @property
    def made_per_second(self) -> float:
        """How many TIME-WAITs the last seconds made, by what is left of their minute."""
        ages = [age for sock in self.waiting if (age := TIME_WAIT - sock.expires / 1000) <= _RECENT]
        return len(ages) / _RECENT

    @property
    def free_in(self) -> tuple[float, float] | None:
        """In how many seconds the next port will be free, and when all that wait now will."""
        left = [sock.expires / 1000 for sock in self.waiting]
        return (min(left), max(left)) if left else None


def uses(change: Change) -> list[Use]:
    """Return what every source uses towards every destination."""
    groups: dict[Towards, list[KernelSocket]] = defaultdict(list)
    for sock in change.after.outgoing:
        groups[sock.name.local, sock.name.remote, sock.name.remote_port].append(sock)
    return [_use(change, towards, socks) for towards, socks in groups.items()]


def _use(change: Change, towards: Towards, socks: Sequence[KernelSocket]) -> Use:
    waiting = tuple(sock for sock in socks if sock.state is State.TIME_WAIT and sock.timer is Timer.TIME_WAIT)
    held = tuple(sock for sock in socks if sock.state is not State.TIME_WAIT)
    ports = len({sock.name.local_port for sock in socks})
    reusable = sum(TIME_WAIT - sock.expires / 1000 >= 1 for sock in waiting) if _reuses(change, towards, held) else 0
    return Use(towards, ports, waiting, held, ports - reusable)


def _reuses(change: Change, towards: Towards, held: Sequence[KernelSocket]) -> bool:
    """Say whether connect() may take a port from TIME-WAIT here: by the setting, and with timestamps on both sides."""
    reuse = change.number("net.ipv4.tcp_tw_reuse", 0)
    if reuse == 0 or (reuse == 2 and not is_loopback(towards[1])):
        return False
    return change.number("net.ipv4.tcp_timestamps", 1) != 0 and _stamps(held) is not False


def _stamps(held: Sequence[KernelSocket]) -> bool | None:
    """Say whether connections to that destination have timestamps; None: none is up to tell."""
    seen = [bool(sock.info.options & _TIMESTAMPS) for sock in held if sock.info and sock.state is not State.SYN_SENT]
    return any(seen) if seen else None


def find(change: Change) -> Iterator[Finding]:
    """Find destinations towards which the ports are nearly or quite used up."""
    total = change.after.ephemeral_count
    for use in uses(change):
        part = use.blocked / total
        if part >= change.limits.port_share:
            yield _finding(change, use, total, part)


def _finding(change: Change, use: Use, total: int, part: float) -> Finding:
    source, target, port = use.towards
    destination = endpoint(target, port)
    gone = part >= _USED_UP
    words = "quite" if gone else "nearly"
    fails = "connect() fails with EADDRNOTAVAIL" if gone else "soon connect() will fail with EADDRNOTAVAIL"
    made = use.made_per_second
    holders = change.holders(use.open) or _last_seen(change, use)
    return Finding(
        "ephemeral-ports",
        Severity.CRITICAL if gone else Severity.WARNING,
        f"The ephemeral ports from {address_text(source)} to {destination} are {words} used up "
        f"({use.blocked:,} of {total:,}): {fails}.",
        tuple(_evidence(change, use, total, part)),
        _since(use, made, total),
        tuple(_fixes(change, use)),
        "connect() from that address to that destination still succeeds, every time",
        "port-exhaustion",
        part,
        tuple(holder for holder in holders if holder.pid is not None or holder.uid is not None),
        destination=destination,
        per_second=made,
        age=max((TIME_WAIT - sock.expires / 1000 for sock in use.waiting), default=None),
    )


def _last_seen(change: Change, use: Use) -> tuple:  # type: ignore[type-arg]
    names = {sock.name for sock in use.waiting}
    socks = {
        sock.name: sock for sample in change.samples for sock in sample.sockets if sock.inode and sock.name in names
    }
    return change.holders(socks.values())


def _evidence(change: Change, use: Use, total: int, part: float) -> Iterator[Evidence]:
    yield Evidence("ports in use", use.ports, None, f"{share(part)} of {total:,} cannot be taken")
    yield Evidence("TIME-WAIT", len(use.waiting), None, f"{pace(use.made_per_second)} made in the last {_RECENT:.0f} s")
    yield Evidence("open", len(use.open))
    yield change.setting("net.ipv4.ip_local_port_range")
    yield change.setting("net.ipv4.tcp_tw_reuse", "0 never, 1 always, 2 on loopback alone")
    yield change.setting("net.ipv4.tcp_timestamps", "tcp_tw_reuse does nothing without")


def _since(use: Use, made: float, total: int) -> str:
    if use.free_in is None:
        return "every port is held by an open connection; none will be free before one is closed"
    first, last = use.free_in
    pace_words = f"{pace(made)} go into TIME-WAIT" if made else "nothing new goes into TIME-WAIT"
    return (
        f"{pace_words}, {pace(total / TIME_WAIT)} can be kept up; the next port is free in {lasting(first)}, "
        f"all that wait now in {lasting(last)}"
    )


def _fixes(change: Change, use: Use) -> Iterator[Fix]:
    yield Fix("keep connections and use them again (a pool, HTTP keep-alive) instead of one connection a request")
    yield Fix("let the other side close first: TIME-WAIT stays with who closes first")
    yield _reuse_fix(change, use)
    low, high = change.after.ephemeral[0], change.after.ephemeral[-1]
    if low > 1024 or high < 65_535:
        yield Fix(
            "a wider range",
            "sysctl -w net.ipv4.ip_local_port_range='1024 65535'",
            "ports that services listen on must be reserved (net.ipv4.ip_local_reserved_ports), or a client takes them",
        )
    yield Fix("more source addresses, or more destination addresses or ports: each pair has a range of its own")
    yield Fix("tcp_fin_timeout and tcp_max_tw_buckets are no remedy: the first does not shorten TIME-WAIT, "
              "the second breaks it")  # fmt: skip


def _reuse_fix(change: Change, use: Use) -> Fix:
    stamps = _stamps(use.open)
    if not use.waiting:
        return Fix("tcp_tw_reuse would not help: no port is in TIME-WAIT, all are open")
    if change.number("net.ipv4.tcp_timestamps", 1) == 0:
        return Fix(
            "tcp_tw_reuse would not help as long as timestamps are off: both are needed",
            "sysctl -w net.ipv4.tcp_timestamps=1 net.ipv4.tcp_tw_reuse=1",
            "12 octets a segment; connections that are in TIME-WAIT already stay there",
        )
    if stamps is False:
        return Fix("tcp_tw_reuse would not help: that destination does not do timestamps")
    if change.number("net.ipv4.tcp_tw_reuse", 0) == 1:
        return Fix("tcp_tw_reuse is on: what is blocked is younger than a second, or open")
    sure = "" if stamps else ", if that destination does timestamps (no connection is open that would tell)"
    return Fix(
        f"tcp_tw_reuse would help{sure}: a port is free after 1 s instead of 60",
        "sysctl -w net.ipv4.tcp_tw_reuse=1",
        "old duplicates are told by their timestamps alone",
    )
