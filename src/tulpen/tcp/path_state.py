"""What a connection finds out of the path by itself: the search for its MTU (RFC 4821 §7.1), what to believe of it.

Sizes are of segments with their options: what a packet leaves beside its internet header
and the 20 octets of the TCP header.
"""

from __future__ import annotations

from typing import final


@final
class Path:
    """The range that is searched, the probe in flight, and what a router has said."""

    __slots__ = (
        "began", "believed", "doubted", "doubted_seq", "high", "low", "probe", "probe_end", "probe_start", "proved",
        "searching",
    )  # fmt: skip

    def __init__(self) -> None:
        self.searching = False  # tcp_mtu_probing is 2, or 1 and a black hole was met
        self.low = 0  # search_low: it gets through
        self.high = 0  # search_high: it may
        self.began = 0  # when the range was last set
        self.probe = 0  # size of the probe in flight; 0: there is none
        self.probe_start = 0  # the sequence space it carries
        self.probe_end = 0
        # what a router said, and has to wait for (tcp_pmtu_patience)
        self.proved = 0  # the largest that was acknowledged
        self.doubted = 0  # what it said would fit; 0: nothing
        self.doubted_seq = 0  # of the segment it called too big
        self.believed = 0  # it was right after all, and the host is to know; 0: nothing new

    def clone(self) -> Path:
        """Return an independent copy."""
        twin = Path()
        twin.searching = self.searching
        twin.low = self.low
        twin.high = self.high
        twin.began = self.began
        twin.probe = self.probe
        twin.probe_start = self.probe_start
        twin.probe_end = self.probe_end
        twin.proved = self.proved
        twin.doubted = self.doubted
        twin.doubted_seq = self.doubted_seq
        twin.believed = self.believed
        return twin
