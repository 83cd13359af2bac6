"""How a socket's life began and ended, from its word (see kernel/tcp_codes).

The tracepoint shows some transitions and hides others.  What lay between two that do not
meet is a route of tcp/routes.py; so is TIME-WAIT, which the tracepoint shows as CLOSED.
"""

from __future__ import annotations

from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from tulpen.kernel import tcp_codes as codes
from tulpen.show.ladder import Standing
from tulpen.tcp.routes import ALL_EVENTS, ORDERLY, Route, route, routes
from tulpen.tcp.state import Event, State

if TYPE_CHECKING:
    from tulpen.kernel.tcp_codes import Step


class Opened(Enum):
    """How a connection was opened."""

    ACTIVE = "active"
    PASSIVE = "passive"
    SIMULTANEOUS = "simultaneous"
    BEFORE = "before"  # it was there when the watch began, or its beginning was lost


class Ending(Enum):
    """How a connection ended."""

    ORDERLY = "orderly"
    HALF_CLOSED = "half-closed"  # orderly, and one direction was closed long before the other, or by shutdown()
    RESET_BY_PEER = "reset by peer"
    RESET_BY_US = "reset by us"
    RESET = "reset"  # by whom is not to be known
    REFUSED = "refused"
    UNREAD = "aborted, data unread"
    LINGER_0 = "aborted, linger 0"
    KEEPALIVE = "keep-alive death"
    GAVE_UP = "gave up"  # nothing was acknowledged any more: tcp_retries2, an orphan's retries or the user timeout
    USER_TIMEOUT = "user timeout"
    UNANSWERED = "unanswered"  # no SYN was answered
    UNREACHABLE = "unreachable"  # a router said so
    ABANDONED = "abandoned"  # closed before the handshake's end
    KILLED = "killed"  # by an administrator: ss -K
    UNKNOWN = "unknown"


class Verdict(NamedTuple):
    """What became of one end of a connection."""

    opened: Opened
    ending: Ending
    by: str  # who ended it, or closed first: us, peer, both; empty: nobody did, or it is unknown
    why: str  # a clause, may be empty
    path: tuple[Standing, ...]  # what was not seen is marked
    listener: bool = False


# What a reset of ours says of itself (enum sk_rst_reason).
_RESETS: Final = {
    "TCP_ABORT_ON_DATA": (Ending.RESET_BY_US, "data came for an application that had closed"),
    "TCP_ABORT_ON_CLOSE": (Ending.UNREAD, "closed with data unread"),
    "TCP_ABORT_ON_LINGER": (Ending.RESET_BY_US, "an orphan, and TCP_LINGER2 is negative"),
    "TCP_ABORT_ON_MEMORY": (Ending.RESET_BY_US, "too many orphans, or no memory for TCP"),
    "TCP_KEEPALIVE_TIMEOUT": (Ending.KEEPALIVE, "no keep-alive probe was answered"),
    "TCP_DISCONNECT_WITH_DATA": (Ending.RESET_BY_US, "disconnected with data unsent"),
    "TCP_INVALID_ACK_SEQUENCE": (Ending.RESET_BY_US, "an ACK of what was never sent"),
    "TCP_ACK_UNSENT_DATA": (Ending.RESET_BY_US, "an ACK of what was never sent"),
    "TCP_OLD_ACK": (Ending.RESET_BY_US, "an old ACK"),
    "TCP_TOO_OLD_ACK": (Ending.RESET_BY_US, "an ACK that is too old"),
    "INVALID_SYN": (Ending.RESET_BY_US, "a SYN in the window"),
}
REASONS: Final = {
    **{name: words for name, (_, words) in _RESETS.items()},
    "NO_SOCKET": "nobody listens there",
    "TCP_TIMEWAIT_SOCKET": "it was in TIME-WAIT",
    "TCP_STATE": "aborted",
    "TCP_FLAGS": "flags that contradict each other",
    "TCP_RFC7323_PAWS": "an old timestamp",
}


@lru_cache(maxsize=4096)
def judge(word: bytes, *, unanswered: bool = False, at_once: bool = True) -> Verdict:
    """Return the verdict on a life, of a word without retransmissions.

    ``unanswered``: the last thing it did was to send again and again.  ``at_once``: it
    was destroyed in the moment it came to CLOSED.
    """
    steps = [(place, step) for place, code in enumerate(word) if (step := codes.STEPS[code]) is not None]
    if not steps:
        return Verdict(Opened.BEFORE, Ending.UNKNOWN, "", "", ())
    last_place, last = steps[-1]
    since = steps[-2][0] + 1 if len(steps) > 1 else 0
    before, after = word[since:last_place], word[last_place + 1 :]
    path = _path([step for _, step in steps])
    opened = _opened(word, [step for _, step in steps])
    if last.before is State.LISTEN or word[0] == codes.LISTENING:
        return Verdict(opened, Ending.ORDERLY, "us", "the listener was closed", path, listener=True)
    if last.after is not State.CLOSED:
        return Verdict(opened, Ending.UNKNOWN, "", "its end was not seen", path)
    ending, by, why = _ending(last, before, after, unanswered=unanswered, at_once=at_once)
    events = ORDERLY if ending in (Ending.ORDERLY, Ending.HALF_CLOSED) else ALL_EVENTS - ORDERLY
    return Verdict(opened, ending, by, why, _with_end(path, last.before, events))


