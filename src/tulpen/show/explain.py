"""The topics of ``tulpen explain``, read from the tables that the engine runs on."""

from __future__ import annotations

import errno
import os
from dataclasses import fields
from typing import TYPE_CHECKING, Final

from tulpen.show.errnos import ERRNOS
from tulpen.show.meanings import EVENTS, STATES
from tulpen.show.topic import Topic
from tulpen.tcp import state as machine
from tulpen.tcp.config import Settings, SocketOptions
from tulpen.tcp.routes import ORDERLY, route
from tulpen.tcp.state import TRANSITIONS, Event, State
from tulpen.tcp.trace import Reason

if TYPE_CHECKING:
    from collections.abc import Iterable

# Names that other tools give the states.
_ALSO: Final[dict[State, tuple[str, ...]]] = {
    State.CLOSED: ("CLOSE", "UNCONN", "TCP_CLOSE"),
    State.SYN_RECEIVED: ("SYN-RECV", "TCP_SYN_RECV", "SYN_RCVD", "NEW_SYN_RECV"),
    State.ESTABLISHED: ("ESTAB",),
    State.FIN_WAIT_1: ("FIN-WAIT1",),
    State.FIN_WAIT_2: ("FIN-WAIT2",),
}

_PERMITS: Final[tuple[tuple[tuple[bool, ...], str], ...]] = (
    (machine.MAY_QUEUE, "send() is queued until ESTABLISHED"),
    (machine.MAY_SEND, "send()"),
    (machine.MAY_RECEIVE, "receiving data"),
)


def engine_topics() -> list[Topic]:
    """Return every topic that the connection's own tables know."""
    return [*_states(), *_events(), *_errnos(), *_settings(), *_reasons()]


def _states() -> Iterable[Topic]:
    for state in State:
        meaning = STATES[state]
        rows = [row for row in TRANSITIONS if row.target is state]
        rows += [row for row in TRANSITIONS if row.source is state]
        facts = [("permits", _permits(state)), ("lasts", meaning.lasts), ("many of them", meaning.many)]
        way = route(State.CLOSED, state, ORDERLY)
        if way:
            facts.append(("shortest way", ", ".join(row.event.title for row in way)))
        facts.append(("elsewhere", f"ss: {meaning.ss}; netstat: {_netstat(state)}"))
        also = (*_ALSO.get(state, ()), meaning.ss, _netstat(state), f"TCP_{state.name}")
        yield Topic("state", state.title, meaning.says, "RFC 9293 §3.3.2", tuple(facts), tuple(rows), also)


def _permits(state: State) -> str:
    allowed = [words for table, words in _PERMITS if table[state]]
    if machine.FIN_RECEIVED[state]:
        allowed.append("reading what came before the peer's FIN")
    return ", ".join(allowed) or "neither sending nor receiving data"


def _netstat(state: State) -> str:
    """Return the name that netstat(8) writes."""
    names = {
        State.CLOSED: "CLOSE",
        State.SYN_RECEIVED: "SYN_RECV",
        State.FIN_WAIT_1: "FIN_WAIT1",
        State.FIN_WAIT_2: "FIN_WAIT2",
    }
    return names.get(state, state.name)


def _events() -> Iterable[Topic]:
    for event in Event:
        meaning = EVENTS[event]
        rows = tuple(row for row in TRANSITIONS if row.event is event)
        yield Topic(
            "event", event.title, meaning.says, f"RFC 9293 §{meaning.section}", (("proved by", meaning.cause),), rows
        )


def _errnos() -> Iterable[Topic]:
    for name, meaning in ERRNOS.items():
        number = getattr(errno, name)
        facts = (
            ("errno", f"{number}: {os.strerror(number)}"),
            ("calls", meaning.calls),
            ("then", meaning.todo),
        )
        also = (str(number), os.strerror(number), "EWOULDBLOCK" if name == "EAGAIN" else name)
        yield Topic("errno", name, _sentence(meaning.when), meaning.source, facts, also=also)


def _settings() -> Iterable[Topic]:
    for kind, table in (("setting", Settings), ("socket option", SocketOptions)):
        for each in fields(table):
            name = each.name.upper() if table is SocketOptions else each.name
            facts = [("default", _value(each.default)), ("unit", each.metadata["unit"])]
            meaning, source = each.metadata["meaning"], each.metadata["source"]
            yield Topic(kind, name, _sentence(meaning), source, tuple(fact for fact in facts if fact[1]))


def _value(value: object) -> str:
    if value is None:
        return "not set"
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, tuple):
        return " ".join(str(part) for part in value)
    return str(value)


def _reasons() -> Iterable[Topic]:
    for reason in Reason:
        yield Topic("reason", reason.name, _sentence(reason.words), reason.source, _counted(reason))


def _counted(reason: Reason) -> tuple[tuple[str, str], ...]:
    return (("counter", reason.counter),) if reason.counter else ()


def _sentence(clause: str) -> str:
    return f"{clause[0].upper()}{clause[1:]}."


def counter_topics(counters: Iterable[tuple[str, str, str]]) -> list[Topic]:
    """Return the topics of (group, name, sentence), and of the counters that only a ``Reason`` names."""
    known = {name: (group, sentence) for group, name, sentence in counters}
    reasons: dict[str, list[Reason]] = {}
    for reason in filter(_counted, Reason):
        reasons.setdefault(reason.counter, []).append(reason)
    for name, causes in reasons.items():
        known.setdefault(name, ("Tulpen", _sentence("; ".join(cause.words for cause in causes))))
    return [
        Topic(
            "counter",
            name,
            sentence,
            "",
            (
                ("group", group),
                *(("raised by", f"{cause.name}: {cause.words}") for cause in reasons.get(name, ())),
            ),
            also=(f"{group}{name}",),
        )
        for name, (group, sentence) in known.items()
    ]
