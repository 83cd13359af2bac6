"""What a connection remembers of ECN (RFC 3168) and of its more accurate feedback (RFC 9768).

``ecn`` and ``accecn`` act on it.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final, final

from tulpen.wire.segment import NOT_ECT

# Why marks are not made, or not believed (RFC 9768 §3.2.2.3, §3.2.3.2); the bits are Linux's but for the last.
ACE_UNSENT: Final = 1  # our ACE field does not reach the peer
ACE_UNHEARD: Final = 2  # the peer's is not what it sent
OPTION_UNSENT: Final = 4
OPTION_UNHEARD: Final = 8
PLAIN_SYN: Final = 16  # a SYN of ours did not ask: without ECT, but their marks are echoed (RFC 3168 §6.1.1)

# What the peer's AccECN options have been.
NONE_SEEN: Final = 0
SEEN_EMPTY: Final = 1
SEEN: Final = 2
SEEN_ZEROED: Final = 3


class Mode(IntEnum):
    """Which feedback the two SYNs agreed on."""

    OFF = 0
    CLASSIC = 1  # RFC 3168
    ACCURATE = 2  # RFC 9768
    PENDING = 3  # it is asked for, and the answer not here yet


@final
class Ecn:
    """One connection's, or one request's; there is none where ECN was not asked for.

    Octets of text are counted by the mark they bore: three numbers, for ECT(1), ECT(0) and CE.
    """

    __slots__ = (
        "cwr_due", "delivered", "delivered_ce", "echo", "estimate", "failures", "fields", "first_feedback", "hasten",
        "last_mark", "mode", "option_at", "option_due", "option_seen", "packets_acked", "received",
        "received_ce", "reflect", "seen", "syn_mark", "told_ce", "told_duplicate",
    )  # fmt: skip

    def __init__(self, mode: Mode) -> None:
        self.mode = mode
        self.seen = False  # a mark on anything that came
        self.delivered_ce = 0  # segments of ours known to have arrived marked CE (s.cep)
        # RFC 3168
        self.echo = False  # ECE on all we send, until their CWR (§6.1.3)
        self.cwr_due = False  # CWR on our next new text (§6.1.2)
        # RFC 9768, as Data Receiver
        self.received_ce = 0  # segments that came marked CE (r.cep)
        self.told_ce = 0  # ... when an ACE field last went out
        self.received = [0, 0, 0]
        self.syn_mark = NOT_ECT  # what their SYN, or last SYN,ACK, bore
        self.last_mark = NOT_ECT
        self.reflect = False  # the next ACK tells of ``syn_mark`` (§3.2.2.1)
        self.hasten = False  # the mark has changed: the next text is acknowledged at once
        self.fields = 0  # counters that an option needs to tell what has changed since the last
        self.option_due = 0  # segments that have to carry the option
        self.option_at = -1  # when it was last sent; -1: never
        self.told_duplicate = -1  # where the text began that came twice, when the option went with that news
        # ... as Data Sender
        self.delivered = [0, 0, 0]
        self.estimate = -1  # which of them text without an option counts for; -1: not known
        self.option_seen = NONE_SEEN
        self.first_feedback = True  # none has come since the handshake
        self.packets_acked = 0  # by an ACK, smoothed, in 64ths
        self.failures = 0

    def clone(self) -> Ecn:
        """Return an independent copy."""
        twin = Ecn(self.mode)
        twin.seen = self.seen
        twin.delivered_ce = self.delivered_ce
        twin.echo = self.echo
        twin.cwr_due = self.cwr_due
        twin.received_ce = self.received_ce
        twin.told_ce = self.told_ce
        twin.received = self.received.copy()
        twin.syn_mark = self.syn_mark
        twin.last_mark = self.last_mark
        twin.reflect = self.reflect
        twin.hasten = self.hasten
        twin.fields = self.fields
        twin.option_due = self.option_due
        twin.option_at = self.option_at
        twin.told_duplicate = self.told_duplicate
        twin.delivered = self.delivered.copy()
        twin.estimate = self.estimate
        twin.option_seen = self.option_seen
        twin.first_feedback = self.first_feedback
        twin.packets_acked = self.packets_acked
        twin.failures = self.failures
        return twin