def _opened(word: bytes, steps: list[Step]) -> Opened:
    if word[0] == codes.PASSIVE_OPEN:
        return Opened.PASSIVE
    if word[0] != codes.ACTIVE_OPEN:
        return Opened.BEFORE
    met = any(step.before is State.SYN_SENT and step.after is State.SYN_RECEIVED for step in steps)
    return Opened.SIMULTANEOUS if met else Opened.ACTIVE


def _path(steps: list[Step]) -> tuple[Standing, ...]:
    """Return the states of what was seen; where two steps do not meet, the route between them, marked."""
    path = [Standing(steps[0].before)]
    for step in steps:
        here = path[-1].state
        if here is not None and here is not step.before:
            between = _usual(here, step.before)
            path += [Standing(row.target, True) for row in between] or [Standing(step.before, True)]
        path.append(Standing(step.after))
    return tuple(path)


def _usual(source: State, target: State) -> Route:
    """Return the shortest route that is not a simultaneous open, if there is another."""
    ways = routes(source, target, ORDERLY) or routes(source, target)
    crossing = (State.SYN_SENT, Event.SYN)
    return min(ways, key=lambda way: any((row.source, row.event) == crossing for row in way), default=())


def _with_end(path: tuple[Standing, ...], last: State, events: frozenset[Event]) -> tuple[Standing, ...]:
    """Put TIME-WAIT where the tracepoint shows CLOSED and the table says that it comes before."""
    hidden = route(last, State.CLOSED, events) or ()
    if len(hidden) < 2 or path[-1].state is not State.CLOSED:
        return path
    return (*path[:-1], *(Standing(row.target, True) for row in hidden[:-1]))


def _ending(last: Step, before: bytes, after: bytes, *, unanswered: bool, at_once: bool) -> tuple[Ending, str, str]:
    """Say how a life ended whose last transition led to CLOSED: a reset first, silence next, then the two FINs."""
    if codes.RESET_RECEIVED in before:
        if last.before is State.SYN_SENT:
            return Ending.REFUSED, "peer", ""
        return Ending.RESET_BY_PEER, "peer", ""
    killed = next((code for code in reversed(before) if codes.reason_of(code) is not None), None)
    if killed is not None:
        return _reset(codes.reason_of(killed) or "", last, first=True, at_once=at_once)
    sent = next((code for code in after if codes.reason_of(code) is not None), None)
    if sent is not None:
        return _reset(codes.reason_of(sent) or "", last, first=False, at_once=at_once)
    softirq = last.context == codes.CLOSE_IN_SOFTIRQ
    if last.before is State.SYN_SENT:
        if not softirq:
            return Ending.ABANDONED, "us", "closed before it was answered"
        return (Ending.UNANSWERED, "", "no SYN was answered") if unanswered else (Ending.UNREACHABLE, "", "")
    if unanswered and last.before is not State.FIN_WAIT_2:
        return Ending.GAVE_UP, "", "nothing was acknowledged any more"
    return _orderly(last, before, after)


def _orderly(last: Step, before: bytes, after: bytes) -> tuple[Ending, str, str]:
    match last.before:
        case State.LAST_ACK:
            return Ending.ORDERLY, "peer", ""
        case State.CLOSING:
            return Ending.ORDERLY, "both", ""
        case State.FIN_WAIT_2 if codes.RELEASED in after and last.context != codes.CLOSE_OF_ANOTHER:
            return Ending.HALF_CLOSED, "us", "by shutdown()"
        case State.FIN_WAIT_2 | State.TIME_WAIT:
            return Ending.ORDERLY, "us", ""
        case State.SYN_RECEIVED:
            return Ending.ABANDONED, "", "the handshake did not end"
        case _:
            pass
    if last.context == codes.CLOSE_IN_SOFTIRQ:
        return Ending.GAVE_UP, "", "nothing was acknowledged any more"
    return Ending.RESET_BY_US, "us", "aborted"


def _reset(reason: str, last: Step, *, first: bool, at_once: bool) -> tuple[Ending, str, str]:
    """Say what a reset of ours means; ``first``: it was sent before the socket came to CLOSED."""
    if reason in _RESETS:
        ending, why = _RESETS[reason]
        return ending, "us", why
    if reason == "TCP_STATE":
        if first:
            return Ending.KILLED, "us", "SOCK_DESTROY, as ss -K sends it"
        if last.context == codes.CLOSE_OF_ANOTHER:
            return Ending.RESET_BY_US, "us", "its listener was closed before it was accepted"
        if at_once:
            return Ending.LINGER_0, "us", "closed with SO_LINGER 0"
        return Ending.RESET_BY_US, "us", "disconnected: connect() with AF_UNSPEC"
    if reason:
        return Ending.RESET_BY_US, "us", REASONS.get(reason, reason)
    return _unreasoned(last, first=first)


def _unreasoned(last: Step, *, first: bool) -> tuple[Ending, str, str]:
    """Guess as far as the context allows: this kernel gives no reason."""
    if last.context == codes.CLOSE_IN_SOFTIRQ:
        if first:
            return Ending.KEEPALIVE, "us", "no keep-alive probe was answered"
        return Ending.RESET_BY_US, "us", "data came for an application that had closed"
    if last.context == codes.CLOSE_OF_ANOTHER:
        return Ending.RESET_BY_US, "us", "its listener was closed before it was accepted"
    return Ending.RESET_BY_US, "us", "closed with data unread, with SO_LINGER 0, or disconnected"
