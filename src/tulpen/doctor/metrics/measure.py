"""What is measured: gauges and counters by namespace and listener; a remote address is never a label.

The names are those of Prometheus; OpenTelemetry gets the same with dots.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from tulpen.doctor.change import Change
from tulpen.doctor.checks.close_wait import age
from tulpen.doctor.checks.ephemeral_ports import uses
from tulpen.doctor.words import local
from tulpen.tcp.state import State

if TYPE_CHECKING:
    from tulpen.doctor.finding import Finding
    from tulpen.doctor.sample import Sample

PREFIX: Final = "tulpen_tcp_"

L = TypeVar("L", bound=tuple[str, ...])


class Kind(Enum):
    """How a number moves."""

    GAUGE = "gauge"
    COUNTER = "counter"  # it only grows


class Measure(NamedTuple):
    """One metric with all its label sets."""

    name: str  # without the prefix, and without a counter's _total
    kind: Kind
    help: str
    labels: tuple[str, ...]
    points: list[tuple[tuple[str, ...], float]]


# Counters of the MIB: what is measured under which name, with one more label where several are one thing.
_MIB: Final = (
    ("listen_overflows", "Handshakes and SYNs turned away because an accept queue was full.", "TcpExtListenOverflows"),
    ("listen_drops", "SYNs and last ACKs that listeners dropped.", "TcpExtListenDrops"),
    ("segments_sent", "Segments sent.", "TcpOutSegs"),
    ("segments_retransmitted", "Segments sent again.", "TcpRetransSegs"),
    ("opens_active", "Connections opened by connect().", "TcpActiveOpens"),
    ("opens_passive", "Connections that came in.", "TcpPassiveOpens"),
    ("attempts_failed", "Connections that did not come about.", "TcpAttemptFails"),
    ("established_resets", "Connections that were up and were reset, by us or by the peer.", "TcpEstabResets"),
    ("resets_sent", "Segments sent with RST.", "TcpOutRsts"),
    ("time_wait_overflows", "Connections that skipped TIME-WAIT.", "TcpExtTCPTimeWaitOverflow"),
    ("syn_queue_drops", "SYNs dropped because the SYN queue was full.", "TcpExtTCPReqQFullDrop"),
    ("memory_pressures", "Times TCP came under memory pressure.", "TcpExtTCPMemoryPressures"),
)
_COOKIES: Final = {
    "sent": "TcpExtSyncookiesSent",
    "received": "TcpExtSyncookiesRecv",
    "failed": "TcpExtSyncookiesFailed",
}
_ABORTS: Final = {
    "unread data at close": "TcpExtTCPAbortOnClose",
    "linger 0 or data after close": "TcpExtTCPAbortOnData",
    "negative linger2": "TcpExtTCPAbortOnLinger",
    "no answer": "TcpExtTCPAbortOnTimeout",
    "memory": "TcpExtTCPAbortOnMemory",
}


def measures(samples: Sequence[Sample], findings: Sequence[Finding] = ()) -> list[Measure]:
    """Return what is to be told of these namespaces, each seen once."""
    found: dict[str, Measure] = {}
    for sample in samples:
        for measure in _of(sample):
            known = found.setdefault(measure.name, measure._replace(points=[]))
            known.points.extend(measure.points)
    return [*found.values(), _findings(findings)]


def _of(sample: Sample) -> Iterator[Measure]:
    place = sample.place
    states = Counter(sock.state for sock in sample.sockets)
    yield _gauge("sockets", "Sockets by state.", ("namespace", "state"),
                 {(place, state.title): states[state] for state in State if state is not State.CLOSED})  # fmt: skip
    yield from _listeners(sample)
    waiting = [age(sock) for sock in sample.sockets if sock.state is State.CLOSE_WAIT]
    yield _gauge("close_wait_oldest_seconds", "How long the oldest CLOSE-WAIT has been waiting for close().",
                 ("namespace",), {(place,): max(waiting, default=0.0)})  # fmt: skip
    used = max((use.ports for use in uses(Change([sample, sample]))), default=0)
    yield _gauge("port_use_ratio", "Ephemeral ports in use towards the destination with most, of all there are.",
                 ("namespace",), {(place,): used / sample.ephemeral_count})  # fmt: skip
    yield _gauge("orphans", "Sockets of no process, of the whole machine.", (),
                 {(): sample.totals.orphans or 0} if not place else {})  # fmt: skip
    yield _gauge("memory_bytes", "Memory of TCP's buffers, of the whole machine.", (),
                 {(): 4096 * (sample.totals.memory_pages or 0)} if not place else {})  # fmt: skip
    tracked = sample.conntrack
    yield _gauge("conntrack_entries", "Entries of connection tracking.", ("namespace",),
                 {(place,): tracked.entries} if tracked else {})  # fmt: skip
    yield _gauge("conntrack_limit", "Entries that connection tracking has room for.", ("namespace",),
                 {(place,): tracked.limit} if tracked else {})  # fmt: skip
    yield from _mib(sample)


def _listeners(sample: Sample) -> Iterator[Measure]:
    place = sample.place
    labels = ("namespace", "listener")
    each: Counter[tuple[str, str, str]] = Counter()
    for sock in sample.connections:
        listener = sample.listener_of(sock)
        if listener is not None:
            each[place, local(listener), sock.state.title] += 1
    names = {sock: (place, local(sock)) for sock in sample.listeners}
    queue: Counter[tuple[str, str]] = Counter()  # sockets of SO_REUSEPORT share a name
    limit: Counter[tuple[str, str]] = Counter()
    drops: Counter[tuple[str, str]] = Counter()
    for sock, name in names.items():
        queue[name] += sock.recv_q
        limit[name] += sock.send_q
        drops[name] += sock.memory.drops if sock.memory else 0
    yield _gauge("listener_sockets", "Connections of a listener by state.", (*labels, "state"), each)
    yield _gauge("accept_queue", "Connections that wait for accept().", labels, queue)
    yield _gauge("accept_queue_limit", "The listener's backlog.", labels, limit)
    yield counter("listener_drops", "What a listener has dropped.", labels, drops)


def _mib(sample: Sample) -> Iterator[Measure]:
    place, counters = sample.place, sample.counters
    for name, words, key in _MIB:
        yield counter(name, words, ("namespace",), {(place,): counters[key]} if key in counters else {})
    for name, words, label, keys in (
        ("syn_cookies", "SYN cookies.", "what", _COOKIES),
        ("aborts", "Connections that this machine reset, by the reason that Linux counts.", "reason", _ABORTS),
    ):
        points = {(place, what): counters[key] for what, key in keys.items() if key in counters}
        yield counter(name, words, ("namespace", label), points)


def _findings(findings: Sequence[Finding]) -> Measure:
    number = Counter((found.namespace, found.check, found.severity.value) for found in findings)
    return _gauge(
        "findings", "What tulpen doctor found since the last time.", ("namespace", "check", "severity"), number
    )


def counter(name: str, words: str, labels: tuple[str, ...], points: Mapping[L, float]) -> Measure:
    """Return a counter."""
    return Measure(name, Kind.COUNTER, words, labels, [(key, float(value)) for key, value in points.items()])


def _gauge(name: str, words: str, labels: tuple[str, ...], points: Mapping[L, float]) -> Measure:
    return Measure(name, Kind.GAUGE, words, labels, [(key, float(value)) for key, value in points.items()])
