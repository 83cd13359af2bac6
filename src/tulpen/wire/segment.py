"""A TCP segment as values (RFC 9293 §3.1).

``seq`` and ``ack`` are what the wire carries: 32 bits.  ``wnd`` is the window field,
not scaled.  A segment may carry more than the MSS: a device with segmentation
offload takes and gives up to 64 KiB at a time, cut every ``gso_size`` octets.
"""

from __future__ import annotations

from typing import Final, final

from tulpen.wire.options import NO_OPTIONS, Options

FIN: Final = 0x001
SYN: Final = 0x002
RST: Final = 0x004
PSH: Final = 0x008
ACK: Final = 0x010
URG: Final = 0x020
ECE: Final = 0x040
CWR: Final = 0x080
AE: Final = 0x100  # RFC 9768
ECN_FLAGS: Final = ECE | CWR | AE  # AccECN's field of three bits, ACE

# The ECN field of an internet header (RFC 3168 §5).
NOT_ECT: Final = 0
ECT_1: Final = 1
ECT_0: Final = 2
CE: Final = 3

# tcpdump's letters, in its order.
LETTERS: Final = ((FIN, "F"), (SYN, "S"), (RST, "R"), (PSH, "P"), (ACK, "."), (URG, "U"),
                  (ECE, "E"), (CWR, "W"), (AE, "e"))  # fmt: skip


@final
class Segment:
    """One segment; never changed once built, so that it may be shared and kept."""

    __slots__ = ("ack", "data", "dport", "ecn", "flags", "gso_size", "options", "seq", "sport", "urg", "wnd")

    def __init__(
        self,
        seq: int,
        ack: int,
        flags: int,
        wnd: int = 0,
        data: bytes | memoryview = b"",
        options: Options = NO_OPTIONS,
        urg: int = 0,  # this and the rest by position where segments come by the thousand: names cost as much again
        sport: int = 0,
        dport: int = 0,
        gso_size: int = 0,
        ecn: int = NOT_ECT,
    ) -> None:
        self.sport = sport
        self.dport = dport
        self.seq = seq
        self.ack = ack
        self.flags = flags
        self.wnd = wnd
        self.urg = urg
        self.options = options
        self.data = data
        self.gso_size = gso_size  # 0: one packet on the wire
        self.ecn = ecn  # of the internet header around it, and so no part of what makes segments equal

    @property
    def len(self) -> int:
        """SEG.LEN: the octets of sequence space it occupies, SYN and FIN counted."""
        flags = self.flags
        return len(self.data) + ((flags >> 1) & 1) + (flags & 1)

    def with_options(self, options: Options) -> Segment:
        """Return this segment with other options."""
        return Segment(
            self.seq, self.ack, self.flags, self.wnd, self.data, options, urg=self.urg, sport=self.sport,
            dport=self.dport, gso_size=self.gso_size, ecn=self.ecn,
        )  # fmt: skip

    def marked(self, ecn: int) -> Segment:
        """Return this segment in a packet with another ECN field."""
        return Segment(
            self.seq, self.ack, self.flags, self.wnd, self.data, self.options, urg=self.urg, sport=self.sport,
            dport=self.dport, gso_size=self.gso_size, ecn=ecn,
        )  # fmt: skip

    def __repr__(self) -> str:
        text = f"{letters(self.flags)} seq={self.seq} ack={self.ack} wnd={self.wnd} len={len(self.data)}"
        return f"<Segment {self.sport}>{self.dport} {text} {self.options}>"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Segment):
            return NotImplemented
        return (
            (self.sport, self.dport, self.seq, self.ack, self.flags, self.wnd, self.urg)
            == (other.sport, other.dport, other.seq, other.ack, other.flags, other.wnd, other.urg)
            and self.options == other.options
            and self.data == other.data
        )  # fmt: skip

    def __hash__(self) -> int:
        return hash((self.sport, self.dport, self.seq, self.ack, self.flags, self.wnd, bytes(self.data)))


def letters(flags: int) -> str:
    """Return the flags as tcpdump writes them: ``S``, ``S.``, ``F.``, ``P.``, ``R``."""
    return "".join(letter for bit, letter in LETTERS if flags & bit) or "none"
