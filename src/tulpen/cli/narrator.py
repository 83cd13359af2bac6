"""A host's states as they change, a line each: when, whose, from where to where, and what caused it."""

from __future__ import annotations

import errno
import json
import os
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import click

from tulpen.show.deeds import BY_CLOCK, BY_SEGMENT
from tulpen.show.label import flag_words
from tulpen.tcp.state import FIN_RECEIVED, MAY_SEND, State
from tulpen.tcp.trace import Arrived, Dropped, Ended, FourTuple, Moved, Record, Sent, TimedOut
from tulpen.wire.address import text
from tulpen.wire.segment import ACK, SYN
from tulpen.wire.seq import MASK

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Callable

    from tulpen.wire.segment import Segment

SECOND: Final = 1_000_000_000
_OPENING: Final = (State.LISTEN, State.SYN_SENT, State.SYN_RECEIVED)
_CALLS: Final = {
    "OPEN PASSIVE": "listen()",
    "OPEN ACTIVE": "connect()",
    "CLOSE": "close()",
    "ABORT": "abort()",
}


class Cause(NamedTuple):
    """What made a state change: words for people, fields for programs."""

    words: str
    fields: dict[str, Any]


class Narrator:
    """Reads the trace of a host as it grows, and forgets what it has told."""

    def __init__(
        self,
        records: deque[tuple[FourTuple | None, Record]],
        began: int,
        say: Callable[[str], None],
        *,
        as_json: bool = False,
        segments: bool = False,
    ) -> None:
        self._records = records
        self._began = began
        self._say = say
        self._json = as_json
        self._segments = segments
        self._last: dict[FourTuple | None, Record] = {}  # what may be the cause of the next move
        self._syns: dict[FourTuple | None, list[Segment | None]] = {}  # ours and theirs, to count from
        self.errors: list[int] = []  # errno of every connection that did not end well

    def tell(self) -> None:
        """Tell what has happened since the last time."""
        records = self._records
        while records:
            name, record = records.popleft()
            if isinstance(record, Arrived | Sent) and record.seg.flags & SYN:
                self._syns.setdefault(name, [None, None])[isinstance(record, Arrived)] = record.seg
            if isinstance(record, Moved):
                self._moved(name, record)
            elif isinstance(record, Ended):
                self._ended(name, record)
            elif isinstance(record, Dropped):
                self._dropped(name, record)
            else:
                self._last[name] = record
                if self._segments and isinstance(record, Arrived | Sent):
                    self._segment(name, record)

    def listens(self, where: str, now: int) -> None:
        """Say that a listener is open."""
        if self._json:
            self._write(now, None, {"local": where, "after": State.LISTEN.title})
        else:
            self._line(now, None, f"{'CLOSED > ' + State.LISTEN.title:<27}  listen(): {where}")

    def _moved(self, name: FourTuple | None, record: Moved) -> None:
        cause = self._cause(name, record)
        if self._json:
            self._write(
                record.now,
                name,
                {"before": record.before.title, "event": record.event.title, "after": record.after.title}
                | cause.fields,
            )
        else:
            move = f"{record.before.title} > {click.style(record.after.title, fg=_colour(record.after), bold=True)}"
            width = 27 + len(move) - len(click.unstyle(move))
            self._line(record.now, name, f"{move:<{width}}  {cause.words}")
        if record.after is State.CLOSED:
            self._last.pop(name, None)
            self._syns.pop(name, None)

    def _cause(self, name: FourTuple | None, record: Moved) -> Cause:
        last = self._last.get(name)
        if record.event in BY_SEGMENT and isinstance(last, Arrived):
            return Cause(
                f"{record.event.title.lower()}: <- {self._segment_words(name, last.seg, arrived=True)}",
                {"cause": "segment", "segment": _segment_fields(last.seg)},
            )
        if record.event in BY_CLOCK:
            timer = last.timer if isinstance(last, TimedOut) else ""
            return Cause(
                f"{record.event.title.lower()}" + (f": the {timer} timer" if timer else ""),
                {"cause": "clock", "timer": timer},
            )
        return Cause(_CALLS.get(record.event.title, record.event.title.lower()), {"cause": "call"})

    def _ended(self, name: FourTuple | None, record: Ended) -> None:
        if record.error:
            self.errors.append(record.error)
        why = record.reason.words if record.reason is not None else ""
        code = errno.errorcode.get(record.error, str(record.error)) if record.error else ""
        if self._json:
            self._write(record.now, name, {"ended": code or None, "reason": why or None})
        elif code or why:
            said = f"{code} ({os.strerror(record.error)})" if code else ""
            self._line(record.now, name, ": ".join(part for part in (said, why) if part))

    def _dropped(self, name: FourTuple | None, record: Dropped) -> None:
        reason = record.reason
        if self._json:
            self._write(record.now, name, {"refused": reason.name, "reason": reason.words, "source": reason.source})
        else:
            which = f"{flag_words(record.seg.flags)} " if record.seg is not None else ""
            self._line(record.now, name, f"{which}not taken: {reason.words} ({reason.source})")

    def _segment(self, name: FourTuple | None, record: Arrived | Sent) -> None:
        arrived = isinstance(record, Arrived)
        if self._json:
            self._write(record.now, name, {"arrived" if arrived else "sent": _segment_fields(record.seg)})
        else:
            way = "<-" if arrived else "->"
            self._line(record.now, name, f"  {way} {self._segment_words(name, record.seg, arrived=arrived)}")

    def _segment_words(self, name: FourTuple | None, seg: Segment, *, arrived: bool) -> str:
        ours, theirs = self._syns.get(name, (None, None))
        base, other = (theirs, ours) if arrived else (ours, theirs)
        words = [flag_words(seg.flags)]
        if seg.data:
            start = (seg.seq - (base.seq if base else 0)) & MASK
            words.append(f"{start}:{start + len(seg.data)}")
        if seg.flags & ACK:
            words.append(f"ack {(seg.ack - (other.seq if other else 0)) & MASK}")
        words.append(f"win {seg.wnd << _shift(seg, base, other)}")
        return " ".join(words)

    def _line(self, now: int, name: FourTuple | None, what: str) -> None:
        self._say(f"{(now - self._began) / SECOND:10.6f}  {_peer(name):<21}  {what}")

    def _write(self, now: int, name: FourTuple | None, fields: dict[str, Any]) -> None:
        ends = {} if name is None else {"local": _local(name), "peer": _peer(name)}
        self._say(json.dumps({"time": round((now - self._began) / SECOND, 6)} | ends | fields))


def _shift(seg: Segment, base: Segment | None, other: Segment | None) -> int:
    """Return by how much a window field is scaled: on no SYN, and where both SYNs offered it (RFC 7323 §2.2)."""
    if seg.flags & SYN or base is None or other is None or other.options.wscale is None:
        return 0
    return base.options.wscale or 0


def _segment_fields(seg: Segment) -> dict[str, Any]:
    return {
        "flags": flag_words(seg.flags),
        "seq": seg.seq,
        "ack": seg.ack,
        "window": seg.wnd,
        "length": len(seg.data),
    }


def _socket(octets: bytes, port: int) -> str:
    return f"{text(octets)}:{port}" if len(octets) == 4 else f"[{text(octets)}]:{port}"


def _local(name: FourTuple) -> str:
    return _socket(name.local, name.local_port)


def _peer(name: FourTuple | None) -> str:
    if name is None or not any(name.remote):
        return "(listener)"
    return _socket(name.remote, name.remote_port)


def _colour(state: State) -> str:
    if state is State.CLOSED:
        return "bright_black"
    if state in _OPENING:
        return "yellow"
    if MAY_SEND[state] and not FIN_RECEIVED[state]:
        return "green"
    return "magenta"
