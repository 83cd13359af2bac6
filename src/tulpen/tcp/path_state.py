"""What a connection knows of the path: what its route says, and the search for its MTU (RFC 4821 §7.1).

Sizes are of segments with their options: what a packet leaves beside its internet header
and the 20 octets of the TCP header.
"""

from __future__ import annotations

from typing import final

from tulpen.tcp.route import PLAIN, Route


@final
class Path:
    """A route, the range that is searched, and the probe in flight."""

    __slots__ = (
        "began", "believed", "doubted", "doubted_seq", "high", "low", "probe", "probe_end", "probe_start", "proved",
        "route", "searching",
    )  # fmt: skip

    def __init__(self) -> None:
        self.route: Route = PLAIN
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
        twin.route = self.route
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
