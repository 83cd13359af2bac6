"""Connections that end by RST: who sends them, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from tulpen.doctor.change import Change, Departure
from tulpen.doctor.checks.idle_resets import explained
from tulpen.doctor.finding import Evidence, Finding, Fix, Severity
from tulpen.doctor.words import count, lasting, local, pace, remote
from tulpen.tcp.state import State


class Cause(NamedTuple):
    """A way in which this machine comes to send a RST."""

    counter: str
    why: str
    fix: str


_UNREAD: Final = Cause(
    "TcpExtTCPAbortOnClose",
    "it was closed with octets unread",
    "read to the end (EOF) before close(): what is unread turns the FIN into a RST, and the peer may lose the answer",
)
_LINGER: Final = Cause(
    "TcpExtTCPAbortOnData",
    "SO_LINGER 0 was set",
    "leave SO_LINGER alone: it throws away what was not yet sent; against TIME-WAIT use a pool",
)
_AFTER_CLOSE: Final = Cause(
    "TcpExtTCPAbortOnData",
    "octets came for what was closed already",
    "read to the end (EOF) before close(), or tell the peer not to send: shutdown(SHUT_WR), read, close",
)
_LINGER_2: Final = Cause(
    "TcpExtTCPAbortOnLinger",
    "TCP_LINGER2 is negative: there is no FIN-WAIT-2",
    "leave TCP_LINGER2 alone, or give it seconds",
)
_GAVE_UP: Final = Cause(
    "TcpExtTCPAbortOnTimeout",
    "the peer answered nothing more",
    "see what became of the peers: down, or behind a firewall that forgot the connection",
)


def causes(change: Change) -> dict[Cause, int]:
    """Return how many connections this machine reset for each cause.

    Linux counts SO_LINGER 0 and text after close() under one name; the first ends
    connections that are up (TcpEstabResets), the second such as are closing already.
    """
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


def _gone(change: Change, counter: str, *, closing: bool = False) -> list[Departure]:
    """Return the connections that went in a step in which this counter grew; or those closed meanwhile."""
    closable = (State.ESTABLISHED, State.FIN_WAIT_1, State.FIN_WAIT_2)
    left = change.left_from(*closable) if closing else change.departures
    return [each for each in left if change.step_grew(each.step, counter)]


def _where(change: Change, gone: Sequence[Departure]) -> tuple[str, str]:
    """Return the listener that most of them came in by, and the destination that most went out to."""
    ins = Counter(local(each.sock) for each in gone if change.before.listener_of(each.sock))
    outs = Counter(remote(each.sock) for each in gone if not change.before.listener_of(each.sock))
    return (ins.most_common(1)[0][0] if ins else "", outs.most_common(1)[0][0] if outs else "")


def _sent(change: Change, cause: Cause, number: int) -> Finding:
    gone = _gone(change, cause.counter, closing=cause is _AFTER_CLOSE)
    holders = tuple(holder for holder in change.holders(each.sock for each in gone) if holder.uid is not None)
    listener, destination = _where(change, gone)
    who = str(holders[0]) if holders else "This machine"
    place = f" on {listener}" if listener else f" to {destination}" if destination else ""
    return Finding(
        "resets",
        Severity.WARNING,
        f"{who} resets connections{place}, {pace(number / change.seconds)}: {cause.why}.",
        (
            change.counted(cause.counter),
            change.counted("TcpOutRsts"),
            change.counted("TcpEstabResets"),
            Evidence("seen to go", len(gone), None, _seen(holders)),
        ),
        f"{count(number, 'reset')} in {lasting(change.seconds)}",
        (Fix(cause.fix),),
        f"{cause.counter} does not grow any more",
        "rst",
        number,
        holders,
        listener,
        destination,
        number / change.seconds,
    )


def _seen(holders: Sequence[object]) -> str:
    return "" if holders else "they lived too briefly to be seen: look with a shorter --interval"


def _received(change: Change, number: int, ours: dict[Cause, int]) -> Finding:
    gone = _gone(change, "TcpEstabResets")
    holders = change.holders(each.sock for each in gone if each.sock.inode)
    listener, destination = _where(change, gone)
    peers = Counter(remote(each.sock) for each in gone)
    place = f" to {destination}" if destination else f" on {listener}" if listener else ""
    whose = f" of {holders[0]}" if holders else ""
    return Finding(
        "resets",
        Severity.WARNING,
        f"Peers reset connections{whose}{place}, {pace(number / change.seconds)}.",
        (
            change.counted("TcpEstabResets", "of ours by us and by peers"),
            *(change.counted(cause.counter) for cause, times in ours.items() if times),
            Evidence("seen to go", len(gone), None, _seen(holders)),
            *(Evidence(f"by {peer}", times) for peer, times in peers.most_common(3)),
        ),
        f"{count(number, 'reset')} in {lasting(change.seconds)}",
        (
            Fix("look at the peer: a process that died, was restarted, closed with octets unread, or has SO_LINGER 0"),
            Fix(
                "if the peer has sent none, something on the way did: compare the TTL of the RSTs with that of "
                "its segments"
            ),
        ),
        "TcpEstabResets does not grow any more",
        "rst",
        number,
        holders,
        listener,
        destination,
        number / change.seconds,
    )


def _stray(change: Change, number: int) -> Finding:
    return Finding(
        "resets",
        Severity.NOTICE,
        f"This machine answers {pace(number / change.seconds)} segments for nobody with RST: closed ports, or "
        f"connections "
        "that it does not know (any more).",
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
