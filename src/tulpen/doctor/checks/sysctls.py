"""Settings that hurt, or that do nothing of what they are set for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from tulpen.doctor.change import Change, idle_of
from tulpen.doctor.finding import Evidence, Finding, Fix, Severity
from tulpen.doctor.words import count, lasting, local
from tulpen.kernel.sock_diag import Timer
from tulpen.tcp.state import State

_SOMAXCONN: Final = 4096  # Linux's own since 5.4; 128 before
_TIMEOUT: Final = 100.0  # seconds: RFC 9293 §3.8.3 (SHLD-11) lets a connection live at least so long


class Bad(NamedTuple):
    """A value that one should not have."""

    name: str
    hurts: Callable[[int], bool]
    says: str
    command: str  # the value to give
    cost: str
    severity: Severity = Severity.NOTICE
    lab: str = ""


_COOKIES: Final = "connections made by a cookie lose window scaling and SACK where timestamps are off"

BAD: Final = (
    Bad("net.ipv4.tcp_tw_recycle", bool,
        "drops SYNs of clients behind one NAT whose clocks differ (Linux 4.12 removed it)",
        "0", "TIME-WAIT lasts its minute", Severity.CRITICAL, "tw-recycle"),
    Bad("net.ipv4.tcp_syncookies", lambda value: value == 0, "lets a handful of forged SYNs shut a listener",
        "1", _COOKIES, Severity.WARNING, "syn-flood"),
    Bad("net.ipv4.tcp_syncookies", lambda value: value == 2,
        "answers every SYN with a cookie, also where there is room: it is meant for tests",
        "1", "none", Severity.WARNING, "syn-flood"),
    Bad("net.ipv4.tcp_timestamps", lambda value: value == 0,
        "leaves no protection against old duplicates (PAWS), coarse round-trip times, and tcp_tw_reuse without effect",
        "1", "12 octets a segment", lab="time-wait"),
    Bad("net.ipv4.tcp_sack", lambda value: value == 0, "makes each round trip repair one loss at most",
        "1", "none", Severity.WARNING, "loss"),
    Bad("net.ipv4.tcp_window_scaling", lambda value: value == 0,
        "holds every connection to 65,535 octets a round trip", "1", "none", Severity.WARNING, "loss"),
    Bad("net.ipv4.tcp_abort_on_overflow", bool, "resets clients that would have got in a moment later",
        "0", "they wait a second or more where they now get a RST", lab="accept-queue"),
    Bad("net.ipv4.tcp_low_latency", bool, "has done nothing since Linux 4.14", "0", "none"),
    Bad("net.ipv4.tcp_fack", bool, "has done nothing since Linux 4.15 (RACK took its place)", "0", "none"),
)  # fmt: skip


def find(change: Change) -> Iterator[Finding]:
    """Find single values first, then those that are wrong beside others or beside what is going on."""
    for bad in BAD:
        value = change.after.sysctls.number(bad.name)
        if value is not None and bad.hurts(value):
            yield _setting(change, bad, value)
    for check in (_reuse_without_timestamps, _somaxconn, _tw_buckets, _keep_alive, _retries):
        yield from check(change)


def _setting(change: Change, bad: Bad, value: int) -> Finding:
    return _told(
        change, bad.severity, f"{bad.name} = {value} {bad.says}.", (change.setting(bad.name),),
        Fix("set it back", f"sysctl -w {bad.name}={bad.command}", bad.cost),
        "nothing here uses TCP in a way that this bears on", bad.lab,
    )  # fmt: skip


def _told(
    change: Change,
    severity: Severity,
    sentence: str,
    evidence: tuple[Evidence, ...],
    fix: Fix,
    unless: str,
    lab: str = "",
) -> Finding:
    return Finding("sysctls", severity, sentence, evidence, "as long as it is set", (fix,), unless, lab)


def _reuse_without_timestamps(change: Change) -> Iterator[Finding]:
    if change.number("net.ipv4.tcp_tw_reuse", 0) == 1 and change.number("net.ipv4.tcp_timestamps", 1) == 0:
        yield _told(
            change,
            Severity.WARNING,
            "net.ipv4.tcp_tw_reuse = 1 does nothing: net.ipv4.tcp_timestamps is 0.",
            (change.setting("net.ipv4.tcp_tw_reuse"), change.setting("net.ipv4.tcp_timestamps")),
            Fix("timestamps on", "sysctl -w net.ipv4.tcp_timestamps=1", "12 octets a segment"),
            "ports in TIME-WAIT are taken again before their minute is over",
            "port-exhaustion",
        )


def _somaxconn(change: Change) -> Iterator[Finding]:
    """A backlog that is somaxconn to the number was, most likely, larger when the program asked for it."""
    most = change.number("net.core.somaxconn", _SOMAXCONN)
    if most >= _SOMAXCONN:
        return
    capped = [sock for sock in change.after.listeners if sock.send_q == most]
    if capped:
        where = ", ".join(sorted({local(sock) for sock in capped})[:3])
        yield Finding(
            "sysctls",
            Severity.NOTICE,
            f"net.core.somaxconn = {most} caps the backlog of {count(len(capped), 'listener')} ({where}): what "
            f"they asked "
            "for beyond it they did not get.",
            (
                change.setting("net.core.somaxconn"),
                *(Evidence(f"backlog of {local(sock)}", sock.send_q) for sock in capped[:3]),
            ),
            "since these sockets began to listen",
            (
                Fix(
                    "raise it, and start the services again: a backlog is cut when listen() is called",
                    f"sysctl -w net.core.somaxconn={_SOMAXCONN}",
                    "clients wait longer before they learn that the server is too slow",
                ),
            ),
            "the program asked for just that many",
            "accept-queue",
            holders=change.holders(capped),
            listener=local(capped[0]),
        )


def _tw_buckets(change: Change) -> Iterator[Finding]:
    overflow = change.grew("TcpExtTCPTimeWaitOverflow")
    most = change.number("net.ipv4.tcp_max_tw_buckets", 0)
    waiting = change.after.totals.time_wait or 0
    if overflow or (most and waiting >= 0.9 * most):
        yield _told(
            change,
            Severity.WARNING,
            f"net.ipv4.tcp_max_tw_buckets = {most} {'is' if overflow else 'is nearly'} reached: connections skip "
            f"TIME-WAIT, "
            "so old duplicates can get into new ones and a lost last ACK is answered with RST.",
            (
                change.counted("TcpExtTCPTimeWaitOverflow"),
                Evidence("TCP tw", waiting),
                change.setting("net.ipv4.tcp_max_tw_buckets"),
            ),
            Fix(
                "more of them (first: fewer, longer connections)",
                f"sysctl -w net.ipv4.tcp_max_tw_buckets={max(262_144, 2 * most)}",
                "some 250 octets each",
            ),
            "TCPTimeWaitOverflow does not grow any more",
            "time-wait",
        )


def _keep_alive(change: Change) -> Iterator[Finding]:
    """Two hours are Linux's own value: they hurt where sockets rely on them and the path forgets sooner."""
    seconds = change.number("net.ipv4.tcp_keepalive_time", 0)
    relying = [
        sock
        for sock in change.after.connections
        if sock.state is State.ESTABLISHED
        and sock.timer is Timer.KEEPALIVE
        and sock.info is not None
        and not change.inside(sock)
        and idle_of(sock.info) >= change.limits.idle
        and abs(idle_of(sock.info) + sock.expires / 1000 - seconds) <= 1 + seconds / 100
    ]
    if relying and seconds > change.limits.idle:
        holders = change.holders(relying)
        yield Finding(
            "sysctls",
            Severity.NOTICE,
            f"net.ipv4.tcp_keepalive_time = {seconds}: {count(len(relying), 'idle connection')} of {holders[0]} "
            f"{'has' if len(relying) == 1 else 'have'} keep-alive on and send the first probe after "
            f"{lasting(seconds)} only.",
            (change.setting("net.ipv4.tcp_keepalive_time"), Evidence("relying on it", len(relying))),
            "as long as it is set",
            (
                Fix("TCP_KEEPIDLE on the sockets themselves"),
                Fix(
                    "sooner",
                    "sysctl -w net.ipv4.tcp_keepalive_time=120",
                    "a small packet for each idle connection every two minutes",
                ),
            ),
            "nothing between the two ends forgets idle connections",
            "half-open",
            holders=holders,
        )


def _retries(change: Change) -> Iterator[Finding]:
    retries = change.number("net.ipv4.tcp_retries2", 15)
    lives = sum(min(0.2 * 2**i, 120.0) for i in range(min(retries, 15) + 1))  # 15 are a quarter of an hour
    if lives < _TIMEOUT:
        yield _told(
            change,
            Severity.NOTICE,
            f"net.ipv4.tcp_retries2 = {retries} ends connections after {lasting(lives)} without an answer; "
            "RFC 9293 asks for 100 s at least.",
            (change.setting("net.ipv4.tcp_retries2"),),
            Fix(
                "set it back, and TCP_USER_TIMEOUT where it matters",
                "sysctl -w net.ipv4.tcp_retries2=15",
                "who has no timeout of his own waits for 15 minutes",
            ),
            "short outages are not to be survived here",
            "half-open",
        )
