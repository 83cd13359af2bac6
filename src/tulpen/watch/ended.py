"""What is told of an end of a connection when its life is over."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tulpen.show.path import path_text
from tulpen.wire import address as wire

if TYPE_CHECKING:
    from tulpen.tcp.trace import FourTuple
    from tulpen.watch.verdict import Verdict
    from tulpen.watch.who import Who

_ARROWS: Final = {"active": "->", "passive": "<-", "simultaneous": "<>", "before": "--"}


class Ended(NamedTuple):
    """One end of a connection that ended; None: unknown.  Both ends of one on this machine are told."""

    at: float  # seconds since 1970
    name: FourTuple
    verdict: Verdict
    duration: float | None  # seconds, from its opening (of a passive one: from the handshake's end)
    waited: float | None  # seconds in CLOSE-WAIT or FIN-WAIT-2
    sent: int | None  # octets of text
    received: int | None
    retransmissions: int | None
    who: Who | None  # the process that opened it, or else the first that is known to have done something to it
    namespace: int | None  # the inode of the network namespace
    place: str  # what that is called; empty: our own, or unknown

    def as_json(self) -> str:
        """Return it as an object of JSON, on one line."""
        local, local_port, remote, remote_port = self.name
        return (
            f'{{"time":{self.at:.6f},"local":"{text(local)}","local_port":{local_port},'
            f'"remote":"{text(remote)}","remote_port":{remote_port},{_verdict(self.verdict)},'
            f'"duration":{_seconds(self.duration)},"waited":{_seconds(self.waited)},"sent":{_number(self.sent)},'
            f'"received":{_number(self.received)},"retransmissions":{_number(self.retransmissions)},'
            f'{_process(self.who)},"namespace":{_string(self.place)},"namespace_inode":{_number(self.namespace)}}}'
        )

    def as_line(self) -> str:
        """Return it as a line for people."""
        verdict = self.verdict
        ending = verdict.ending.value
        if ending in ("orderly", "half-closed") and verdict.by:
            ending += {"us": ", we closed first", "both": ", both at once", "peer": ", they closed first"}[verdict.by]
        parts = [
            f"{endpoint(self.name.local, self.name.local_port)} {_ARROWS[verdict.opened.value]} "
            f"{endpoint(self.name.remote, self.name.remote_port)}",
            (f"{self.who.command}/{self.who.pid}" if self.who else "?") + (f" in {self.place}" if self.place else ""),
            f"{ending}: {verdict.why}" if verdict.why else ending,
            duration(self.duration),
        ]
        if self.sent is not None and self.received is not None:
            parts.append(f"{self.sent:,} B out, {self.received:,} B in")
        if self.retransmissions:
            parts.append(f"{self.retransmissions:,} sent again")
        parts.append(path_text(verdict.path))
        return " | ".join(part for part in parts if part)


_written: Final[dict[int, tuple[Verdict, str]]] = {}  # by identity: most verdicts are given again and again


def _verdict(verdict: Verdict) -> str:
    known = _written.get(id(verdict))
    if known is None:
        if len(_written) > 4096:
            _written.clear()
        known = _written[id(verdict)] = verdict, _write(verdict)
    return known[1]


def _write(verdict: Verdict) -> str:
    about: dict[str, Any] = {
        "opened": verdict.opened.value,
        "ending": verdict.ending.value,
        "by": verdict.by or None,
        "why": verdict.why or None,
        "states": [standing.title for standing in verdict.path],
    }
    return json.dumps(about, ensure_ascii=False, separators=(",", ":"))[1:-1]


@lru_cache(maxsize=4096)
def _process(who: Who | None) -> str:
    if who is None:
        return '"pid":null,"process":null'
    return f'"pid":{who.pid},"process":{json.dumps(who.command)}'


@lru_cache(maxsize=4096)
def _string(words: str) -> str:
    return json.dumps(words) if words else "null"


def _seconds(value: float | None) -> str:
    return "null" if value is None else f"{value:.6f}"


def _number(value: int | None) -> str:
    return "null" if value is None else str(value)


@lru_cache(maxsize=65_536)
def text(address: bytes) -> str:
    """Return an address as text; empty: it is unknown."""
    return wire.text(address) if address else ""


def endpoint(address: bytes, port: int) -> str:
    """Return an address and a port, as a URL has them; an end that was forgotten is a star."""
    if not port:
        return "*"
    shown = text(address)
    return f"[{shown}]:{port}" if len(address) == 16 else f"{shown}:{port}"


def duration(seconds: float | None) -> str:
    """Return a time with three digits that count."""
    if seconds is None:
        return ""
    if seconds >= 1000:
        return f"{seconds:,.0f} s"
    if seconds >= 1:
        return f"{seconds:.3g} s"
    return f"{seconds * 1e3:.3g} ms" if seconds >= 1e-3 else f"{seconds * 1e6:.0f} us"
