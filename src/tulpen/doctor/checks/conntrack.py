"""The table of netfilter's connection tracking is full: new connections are dropped without a word."""

from __future__ import annotations

from collections.abc import Iterator

from tulpen.doctor.change import Change
from tulpen.doctor.finding import Evidence, Finding, Fix, Severity
from tulpen.doctor.words import count, lasting, pace, share

_LOST = ("drop", "early_drop", "insert_failed")


def find(change: Change) -> Iterator[Finding]:
    """Find a table that is nearly full, or that has no room for what is new."""
    now, then = change.after.conntrack, change.before.conntrack
    if now is None or then is None:
        return
    grew = {name: max(0, now.stat.get(name, 0) - then.stat.get(name, 0)) for name in _LOST}
    part = now.entries / now.limit if now.limit else 0.0
    full = part >= change.limits.conntrack_share
    if not full and not grew["drop"] and not grew["early_drop"]:
        return
    lost = grew["drop"] + grew["early_drop"]
    larger = max(now.limit * 2, 262_144)
    yield Finding(
        "conntrack",
        Severity.CRITICAL if lost or part >= 1 else Severity.WARNING,
        f"The connection tracking table is {'full' if lost or part >= 1 else 'nearly full'} ({now.entries:,} of "
        f"{now.limit:,}): " + ("new connections are dropped." if lost else "soon new connections are dropped."),
        (
            Evidence("nf_conntrack_count", now.entries, now.entries - then.entries, f"{share(part)} of the table"),
            Evidence("nf_conntrack_max", now.limit),
            *(Evidence(name, now.stat.get(name, 0), grew[name], "/proc/net/stat/nf_conntrack") for name in _LOST),
        ),
        f"{count(lost, 'drop')} in {lasting(change.seconds)}; "
        f"{pace((now.entries - then.entries) / change.seconds)} more"
        if now.entries >= then.entries
        else f"{count(lost, 'drop')} in {lasting(change.seconds)}",
        (
            Fix("keep connections (a pool): each that ends stays in the table for two minutes"),
            Fix("don't track what needs no tracking: nft ... notrack for the busy port"),
            Fix(
                "a larger table",
                f"sysctl -w net.netfilter.nf_conntrack_max={larger}",
                f"some 300 octets an entry: {larger * 300 // 1_000_000} MB when it is full",
            ),
            Fix(
                "forget ended connections sooner",
                "sysctl -w net.netfilter.nf_conntrack_tcp_timeout_time_wait=30",
                "late segments of an old connection count as new or invalid",
            ),
        ),
        "the count stays below the limit and drop does not grow",
        "port-exhaustion",
        part + lost,
        per_second=lost / change.seconds,
    )
