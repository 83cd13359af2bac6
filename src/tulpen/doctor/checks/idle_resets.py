"""Connections that are reset after the same idle time: something on the way, or the peer, has a limit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from tulpen.doctor.change import Change, Departure
from tulpen.doctor.finding import Evidence, Finding, Fix, Severity
from tulpen.doctor.limits import USUAL_IDLE
from tulpen.doctor.words import count, endpoint, lasting


def alike(departures: Sequence[Departure]) -> list[Departure]:
    """Return the most of them whose idle times can have been the same."""
    best: list[Departure] = []
    for each in departures:
        group = [other for other in departures if other.idle <= each.until and each.until <= other.until]
        if len(group) > len(best):
            best = group
    return best


def cut_off(change: Change) -> list[Departure]:
    """Return the idle connections that went without a FIN, in steps in which as many were reset."""
    per_step = Counter(each.step for each in change.departures)
    return [
        each
        for each in change.departures
        if each.idle >= change.limits.alike_idle
        and change.step_grew(each.step, "TcpEstabResets") >= per_step[each.step]
        and not change.step_grew(each.step, "TcpExtTCPAbortOnTimeout")
    ]


def explained(change: Change) -> int:
    """Return how many resets this finding accounts for."""
    group = alike(cut_off(change))
    return len(group) if len(group) >= change.limits.alike else 0


def find(change: Change) -> Iterator[Finding]:
    """Find resets, by others, of connections that had been idle for the same time."""
    group = alike(cut_off(change))
    if len(group) >= change.limits.alike:
        yield _finding(change, group)


def _finding(change: Change, group: Sequence[Departure]) -> Finding:
    low, high = max(each.idle for each in group), min(each.until for each in group)
    low, high = min(low, high), max(low, high)
    holders = change.holders(each.sock for each in group)
    hosts = Counter(
        endpoint(each.sock.name.remote, 0 if change.before.listener_of(each.sock) else each.sock.name.remote_port)
        for each in group
    )
    where = hosts.most_common(1)[0][0].removesuffix(":0")
    known = [f"{who} has {seconds} s" for who, seconds in USUAL_IDLE if low <= seconds <= high]
    return Finding(
        "idle-resets",
        Severity.CRITICAL,
        f"{count(len(group), 'connection')} of {holders[0]} to {where} were reset after the same idle time, between "
        f"{lasting(low)} and {lasting(high)}: a limit of the peer's or of something on the way.",
        (
            Evidence("idle when reset", f"{lasting(low)} to {lasting(high)}", None, "; ".join(known)),
            Evidence("connections", len(group)),
            change.counted("TcpEstabResets"),
            *(Evidence(f"to {host.removesuffix(':0')}", number) for host, number in hosts.most_common(3)),
        ),
        f"{count(len(group), 'reset')} in {lasting(change.seconds)}",
        (
            Fix("close, or send a heartbeat, before that time has passed; a pool must not give out what is older"),
            Fix(f"SO_KEEPALIVE with TCP_KEEPIDLE below {max(1, int(low))} on these sockets"),
            Fix("raise the limit where it is set: the load balancer, the proxy, the server's own keep-alive"),
            Fix(
                "a sooner keep-alive for every socket that has it on",
                f"sysctl -w net.ipv4.tcp_keepalive_time={max(1, int(low / 2))}",
                "a small packet for each idle connection as often; sockets without SO_KEEPALIVE are not helped",
            ),
        ),
        "connections that were idle for longer are still up",
        "rst",
        len(group),
        holders,
        destination=where,
        per_second=len(group) / change.seconds,
        age=high,
    )
