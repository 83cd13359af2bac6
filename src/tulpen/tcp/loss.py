"""What a connection remembers of losses: the phase it is in, the reduction under way, what would undo it.

Passive data.  ``recovery`` moves from phase to phase, ``window`` reduces, ``spurious``
takes back; every size is in octets, every time in nanoseconds.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final, final


class Phase(IntEnum):
    """Where loss recovery stands, numbered as Linux's tcpi_ca_state."""

    OPEN = 0  # nothing suspicious
    DISORDER = 1  # duplicate or selective acknowledgments, nothing deemed lost
    CWR = 2  # the window is reduced, though nothing is lost (RFC 3168 §6.1.2)
    RECOVERY = 3  # fast recovery (RFC 5681 §3.2, RFC 6675 §5, RFC 8985 §6)
    LOSS = 4  # after a retransmission timeout (RFC 5681 §3.1)


OPEN: Final = Phase.OPEN
DISORDER: Final = Phase.DISORDER
CWR: Final = Phase.CWR
RECOVERY: Final = Phase.RECOVERY
LOSS: Final = Phase.LOSS


class Resend(IntEnum):
    """When what is deemed lost goes out again."""

    NOW = 0
    AFTER_NEW = 1  # F-RTO: only if there is no new text to send instead (RFC 5682 §2.1, step 2b)
    LATER = 2  # the next acknowledgment tells whether it must


@final
class Loss:
    """One connection's."""

    __slots__ = (
        "dsacks", "dupacks", "force_resend", "frto", "phase", "point", "prior_cwnd", "prior_ssthresh",
        "prr_delivered", "prr_out", "reordering", "reorderings", "rescued", "resend", "resent_at", "resent_total",
        "undo_from", "undo_resent",
    )  # fmt: skip

    def __init__(self, reordering: int) -> None:
        self.phase = OPEN
        self.point = 0  # RecoveryPoint (RFC 6675 §5): SND.NXT when the phase began
        self.dupacks = 0  # duplicates; without SACK, segments that left the network
        self.reordering = reordering  # DupThresh, grown by the reordering seen (tcp_reordering)
        self.reorderings = 0  # how often that was
        self.dsacks = 0  # segments that came twice
        self.resent_total = 0  # segments sent again
        self.resend = Resend.NOW
        self.force_resend = False  # the first retransmission of a phase waits for no window
        self.rescued = -1  # RescueRxt (RFC 6675 §4)
        # Proportional Rate Reduction (RFC 9937 §6)
        self.prior_cwnd = 0  # RecoverFS, as the window was
        self.prr_delivered = 0
        self.prr_out = 0
        # what a reduction that was not needed gives back
        self.prior_ssthresh = 0  # 0: nothing
        self.undo_from = -1  # SND.UNA when the reduction began; -1: it is not to be undone
        self.undo_resent = 0  # segments sent again that no DSACK has answered; -1: none was
        self.resent_at = -1  # when the first retransmission of the phase went out
        self.frto = False  # RFC 5682: the timeout may have been spurious

    def clone(self) -> Loss:
        """Return an independent copy."""
        twin = Loss(self.reordering)
        twin.phase = self.phase
        twin.point = self.point
        twin.dupacks = self.dupacks
        twin.reorderings = self.reorderings
        twin.dsacks = self.dsacks
        twin.resent_total = self.resent_total
        twin.resend = self.resend
        twin.force_resend = self.force_resend
        twin.rescued = self.rescued
        twin.prior_cwnd = self.prior_cwnd
        twin.prr_delivered = self.prr_delivered
        twin.prr_out = self.prr_out
        twin.prior_ssthresh = self.prior_ssthresh
        twin.undo_from = self.undo_from
        twin.undo_resent = self.undo_resent
        twin.resent_at = self.resent_at
        twin.frto = self.frto
        return twin
