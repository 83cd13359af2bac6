"""What is told of a capture: flat rows of plain values, which every way of reading and writing shares.

One ``Connection`` a connection, one ``Move`` a transition, one ``Finding`` a thing found.  The names of the fields are
the columns of every output.  Times are nanoseconds since 1970, durations seconds, frames count from 1 as tshark's do
(0: none).  "client" is the end that opened, or the one that most probably did (``roles``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import final


@final
@dataclass(slots=True)
class Connection:
    """One connection."""

    number: int  # from 1, in the order of their first frames
    file: str  # the capture that has its first frame
    client: str  # its address
    client_port: int
    server: str
    server_port: int
    roles: str  # how it is known who the client is: "syn", "syn-ack", "ports"
    taken_at: str  # where the capture was taken: "client", "server", "between", "" where nothing tells
    layers: str  # what its packets were wrapped in: "vlan 5, gre"
    vlan: int  # the innermost tag of its first packet; 0: none
    first_frame: int
    last_frame: int
    start: int
    end: int
    duration: float
    # how it opened
    opened: str  # a word of kinds.OPENINGS
    opened_frame: int
    # how it ended
    ended: str  # a word of kinds.ENDINGS
    by: str  # who ended it: "client", "server", "both", "middle" (forged), ""
    cause: str  # of a reset, a word of kinds.CAUSES; ""
    ended_frame: int
    idle: float  # of silence before what ended it
    time_wait: str  # who waits out 2 MSL: "client", "server", "both", ""
    # both ends in TCP's states
    client_state: str  # where the capture leaves it: "TIME-WAIT", "unknown"
    server_state: str
    client_path: str  # every state it went through; "?" after those that are inferred
    server_path: str
    reset_state: str  # the state of the end that sent the RST, before it
    # what passed
    client_packets: int
    server_packets: int
    client_bytes: int  # of text in sequence space, sent again or not counted once
    server_bytes: int
    # what went wrong on the way
    retransmissions: int
    timeouts: int
    fast_retransmits: int
    spurious: int
    reordered: int
    duplicated: int
    not_captured: int  # octets that were acknowledged and never seen
    syn_retries: int
    rtt: float | None  # seconds, the least there and back, handshake or data; None: not measured
    client_rtt: float | None  # the least from the place of the capture to the client and back
    server_rtt: float | None
    zero_windows: int
    zero_window_time: float  # seconds that a window was closed
    keep_alives: int
    findings: str  # words of kinds.FINDINGS, with commas
    worst: str  # "bad", "odd", "note" or "": how much the worst of all matters
    why: str  # what happened, in a sentence


@final
@dataclass(slots=True)
class Move:
    """One transition of one end."""

    connection: int
    end: str  # "client" or "server"
    frame: int  # that caused it; 0: none that was captured
    when: int
    source: str  # a state as RFC 9293 writes it; "unknown"
    event: str  # "SYN ACKED"; "" where it is not known
    target: str
    known: str  # "seen", "inferred", "cannot be known"
    proof: int  # the frame that shows it; 0: none


@final
@dataclass(slots=True)
class Finding:
    """Something found in one connection."""

    connection: int
    kind: str  # a word of kinds.FINDINGS
    end: str  # who did it: "client", "server", ""
    count: int
    frames: tuple[int, ...]  # the first of them
    weight: str
    clause: str  # "RFC 9293 §3.8.6, SHLD-14"
    text: str


@final
@dataclass(slots=True)
class Damage:
    """Where a file could be read no further."""

    name: str
    what: str
    offset: int  # of the octets, decompressed


@final
@dataclass(slots=True)
class Counts:
    """What was read."""

    frames: int = 0
    segments: int = 0
    octets: int = 0  # of frames as they were on the wire
    first: int = 0  # when, nanoseconds
    last: int = 0
    wrong_checksums: int = 0
    passed: dict[str, int] = field(default_factory=dict)  # frames without TCP, by the reason

    def join(self, other: Counts) -> None:
        """Count what another capture has, too."""
        if other.frames:
            self.first = min(self.first, other.first) if self.frames else other.first
            self.last = max(self.last, other.last)
        self.frames += other.frames
        self.segments += other.segments
        self.octets += other.octets
        self.wrong_checksums += other.wrong_checksums
        for why, count in other.passed.items():
            self.passed[why] = self.passed.get(why, 0) + count
