"""What one end did, from its trace: records that belong together become one deed.

A segment that arrives, what was decided about it and the states it led to are one
deed; so are a user's CLOSE and the FIN that goes out with it.
"""

from __future__ import annotations

import errno
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from tulpen.show.ladder import HappeningKind
from tulpen.tcp.state import LISTEN, SYN_RECEIVED, Event, State
from tulpen.tcp.trace import Arrived, Dropped, Ended, Moved, Reason, Record, Sent, TimedOut
from tulpen.wire.segment import FIN, RST, SYN, Segment

if TYPE_CHECKING:
    from collections.abc import Iterable

BY_SEGMENT: Final = frozenset({Event.SYN, Event.SYN_ACKED, Event.FIN_ACKED, Event.FIN, Event.RESET, Event.REFUSED})
BY_CLOCK: Final = frozenset({Event.GAVE_UP, Event.LINGERED})
# The segment that a user's call sends, if it sends one at once.
SENDS: Final = {Event.OPEN_ACTIVE: SYN, Event.CLOSE: FIN, Event.ABORT: RST}
WORDS: Final = {
    Event.OPEN_PASSIVE: "listen",
    Event.OPEN_ACTIVE: "connect",
    Event.CLOSE: "close",
    Event.ABORT: "abort",
    Event.GAVE_UP: "gives up",
    Event.LINGERED: "2 MSL have passed",
}
# A part of the segment was dropped, or nothing of it: it still counts.
STILL_COUNTS: Final = frozenset({Reason.BEYOND_WINDOW, Reason.NO_ROOM, Reason.OLD_ACK, Reason.RATE_LIMITED})
# What is said of a segment that a timer sent; of a delayed ACK nothing.
TIMER_NOTES: Final = {"retransmit": ["RTO"], "delayed-ack": []}
# A call or a timer and the segment that it sends: by a real clock they are some microseconds apart.
PROMPT: Final = 1_000_000  # nanoseconds


@dataclass(slots=True)
class Went:
    """A segment went out."""

    now: int
    seg: Segment
    path: list[State] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    hurts: bool = False


@dataclass(slots=True)
class Came:
    """A segment came in."""

    now: int
    seg: Segment
    at: State | None = None  # where the end stood
    path: list[State] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    refused: bool = False
    damaged: bool = False
    hurts: bool = False


@dataclass(slots=True)
class Own:
    """Something happened without a segment, or before one."""

    now: int
    kind: HappeningKind = HappeningKind.MOVE
    event: Event | None = None
    timer: str = ""
    path: list[State] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    hurts: bool = False

    @property
    def words(self) -> str:
        """What happened."""
        what = self.timer
        if self.event is not None and (not what or self.event is Event.LINGERED):
            what = WORDS.get(self.event, "")
        return ": ".join(each for each in (what, ", ".join(self.notes)) if each)

    def leads_to(self, seg: Segment) -> bool:
        """Say whether ``seg`` is what this sends."""
        if self.timer:
            return not self.path
        return self.event is not None and bool(seg.flags & SENDS.get(self.event, 0))


Deed = Went | Came | Own


def deeds_of(records: Iterable[Record]) -> tuple[State | None, list[Deed]]:
    """Return the state before the first record, and the deeds in order."""
    reader = _Reader()
    for record in records:
        reader.read(record)
    reader.release()
    return reader.first, reader.deeds


class _Reader:
    def __init__(self) -> None:
        self.first: State | None = None
        self.deeds: list[Deed] = []
        self._came: Came | None = None  # what is being decided about
        self._own: list[Own] = []  # what may yet turn out to send a segment

    def read(self, record: Record) -> None:
        """Take one more record."""
        if self.first is None:
            self.first = record.before if isinstance(record, Moved) else record.state
        if self._came is not None and self._came.now != record.now:
            self._came = None
        if self._own and record.now - self._own[-1].now > PROMPT:
            self.release()
        if isinstance(record, Arrived):
            if not self._is_told_again(record):
                self._arrived(record.now, record.seg).at = record.state
        elif isinstance(record, Sent):
            self._sent(record)
        elif isinstance(record, Moved):
            self._moved(record)
        elif isinstance(record, Dropped):
            self._dropped(record)
        elif isinstance(record, Ended):
            self._ended(record)
        else:
            self._timed_out(record)

    def release(self) -> None:
        """Let what sent no segment stand by itself."""
        self.deeds += self._own
        self._own = []

    def _is_told_again(self, record: Arrived) -> bool:
        # The ACK that brings a SYN cookie back reaches the listener, and then the connection that it makes.
        came = self._came
        return (
            came is not None
            and came.seg is record.seg
            and came.at is LISTEN
            and record.state is SYN_RECEIVED
            and not record.seg.flags & SYN
        )

    def _arrived(self, now: int, seg: Segment) -> Came:
        self.release()
        self._came = Came(now, seg)
        self.deeds.append(self._came)
        return self._came

    def _sent(self, record: Sent) -> None:
        went = Went(record.now, record.seg)
        for own in [own for own in self._own if own.leads_to(record.seg)]:
            self._own.remove(own)
            went.path += own.path
            if own.timer:
                went.notes += TIMER_NOTES.get(own.timer, [f"{own.timer} timer"])
            went.notes += own.notes
            went.hurts |= own.hurts
        if any(not SENDS.get(own.event, 0) for own in self._own if own.event is not None):
            self.release()
        self._came = None
        self.deeds.append(went)

    def _moved(self, record: Moved) -> None:
        if record.event in BY_SEGMENT and self._came is not None:
            self._came.path.append(record.after)
            return
        own = self._open_own(record.now)
        if own.path:
            own = Own(record.now)
            self._own.append(own)
        own.event = record.event
        if record.event not in BY_SEGMENT:
            own.kind = HappeningKind.TIMER if record.event in BY_CLOCK else HappeningKind.CALL
        own.path.append(record.after)

    def _open_own(self, now: int) -> Own:
        if not self._own or self._own[-1].now != now:
            self._own.append(Own(now))
        return self._own[-1]

    def _dropped(self, record: Dropped) -> None:
        if record.seg is None:
            self._open_own(record.now).notes.append(record.reason.words)
            return
        came = self._came
        if came is None or came.seg != record.seg:
            came = self._arrived(record.now, record.seg)
        came.notes.append(record.reason.words)
        came.refused |= record.reason not in STILL_COUNTS
        came.damaged |= record.reason is Reason.BAD_CHECKSUM

    def _ended(self, record: Ended) -> None:
        words = [errno.errorcode.get(record.error, str(record.error))] if record.error else []
        if record.reason is Reason.ABORTED:
            words.clear()  # what its application is told is what it asked for
        if record.reason is not None:
            words.append(record.reason.words)
        on: Came | Own = self._came if self._came is not None and not self._own else self._open_own(record.now)
        on.notes += [each for each in words if each not in on.notes]
        on.hurts |= record.error != 0

    def _timed_out(self, record: TimedOut) -> None:
        self._came = None
        self._own.append(Own(record.now, HappeningKind.TIMER, timer=record.timer))
