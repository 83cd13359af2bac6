"""When what an application sent left, and was acknowledged: Linux's SO_TIMESTAMPING for what is sent.

A write is told of by its last octet.  One that joins a write not yet sent is told of in its
place, as both leave together.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Final, NamedTuple, final

if TYPE_CHECKING:
    from tulpen.tcp.tcb import Tcb

#: Bits of SO_TIMESTAMPING (SOF_TIMESTAMPING_...).
TX_SOFTWARE: Final = 1 << 1
OPT_ID: Final = 1 << 7
TX_SCHED: Final = 1 << 8
TX_ACK: Final = 1 << 9
TX: Final = TX_SOFTWARE | TX_SCHED | TX_ACK
MOST_TOLD: Final = 1024  # that the application has not fetched; more are lost


class Kind(IntEnum):
    """What has happened to the octet; Linux's numbers of SCM_TSTAMP_..."""

    SENT = 0
    SCHEDULED = 1  # given to the queue of the device
    ACKNOWLEDGED = 2


class Stamp(NamedTuple):
    """An entry of the error queue."""

    kind: Kind
    octet: int  # counted from where OPT_ID was asked for, 32 bits; 0 without it
    at: int  # of now


@final
class Stamps:
    """What is asked for, octets that are watched, and what the application has not fetched."""

    __slots__ = ("base", "flags", "marks", "told")

    def __init__(self) -> None:
        self.flags = 0
        self.base = 0  # the octet that is number 0
        self.marks: list[tuple[int, int]] = []  # sequence numbers in order, each with its flags
        self.told: list[Stamp] = []

    def ask(self, flags: int, una: int) -> None:
        """From now on this is wanted; ``una``: the oldest octet not acknowledged."""
        if flags & OPT_ID and not self.flags & OPT_ID:
            self.base = una
        self.flags = flags

    def written(self, last: int, begin: int) -> None:
        """A write ended with the octet ``last``, in a stretch that begins at ``begin``."""
        if not self.flags & TX:
            return
        if self.marks and begin <= self.marks[-1][0]:
            self.marks.pop()
        self.marks.append((last, self.flags))

    def left(self, seq: int, end: int, now: int) -> None:
        """The octets [seq, end) go out, be it again."""
        for octet, flags in self.marks:
            if octet >= end:
                break
            if octet >= seq:
                if flags & TX_SCHED:
                    self._tell(Kind.SCHEDULED, octet, now)
                if flags & TX_SOFTWARE:
                    self._tell(Kind.SENT, octet, now)

    def acknowledged(self, una: int, now: int) -> None:
        """Everything before ``una`` is acknowledged."""
        while self.marks and self.marks[0][0] < una:
            octet, flags = self.marks.pop(0)
            if flags & TX_ACK:
                self._tell(Kind.ACKNOWLEDGED, octet, now)

    def _tell(self, kind: Kind, octet: int, now: int) -> None:
        number = (octet - self.base) & 0xFFFF_FFFF if self.flags & OPT_ID else 0
        if len(self.told) < MOST_TOLD:
            self.told.append(Stamp(kind, number, now))

    def clone(self) -> Stamps:
        """Return an independent copy."""
        twin = Stamps()
        twin.flags = self.flags
        twin.base = self.base
        twin.marks = self.marks.copy()
        twin.told = self.told.copy()
        return twin


def ask(tcb: Tcb, flags: int) -> None:
    """SO_TIMESTAMPING."""
    if tcb.stamps is None:
        tcb.stamps = Stamps()
    tcb.stamps.ask(flags, max(tcb.snd.una, tcb.snd.iss + 1))


def written(tcb: Tcb) -> None:
    """A write has been queued: its last octet is watched."""
    stretches = tcb.queue.stretches
    begin = tcb.queue.end - 1
    if stretches:
        begin = stretches[-2].end if len(stretches) > 1 else max(tcb.snd.nxt, tcb.queue.start)
    if tcb.stamps is not None:
        tcb.stamps.written(tcb.queue.end - 1, begin)
