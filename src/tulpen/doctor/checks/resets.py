"""Connections that end by RST: who sends them, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final, NamedTuple

from tulpen.doctor.change import Change
from tulpen.doctor.checks.cut import Cut, cut
from tulpen.doctor.checks.idle_resets import explained
from tulpen.doctor.finding import Evidence, Finding, Fix, Severity
from tulpen.doctor.words import count, lasting, pace
from tulpen.watch.verdict import Ending


class Cause(NamedTuple):
    """A way in which this machine comes to send a RST."""

    counter: str
    why: str
    fix: str
    endings: tuple[Ending, ...]


_UNREAD: Final = Cause(
    "TcpExtTCPAbortOnClose",
    "it was closed with octets unread",
    "read to the end (EOF) before close(): what is unread turns the FIN into a RST, and the peer may lose the answer",
    (Ending.UNREAD,),
)
_LINGER: Final = Cause(
    "TcpExtTCPAbortOnData",
    "SO_LINGER 0 was set",
    "leave SO_LINGER alone: it throws away what was not yet sent; against TIME-WAIT use a pool",
    (Ending.LINGER_0,),
)
_AFTER_CLOSE: Final = Cause(
    "TcpExtTCPAbortOnData",
    "octets came for what was closed already",
    "read to the end (EOF) before close(), or tell the peer not to send: shutdown(SHUT_WR), read, close",
    (Ending.RESET_BY_US,),
)
_LINGER_2: Final = Cause(
    "TcpExtTCPAbortOnLinger",
    "TCP_LINGER2 is negative: there is no FIN-WAIT-2",
    "leave TCP_LINGER2 alone, or give it seconds",
    (Ending.RESET_BY_US,),
)
_GAVE_UP: Final = Cause(
    "TcpExtTCPAbortOnTimeout",
    "the peer answered nothing more",
    "see what became of the peers: down, or behind a firewall that forgot the connection",
    (Ending.GAVE_UP, Ending.USER_TIMEOUT, Ending.KEEPALIVE),
)


def causes(change: Change) -> dict[Cause, int]:
    """Return how many connections this machine reset for each cause.

    Linux counts SO_LINGER 0 and text after close() under one name; the first ends
    connections that are up (TcpEstabResets), the second such as are closing already.
    """
    heard = Counter(each.verdict.ending for each in change.ended)
    if heard[Ending.LINGER_0] or heard[Ending.RESET_BY_US]:
        on_data = _LINGER if heard[Ending.LINGER_0] >= heard[Ending.RESET_BY_US] else _AFTER_CLOSE
        return {cause: change.grew(cause.counter) for cause in (_UNREAD, on_data, _LINGER_2, _GAVE_UP)}
    cut = change.grew("TcpEstabResets") - change.grew(_UNREAD.counter) - change.grew(_GAVE_UP.counter)
    on_data = _LINGER if 2 * cut >= change.grew(_LINGER.counter) else _AFTER_CLOSE
    return {cause: change.grew(cause.counter) for cause in (_UNREAD, on_data, _LINGER_2, _GAVE_UP)}


def find(change: Change) -> Iterator[Finding]:
    """Find resets that this machine sends, by cause; those that it gets; segments for nobody."""
    opened = change.grew("TcpActiveOpens") + change.grew("TcpPassiveOpens")
    opened += change.before.counters.get("TcpCurrEstab", 0)
    least = max(change.limits.resets, change.limits.reset_share * opened)
    ours = causes(change)
    for cause, number in ours.items():
        if number >= least:
            yield _sent(change, cause, number)
    received = change.grew("TcpEstabResets") - sum(ours.get(cause, 0) for cause in (_UNREAD, _LINGER, _GAVE_UP))
    if received - explained(change) >= least:
        yield _received(change, received, ours)
    stray = change.grew("TcpOutRsts") - sum(ours.values())
    if stray >= least and stray > received:
        yield _stray(change, stray)


def _sent(change: Change, cause: Cause, number: int) -> Finding:
    seen = cut(change, cause.counter, cause.endings, closing=cause is _AFTER_CLOSE)
    who = str(seen.holders[0]) if seen.holders else "This machine"
    return Finding(
        "resets",
        Severity.WARNING,
        f"{who} resets connections{_place(seen)}, {pace(number / change.seconds)}: {cause.why}.",
        (
            change.counted(cause.counter),
            change.counted("TcpOutRsts"),
            change.counted("TcpEstabResets"),
            *_seen(seen),
        ),
        f"{count(number, 'reset')} in {lasting(change.seconds)}",
        (Fix(cause.fix),),
        f"{cause.counter} does not grow any more",
        "rst",
        number,
        seen.holders,
        seen.listener,
        seen.destination,
        number / change.seconds,
    )


def _place(seen: Cut) -> str:
    return f" on {seen.listener}" if seen.listener else f" to {seen.destination}" if seen.destination else ""


def _seen(seen: Cut) -> Iterator[Evidence]:
    hint = "" if seen.holders else "they lived too briefly to be seen: look with a shorter --interval, or as root"
    yield Evidence("seen to go", seen.number, None, hint)
    for why, times in seen.reasons.most_common(3):
        yield Evidence("reason", why, None, count(times, "time"))
    for peer, times in seen.peers.most_common(3):
        yield Evidence(f"peer {peer}", times)


def _received(change: Change, number: int, ours: dict[Cause, int]) -> Finding:
    seen = cut(change, "TcpEstabResets", (Ending.RESET_BY_PEER,))
    whose = f" of {seen.holders[0]}" if seen.holders else ""
    return Finding(
        "resets",
        Severity.WARNING,
        f"Peers reset connections{whose}{_place(seen)}, {pace(number / change.seconds)}.",
        (
            change.counted("TcpEstabResets", "of ours by us and by peers"),
            *(change.counted(cause.counter) for cause, times in ours.items() if times),
            *_seen(seen),
        ),
        f"{count(number, 'reset')} in {lasting(change.seconds)}",
        (
            Fix("look at the peer: a process that died, was restarted, closed with octets unread, or has SO_LINGER 0"),
            Fix("if the peer has sent none, something on the way did: compare the TTL of the RSTs with its segments'"),
        ),
        "TcpEstabResets does not grow any more",
        "rst",
        number,
        seen.holders,
        seen.listener,
        seen.destination,
        number / change.seconds,
    )


def _stray(change: Change, number: int) -> Finding:
    return Finding(
        "resets",
        Severity.NOTICE,
        f"This machine answers {pace(number / change.seconds)} segments for nobody with RST: closed ports, or "
        "connections that it does not know (any more).",
        (
            change.counted("TcpOutRsts"),
            change.counted("TcpAttemptFails"),
            change.counted("TcpExtTCPReqQFullDrop"),
            change.counted("TcpExtSyncookiesFailed"),
            change.setting("net.ipv4.tcp_abort_on_overflow"),
        ),
        f"{count(number, 'RST')} in {lasting(change.seconds)}",
        (
            Fix("see which service is meant to listen and does not: tulpen watch names ports and reasons"),
            Fix("drop scans before they come here: a firewall"),
        ),
        "TcpOutRsts does not grow any more",
        "rst",
        number,
        per_second=number / change.seconds,
    )
