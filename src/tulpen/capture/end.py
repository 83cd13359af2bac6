"""What is remembered of one end of a connection: its numbers, its flight, its window, its clock."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, final

from tulpen.capture.machine import Machine

LONGEST_FLIGHT: Final = 65_536  # segments remembered as unacknowledged
MOST_HOLES: Final = 512


@final
class Sent:
    """A stretch of text that is not acknowledged yet."""

    __slots__ = ("end", "first", "frame", "ident", "last", "latest", "start", "times", "tsval")

    def __init__(self, start: int, end: int, when: int, frame: int, ident: int, tsval: int | None) -> None:
        self.start = start
        self.end = end
        self.first = when
        self.last = when
        self.frame = frame
        self.latest = frame  # that brought it
        self.ident = ident
        self.tsval = tsval
        self.times = 1


@final
class Hole:
    """Text that later text has passed."""

    __slots__ = ("end", "ident", "start", "tsval", "when")

    def __init__(self, start: int, end: int, when: int, ident: int, tsval: int | None) -> None:
        self.start = start
        self.end = end
        self.when = when
        self.ident = ident  # of the segment that passed it
        self.tsval = tsval


@final
class Rtt:
    """Round trip times, in nanoseconds."""

    __slots__ = ("count", "least", "most", "total")

    def __init__(self) -> None:
        self.count = 0
        self.total = 0
        self.least = 0
        self.most = 0

    def add(self, sample: int) -> None:
        """Take a sample; one that is not positive is the clock's fault."""
        if sample <= 0:
            return
        self.least = min(self.least, sample) if self.count else sample
        self.most = max(self.most, sample)
        self.count += 1
        self.total += sample


@final
@dataclass(slots=True, eq=False)
class End:
    """One end.  Numbers are unwrapped, as the engine's are; times are nanoseconds, frames 0 where there is none."""

    address: bytes
    port: int
    machine: Machine = field(default_factory=Machine)
    packets: int = 0
    data_packets: int = 0
    # its handshake
    isn: int | None = None
    other_isn: int | None = None  # of a second SYN,ACK
    syns: int = 0
    syn_acks: int = 0
    syn_frame: int = 0  # of its first SYN, with ACK or without
    syn_when: int = 0
    syn_last: int = 0  # when it last sent one
    mss: int = 0
    wscale: int = -1  # what its SYN offered
    timestamps: bool = False  # agreed on
    sack_permitted: bool = False
    # what it sent
    nxt: int | None = None  # one past the highest
    una: int | None = None  # acknowledged by the other end
    bytes: int = 0  # of sequence space that was text
    flight: list[Sent] = field(default_factory=list)  # by ``start``
    flight_from: int = 0  # those before this index are acknowledged
    holes: list[Hole] = field(default_factory=list)
    gaps: int = 0  # octets acknowledged and never seen
    fin: int | None = None  # its sequence number
    fin_end: int = 0
    fin_frame: int = 0
    fin_acked: int = 0  # frame
    fin_acked_when: int = 0
    highest_sack: int = 0  # by the other end
    tries: int = 0  # retransmissions in a row of what is first in the flight
    acked_first: int = 0  # frame of the first ACK it sent
    # what it said of the other direction
    last_ack: int | None = None
    last_ack_when: int = 0
    last_wnd: int = -1
    dup_acks: int = 0
    wnd: int = -1  # octets; -1: not known
    edge: int | None = None  # the right edge of its window, in the other's numbers
    closed_window: int = 0  # when it closed; 0: open
    closed_window_time: int = 0
    # clocks and addresses
    last_when: int = 0
    last_frame: int = 0
    last_data_when: int = 0
    last_data: int = 0  # frame of its last text
    last_spoke: int = 0  # frame of its last segment that was no RST
    rtt: Rtt = field(default_factory=Rtt)  # from here to the other end and back
    rtt_stamped: Rtt = field(default_factory=Rtt)  # the same by timestamps
    stamps: dict[int, int] = field(default_factory=dict)  # its timestamps that wait for their echo: when
    stamped: int = 0  # its latest timestamp
    ttls: dict[int, int] = field(default_factory=dict)  # how often
    right: bool = False  # it has written a right checksum
    unfinished: int = 0  # segments whose checksum was left to the device
    ident: int = -1  # of its last IPv4 header
    keep_alives: int = 0
    probes_open: int = 0  # keep-alives without an answer
    small_waits: int = 0  # how long its last small segment waited for an ACK that was delayed
    resets: int = 0
