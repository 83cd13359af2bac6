"""What is told of an end of a connection when its life is over."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from tulpen.show.path import path_text
from tulpen.wire import address as wire

if TYPE_CHECKING:
    from tulpen.tcp.trace import FourTuple
    from tulpen.watch.verdict import Verdict
    from tulpen.watch.who import Who


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

    def as_json(self) -> dict[str, Any]:
        """Return it as an object of plain values."""
        verdict, who = self.verdict, self.who
        return {
            "time": round(self.at, 6),
            "local": text(self.name.local),
            "local_port": self.name.local_port,
            "remote": text(self.name.remote),
            "remote_port": self.name.remote_port,
            "opened": verdict.opened.value,
            "ending": verdict.ending.value,
            "by": verdict.by or None,
            "why": verdict.why or None,
            "states": [standing.title for standing in verdict.path],
            "duration": None if self.duration is None else round(self.duration, 6),
            "waited": None if self.waited is None else round(self.waited, 6),
            "sent": self.sent,
            "received": self.received,
            "retransmissions": self.retransmissions,
            "pid": who.pid if who else None,
            "process": who.command if who else None,
            "namespace": self.place or None,
            "namespace_inode": self.namespace,
        }

    def as_line(self) -> str:
        """Return it as a line for people."""
        verdict = self.verdict
        whose = f"{self.who.command}/{self.who.pid}" if self.who else "?"
        if self.place:
            whose += f" in {self.place}"
        arrow = {"active": "->", "passive": "<-", "simultaneous": "<>"}.get(verdict.opened.value, "--")
        ending = verdict.ending.value
        if verdict.by in ("us", "both") and ending in ("orderly", "half-closed"):
            ending += {"us": ", we closed first", "both": ", both at once"}[verdict.by]
        elif verdict.by == "peer" and ending in ("orderly", "half-closed"):
            ending += ", they closed first"
        parts = [
            f"{endpoint(self.name.local, self.name.local_port)} {arrow} "
            f"{endpoint(self.name.remote, self.name.remote_port)}",
            whose,
            f"{ending}: {verdict.why}" if verdict.why else ending,
            duration(self.duration),
        ]
        if self.sent is not None and self.received is not None:
            parts.append(f"{self.sent:,} B out, {self.received:,} B in")
        if self.retransmissions:
            parts.append(f"{self.retransmissions:,} sent again")
        parts.append(path_text(verdict.path))
        return " | ".join(part for part in parts if part)


@lru_cache(maxsize=65_536)
def text(address: bytes) -> str:
    """Return an address as text."""
    return wire.text(address)


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
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}" if seconds / size < 1000 else f"{seconds / size:,.0f} {unit}"
    return f"{seconds * 1e6:.0f} us"
