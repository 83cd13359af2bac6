"""What RACK-TLP remembers of one connection (RFC 8985 §5.2, §7.1); ``rack`` acts on it."""

from __future__ import annotations

from typing import final


@final
class Rack:
    """Times in nanoseconds."""

    __slots__ = (
        "advanced", "dsack_round", "dsack_seen", "end", "mult", "persist", "probe_due", "probe_end", "probe_resent",
        "rtt", "turn",
    )  # fmt: skip

    def __init__(self) -> None:
        self.turn = 0  # of the latest stretch delivered: RACK.xmit_ts, as the order of what was sent
        self.end = 0  # RACK.end_seq
        self.rtt = 0
        self.advanced = False
        self.mult = 1  # RACK.reo_wnd_mult
        self.persist = 0  # RACK.reo_wnd_persist
        self.dsack_seen = False
        self.dsack_round = -1  # RACK.dsack_round
        self.probe_due = False
        self.probe_end = -1  # TLP.end_seq; -1: no probe is out
        self.probe_resent = False  # TLP.is_retrans

    def clone(self) -> Rack:
        """Return an independent copy."""
        twin = Rack()
        twin.turn = self.turn
        twin.end = self.end
        twin.rtt = self.rtt
        twin.advanced = self.advanced
        twin.mult = self.mult
        twin.persist = self.persist
        twin.dsack_seen = self.dsack_seen
        twin.dsack_round = self.dsack_round
        twin.probe_due = self.probe_due
        twin.probe_end = self.probe_end
        twin.probe_resent = self.probe_resent
        return twin
