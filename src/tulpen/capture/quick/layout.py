"""The records that the compiled pass works on, as numpy knows them.

A segment comes from ``dissect`` and goes to ``flows``, whose word of a plain connection is a ``PLAIN``.
Times are nanoseconds since 1970, frames count from 1 (0: none).  An address is a number of 128 bits, its upper half
first; one of IPv4 is the number of its 32.
"""

from __future__ import annotations

from typing import Final

import numpy as np

#: What ``SEGMENT["has"]`` says there is.
STAMP: Final = 1  # tsval and tsecr
MSS: Final = 2
SCALE: Final = 4
SACK_PERMITTED: Final = 8
SACK: Final = 16  # blocks
FAST_OPEN: Final = 32
STRANGE: Final = 64  # options that are malformed, or of a kind that the pass does not read
EXACT: Final = 128  # the exact reader has to see it: tunnels, fragments, whatever is not plain
ICMP: Final = 256  # no segment, but an ICMP error about one: addresses, ports and number are those it quotes

#: One frame as it stands in a block (the fields of ``Frame``).
RECORD: Final = np.dtype(
    [
        ("when", np.int64),
        ("at", np.int64),  # where its octets begin in the block
        ("length", np.int64),  # octets that it had on the wire
        ("size", np.int32),  # of these captured
        ("link", np.int32),
        ("interface", np.int32),
    ],
    align=True,
)

#: One TCP segment (the fields of ``Seen``).
SEGMENT: Final = np.dtype(
    [
        ("frame", np.int64),
        ("when", np.int64),
        ("offset", np.int64),  # where the octets of its frame begin in the file, unpacked
        ("src", np.uint64, 2),
        ("dst", np.uint64, 2),
        ("seq", np.uint32),
        ("ack", np.uint32),
        ("tsval", np.uint32),
        ("tsecr", np.uint32),
        ("length", np.int32),
        ("ident", np.int32),
        ("sport", np.uint16),
        ("dport", np.uint16),
        ("flags", np.uint16),
        ("wnd", np.uint16),
        ("mss", np.uint16),
        ("vlan", np.uint16),  # the innermost; 0: none
        ("has", np.uint16),
        ("six", np.uint8),  # IPv6
        ("ttl", np.uint8),
        ("scale", np.uint8),
        ("checksum", np.uint8),  # a ``Sum``
        ("tags", np.uint32),  # of VLANs: how many, the outer of two, the innermost; ``tags_of`` and ``layers_of``
    ],
    align=True,
)

#: What the frame of a segment is read again by, with its number, time and offset (the fields of RECORD).
PLACE: Final = np.dtype(
    [
        ("length", np.uint32),
        ("size", np.int32),
        ("link", np.int32),
        ("interface", np.int32),
    ],
    align=True,
)

TAG_BITS: Final = 12
MOST_TAGS: Final = 2

MOST_LETTERS: Final = 12

#: One connection of which nothing is to be told but its shape and its numbers.  Ends 0 and 1 in the order first heard.
PLAIN: Final = np.dtype(
    [
        ("shape", np.int32),  # its word of letters, all that its states depend on: ``Shapes.template``
        ("place", np.int8),  # where the capture was taken: at end 0 or 1, 2: between them, -1: nothing tells
        ("six", np.uint8),
        ("vlan", np.uint16),
        ("tags", np.uint32),  # of its first segment
        ("port", np.uint16, 2),
        ("address", np.uint64, (2, 2)),
        ("first_frame", np.int64),
        ("last_frame", np.int64),
        ("start", np.int64),
        ("last_when", np.int64),
        ("idle", np.int64),  # nanoseconds of silence before what ended it: its RST, or else the first FIN
        ("packets", np.int64, 2),
        ("bytes", np.int64, 2),
        ("rtt", np.int64, 2),  # the least of ``End.rtt``; 0: none, and then there is none by timestamps, either
        ("frame", np.int64, MOST_LETTERS),  # of each letter
        ("when", np.int64, MOST_LETTERS),
    ],
    align=True,
)

#: A name whose connections, from this frame on, are told by the exact reader.
ODD: Final = np.dtype(
    [
        ("address", np.uint64, (2, 2)),
        ("frame", np.int64),
        ("port", np.uint16, 2),
        ("vlan", np.uint16),  # 0 where the policy takes no account of it
        ("six", np.uint8),
    ],
    align=True,
)
