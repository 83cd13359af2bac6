"""What one acknowledgment says that was not known before."""

from __future__ import annotations

from typing import final

from tulpen.tcp.flight import Flight, Sent


@final
class News:
    """Octets and nanoseconds; -1 for a time or a number that there is none of."""

    __slots__ = (
        "advanced", "delivered", "dsack", "duplicate", "first_at", "from_una", "last_at", "lost_before", "marked",
        "original", "probe_dsack", "reordered_from", "resent", "sacked", "sacked_first_at", "sacked_last_at",
        "segments", "top_sacked", "waits",
    )  # fmt: skip

    def __init__(self, flight: Flight) -> None:
        self.advanced = 0  # octets SND.UNA moved
        self.from_una = 0  # where it stood
        self.delivered = 0  # octets acknowledged or sacked
        self.segments = 0  # those, in segments
        self.sacked = False  # some of them selectively
        self.duplicate = False  # it is a duplicate acknowledgment (RFC 5681 §2)
        self.dsack = False  # it reports what came twice (RFC 2883)
        self.probe_dsack = False  # namely the Tail Loss Probe
        self.marked = False  # it tells of congestion marks (RFC 3168, RFC 9768)
        self.original = False  # something sent once, before the phase began, has arrived
        self.resent = False  # something sent again is acknowledged
        self.first_at = -1  # when the first, and the last, of what was sent once and is acknowledged went out
        self.last_at = -1
        self.sacked_first_at = -1  # the same of what is sacked
        self.sacked_last_at = -1
        self.top_sacked = flight.highest_sacked()  # the end of the highest stretch sacked before
        self.reordered_from = -1  # the lowest that was sent once and arrived after that
        self.lost_before = flight.lost_total
        self.waits = False  # RACK's clock was set for it

    def acknowledged(self, piece: Sent, point: int) -> None:
        """One more stretch lies before SND.UNA; ``point`` is where the phase began."""
        if piece.times > 1:
            self.resent = True
        elif not piece.sacked:
            self.last_at = piece.at
            if self.first_at < 0:
                self.first_at = piece.at
        if not piece.sacked:
            self._delivered(piece, point)

    def twice(self, segments: int, mss: int) -> None:
        """So many segments are reported to have come twice: they have left the network too (RFC 9937 §6.2)."""
        self.dsack = segments > 0
        self.segments += segments
        self.delivered += segments * mss

    def selected(self, piece: Sent, point: int) -> None:
        """One more stretch is reported by SACK."""
        self.sacked = True
        if piece.times == 1:
            self.sacked_last_at = piece.at
            if self.sacked_first_at < 0:
                self.sacked_first_at = piece.at
        self._delivered(piece, point)

    def _delivered(self, piece: Sent, point: int) -> None:
        octets = piece.end - piece.seq
        self.delivered += octets
        self.segments += 1 if octets <= piece.cut else piece.segments
        if piece.times > 1:
            return
        self.original |= piece.end <= point
        if piece.seq < self.top_sacked and (self.reordered_from < 0 or piece.seq < self.reordered_from):
            self.reordered_from = piece.seq
