"""What the compiled pass remembers: records of flows, of their ends, of text under way, of listeners.

A flow is a name with the connection it bears now.  Everything lies in arrays that Python makes longer when the compiled
code says that they are full; ``Memory`` is what both pass to each other.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np

from tulpen.capture.listeners import ENOUGH
from tulpen.capture.quick.layout import MOST_LETTERS

#: A flow: its name, and what its two ends share.
FLOW: Final = np.dtype(
    [
        ("address", np.uint64, (2, 2)),
        ("port", np.uint16, 2),
        ("vlan", np.uint16),  # of its name
        ("tag", np.uint16),  # the innermost of its first segment
        ("six", np.uint8),
        ("odd", np.bool_),
        ("letters", np.uint8),  # how many
        ("last_side", np.int8),  # of its last segment; -1: there was none
        ("last_flags", np.uint8),
        ("reset", np.bool_),  # there was one
        ("closing", np.bool_),  # a FIN has passed
        ("offers", np.uint8),  # the last SYN of its name: bits of ``neighbours``
        ("offered_bits", np.uint8),  # what a cookie would keep of it
        ("tags", np.uint32),
        ("shape", np.int32),
        ("last_ack", np.uint32),  # the field of its last segment
        ("offered", np.uint32),  # the number of that SYN
        ("first_frame", np.int64),  # also the next free record, where this one is
        ("last_frame", np.int64),
        ("start", np.int64),
        ("last_when", np.int64),
        ("idle", np.int64),
        ("offered_when", np.int64),
        ("run", np.int64),  # its place in ``Memory.runs``
        ("hash", np.uint64),
        ("frame", np.uint32, MOST_LETTERS),  # of each letter, after its first
        ("when", np.int64, MOST_LETTERS),
    ],
    align=True,
)

#: An end of flow n is record 2n or 2n + 1.  Numbers are unwrapped, as ``End``'s are.
END: Final = np.dtype(
    [
        ("nxt", np.int64),
        ("una", np.int64),  # also the highest number that the other end has acknowledged
        ("edge", np.int64),  # of its window, in the other's numbers
        ("least", np.int64),  # round trip; 0: none
        ("ack_when", np.int64),  # when it last acknowledged
        ("stamp_when", np.int64),  # when its latest timestamp was first seen
        ("text_when", np.int64),  # when it last sent text
        ("often", np.int64, 2),  # how often it has sent with each TTL
        ("resets", np.int64),
        ("first", np.uint32),  # its ISN, or else the first number it was known to have
        ("stamped", np.uint32),  # its latest timestamp
        ("waited", np.uint32),  # ``End.small_waits``
        ("head", np.int32),  # of its flight
        ("tail", np.int32),
        ("flying", np.int32),
        ("ident", np.int32),
        ("knows", np.uint16),
        ("mss", np.uint16),
        ("scale", np.int8),
        ("samples", np.uint8),  # of round trips, not counted beyond 2
        ("syn", np.uint8),  # which letter its SYN is
        ("ttl", np.uint8, 2),
    ],
    align=True,
)

# What ``knows`` says of an end.
NUMBERS: Final = 1  # nxt and una
ISN: Final = 2
OPENED: Final = 4  # by a SYN without ACK
ANSWERED: Final = 8  # with a SYN,ACK
ACKED: Final = 16  # it has acknowledged
SPOKE: Final = 32  # and not only by its SYN,ACK
EDGE: Final = 64
CLOSED: Final = 128  # it has sent its FIN
RIGHT: Final = 256  # it has written a right checksum
UNFINISHED: Final = 512
SENT: Final = 1024  # text
STAMPED: Final = 2048  # what occupies sequence space, with a timestamp
ECHOED: Final = 4096  # and that may have come back
LATE: Final = 8192  # the other end has sent text after its FIN
OFFERED_STAMPS: Final = 16384  # its SYN had a timestamp

#: Text, or a FIN, that is not acknowledged yet.
FLIGHT: Final = np.dtype(
    [("when", np.int64), ("end", np.int64), ("size", np.int32), ("next", np.int32)], align=True
)  # fmt: skip

#: A source, its port and a destination: what its SYN,ACKs have looked like (``listeners``).
LISTENER: Final = np.dtype(
    [
        ("src", np.uint64, 2),
        ("dst", np.uint64, 2),
        ("when", np.int64),
        ("run", np.int64),  # the last of its run in ``Memory.runs``
        ("hash", np.uint64),
        ("stamps", np.uint32, ENOUGH),
        ("port", np.uint16),
        ("count", np.uint8),  # of stamps
        ("rest", np.int8),
        ("grants", np.bool_),
        ("six", np.uint8),
    ],
    align=True,
)

#: A SYN,ACK whose timestamp may have been one of a run of cookies.
RUN: Final = np.dtype(
    [
        ("frame", np.int64),
        ("when", np.int64),
        ("before", np.int64),  # in the run; -1: none
        ("flow", np.int64),
        ("gone", np.bool_),
    ],
    align=True,
)


#: A source and a destination whose clock matters: a SYN with a timestamp had no answer.
PAIR: Final = np.dtype([("src", np.uint64, 2), ("dst", np.uint64, 2), ("six", np.uint8)], align=True)


class Memory(NamedTuple):
    """All that is remembered."""

    flows: Any  # FLOW
    ends: Any  # END, twice as many
    slots: Any  # uint64: a part of a hash and a flow, from 1; 0: none
    flight: Any  # FLIGHT
    listeners: Any  # LISTENER, where they are found by their hashes
    runs: Any  # RUN
    odd: Any  # ODD
    past: Any  # uint64: hashes of names that were odd, where they are found
    cookies: Any  # int64, frames
    pairs: Any  # PAIR
    plain: Any  # PLAIN, told and not yet taken
    count: Any  # int64, the numbers below


# Places in ``Memory.count``.
FLOWS: Final = 0  # records that were ever in use
FREE_FLOW: Final = 1  # the first of those that are not; -1: none
IN_USE: Final = 2
FLYING: Final = 3
FREE_FLIGHT: Final = 4
LISTENERS: Final = 5
RUNS: Final = 6  # in the array
RUNS_GONE: Final = 7  # and before it
ODDS: Final = 8
PASTS: Final = 9
COOKIES: Final = 10
PLAINS: Final = 11
PAIRS: Final = 12
LATEST: Final = 13  # when the segment before passed
COUNTS: Final = 14


class Rules(NamedTuple):
    """A policy, as the compiled pass has it."""

    drops: int  # ALWAYS, ONCE_RIGHT or NEVER
    vlans: bool
    idle: int  # nanoseconds; 0: none
    key: int  # of hashes


ALWAYS: Final = 2
ONCE_RIGHT: Final = 1
NEVER: Final = 0


class Table(NamedTuple):
    """The shapes, as far as they are known."""

    next: Any  # int32, by shape and letter
    flags: Any  # uint8
    keys: Any  # int64: shape and letter of a RST, from 1, where they are found by their hash
    after: Any  # int32: what follows each


# Why the compiled pass comes back before the end of its segments.
DONE: Final = 0
LEARN: Final = 1  # what follows a shape
FLOWS_FULL: Final = 2
FLIGHT_FULL: Final = 3
LISTENERS_FULL: Final = 4
RUNS_FULL: Final = 5
ODD_FULL: Final = 6
PLAIN_FULL: Final = 7
