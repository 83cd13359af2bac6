"""What has come in on a connection, for STATUS: segments, and when (Linux's tcp_info)."""

from __future__ import annotations

from typing import final

from tulpen.wire.segment import Segment


@final
class Intake:
    """Counts of segments as they were on the wire; times in nanoseconds."""

    __slots__ = ("ack_at", "beyond_hole", "heard_at", "segments", "since", "text_at", "text_segments")

    def __init__(self) -> None:
        self.segments = 0
        self.text_segments = 0
        self.beyond_hole = 0  # kept out of order
        self.heard_at = -1  # when anything acceptable last came in
        self.since = 0  # when the connection was established
        self.text_at = 0
        self.ack_at = 0

    def arrived(self, segment: Segment) -> None:
        """Count a segment, or those that a device has joined to it."""
        octets = len(segment.data)
        count = joined(segment, octets) if segment.gso_size else 1
        self.segments += count
        if octets:
            self.text_segments += count

    def clone(self) -> Intake:
        """Return an independent copy."""
        twin = Intake()
        twin.segments = self.segments
        twin.text_segments = self.text_segments
        twin.beyond_hole = self.beyond_hole
        twin.heard_at = self.heard_at
        twin.since = self.since
        twin.text_at = self.text_at
        twin.ack_at = self.ack_at
        return twin


def joined(segment: Segment, octets: int) -> int:
    """Return how many segments of the wire it is."""
    return -(-octets // segment.gso_size) if segment.gso_size and octets else 1
