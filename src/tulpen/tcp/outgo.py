"""What a connection has sent, and what kept it from sending more (RFC 9293 §3.10.6; Linux's chronographs)."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple, final


class Limit(IntEnum):
    """What a connection with text to send waits for."""

    IDLE = 0  # there is none
    BUSY = 1  # the network
    WINDOW = 2  # the peer's window
    BUFFER = 3  # the application could send more, if the send buffer were larger


class Sending(NamedTuple):
    """What STATUS tells of it; ``since`` is of now."""

    segments: int  # as they are on the wire, a device's cuts counted
    text_segments: int
    octets: int  # of text, what was sent again too
    resent_segments: int
    resent_octets: int
    limit: Limit
    since: int
    times: tuple[int, ...]

    def time(self, limit: Limit, now: int) -> int:
        """Return the nanoseconds that something has been the limit, up to now."""
        return self.times[limit] + (now - self.since if self.limit is limit else 0)


@final
class Outgo:
    """Counts, and nanoseconds in each of ``Limit``."""

    __slots__ = (
        "busy", "full", "limit", "octets", "resent_octets", "resent_segments", "segments", "shut", "since", "starved",
        "text_segments",
    )  # fmt: skip

    def __init__(self) -> None:
        self.segments = 0
        self.text_segments = 0
        self.octets = 0
        self.resent_segments = 0
        self.resent_octets = 0
        self.starved = False  # everything is sent, both windows are open, and the buffer held the application back
        self.limit = Limit.IDLE
        self.since = 0
        self.busy = 0  # the time that each has been the limit
        self.shut = 0
        self.full = 0

    def sent(self, octets: int, segment: int) -> None:
        """Count a segment, which a device cuts into some of ``segment`` octets (0: it does not)."""
        pieces = -(-octets // segment) if segment else 1
        self.segments += pieces
        if octets:
            self.text_segments += pieces
            self.octets += octets

    def resent(self, segments: int, octets: int) -> None:
        """Count what goes out again."""
        self.resent_segments += segments
        self.resent_octets += octets

    def limited(self, limit: Limit, now: int) -> None:
        """From now on it is this that it waits for."""
        if self.limit is Limit.BUSY:
            self.busy += now - self.since
        elif self.limit is Limit.WINDOW:
            self.shut += now - self.since
        elif self.limit is Limit.BUFFER:
            self.full += now - self.since
        self.limit = limit
        self.since = now

    def told(self) -> Sending:
        """Return a snapshot."""
        return Sending(
            self.segments,
            self.text_segments,
            self.octets,
            self.resent_segments,
            self.resent_octets,
            self.limit,
            self.since,
            (0, self.busy, self.shut, self.full),
        )

    def clone(self) -> Outgo:
        """Return an independent copy."""
        twin = Outgo()
        twin.segments = self.segments
        twin.text_segments = self.text_segments
        twin.octets = self.octets
        twin.resent_segments = self.resent_segments
        twin.resent_octets = self.resent_octets
        twin.starved = self.starved
        twin.limit = self.limit
        twin.since = self.since
        twin.busy = self.busy
        twin.shut = self.shut
        twin.full = self.full
        return twin
