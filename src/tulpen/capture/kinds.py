"""The words of ``tulpen read``: how a connection opens and ends, and what is found in between.

Each is said once, here; the columns, the sentences, the JSON and the documentation use them.
"""

from __future__ import annotations

from enum import Enum
from typing import Final, NamedTuple


class Weight(Enum):
    """How much a finding matters."""

    NOTE = "note"  # worth knowing
    ODD = "odd"  # costs time, or should not be
    BAD = "bad"  # somebody's connection failed or hung


class Word(NamedTuple):
    """A word with what it means and where it is written."""

    name: str
    meaning: str
    clause: str = ""  # of an RFC
    weight: Weight = Weight.NOTE


_BAD: Final = Weight.BAD
_ODD: Final = Weight.ODD

OPENINGS: Final[tuple[Word, ...]] = (
    Word("normal", "SYN, SYN,ACK, ACK", "RFC 9293 §3.5"),
    Word("simultaneous", "both ends sent a SYN before either saw the other's", "RFC 9293 §3.5, MUST-10"),
    Word("split", "a SYN was answered by a SYN, and that by a SYN,ACK: a split handshake", "RFC 9293 §3.5", _ODD),
    Word("fast-open", "text came with the SYN and was taken", "RFC 7413 §4.2"),
    Word("unfinished", "SYN and SYN,ACK; the ACK never came", "RFC 9293 §3.5", _ODD),
    Word("unanswered", "nobody answered the SYN", "RFC 9293 §3.8.3, MUST-23", _BAD),
    Word("refused", "a RST answered the SYN", "RFC 9293 §3.10.7.1", _BAD),
    Word("unreachable", "an ICMP error answered the SYN", "RFC 9293 §3.9.2.2, SHLD-25", _BAD),
    Word("partial", "a part of the handshake was not captured", "RFC 9293 §3.5"),
    Word("one-sided", "only one end's segments were captured, and they go on as if answered", "RFC 9293 §3.5"),
    Word("midstream", "the capture begins after the handshake"),
)

ENDINGS: Final[tuple[Word, ...]] = (
    Word("closed", "one end closed, then the other", "RFC 9293 §3.6"),
    Word("closed-together", "both ends closed before either saw the other's FIN", "RFC 9293 §3.6, Figure 13"),
    Word("half-closed", "one end closed, the other never did", "RFC 9293 §3.6.1", _ODD),
    Word("reset", "one end gave the connection up with a RST", "RFC 9293 §3.5.3", _BAD),
    Word("refused", "a RST answered the SYN", "RFC 9293 §3.10.7.1", _BAD),
    Word("unreachable", "an ICMP error answered the SYN", "RFC 9293 §3.9.2.2", _BAD),
    Word("unanswered", "nobody answered the SYN", "RFC 9293 §3.8.3", _BAD),
    Word("unfinished", "the handshake was never completed", "RFC 9293 §3.5", _ODD),
    Word("silent", "one end stopped answering, and the other kept on trying", "RFC 9293 §3.8.3, MUST-20", _BAD),
    Word("open", "still open where the capture ends"),
)

CAUSES: Final[tuple[Word, ...]] = (
    Word("closed-port", "nothing listens there", "RFC 9293 §3.10.7.1"),
    Word("bad-ack", "the answer acknowledged something that was never sent: an old connection's", "RFC 9293 §3.5.1"),
    Word("abandoned", "it gave up before the handshake was complete", "RFC 9293 §3.10.5"),
    Word("data-after-close", "text came after its application had closed", "RFC 9293 §3.6.1, SHLD-3"),
    Word("unread-data", "its application closed with received text unread", "RFC 9293 §3.6.1, SHLD-3"),
    Word("abort", "its application gave the connection up: linger 0, or the process died", "RFC 9293 §3.10.5"),
    Word("keep-alive", "its keep-alives went unanswered", "RFC 9293 §3.8.4"),
    Word("gave-up", "its retransmissions went unanswered", "RFC 9293 §3.8.3, MUST-20"),
    Word("no-connection", "it knew nothing of the connection: the SYN was forged, or made by another program there",
         "RFC 9293 §3.10.7.1"),
    Word("forgotten", "it no longer knew the connection: restarted, or a middlebox had dropped it after idling",
         "RFC 9293 §3.5.1"),
    Word("injected", "somebody between the ends forged the RST", "RFC 5961 §3"),
)  # fmt: skip

FINDINGS: Final[tuple[Word, ...]] = (
    # opening
    Word("syn-retries", "the SYN was sent again", "RFC 9293 §3.8.3, MUST-23", _ODD),
    Word("syn-ack-retries", "the SYN,ACK was sent again", "RFC 9293 §3.8.3", _ODD),
    Word("second-syn-ack", "a second SYN,ACK had another initial sequence number: two answered", "RFC 9293 §3.4", _BAD),
    Word("cookie", "the SYN,ACK looks like a SYN cookie: the listener's queue was full", "RFC 4987 §3.6", _ODD),
    Word("fast-open-refused", "the text of the SYN was not taken", "RFC 7413 §4.2.2", _ODD),
    Word("fast-open-cookie", "a Fast Open cookie was asked for or given", "RFC 7413 §4.1"),
    Word("challenged", "a SYN inside of a connection was answered by a challenge ACK", "RFC 5961 §4.2", _ODD),
    Word("reused", "the addresses and ports of an earlier connection, used again", "RFC 9293 §3.6.1, MAY-2"),
    Word("timestamps-behind", "the SYN's timestamp is behind an earlier one of this address and it was not answered: "
         "perhaps hosts behind one NAT, at a server that compares them", "RFC 7323 §5.8", _ODD),
    # loss
    Word("retransmissions", "text was sent again", "RFC 9293 §3.8.1"),
    Word("timeouts", "text was sent again when the retransmission timer expired", "RFC 6298 §5", _ODD),
    Word("fast-retransmits", "text was sent again because ACKs told of its loss", "RFC 5681 §3.2"),
    Word("spurious", "text was sent again that had already been acknowledged", "RFC 5682 §1", _ODD),
    Word("reordered", "segments overtook each other", "RFC 9293 §3.10.7.4, SHLD-31", _ODD),
    Word("duplicated", "the same packet was captured twice", "RFC 9293 §3.10.7.4"),
    Word("dsack", "the receiver says that it got text twice", "RFC 2883 §4"),
    Word("sack", "the receiver tells of text that is missing", "RFC 2018 §4"),
    Word("not-captured", "text was acknowledged that the capture does not have", ""),
    Word("path-mtu-hole", "large segments never arrive and small ones do: a path MTU black hole", "RFC 4821 §1", _BAD),
    Word("icmp", "a router or host sent an ICMP error", "RFC 9293 §3.9.2.2, MUST-54", _ODD),
    # flow
    Word("zero-window", "the receiver's window was closed: its application did not read", "RFC 9293 §3.8.6.1", _ODD),
    Word("window-full", "the sender filled the window and had to wait", "RFC 9293 §3.8.6"),
    Word("window-probes", "a closed window was probed", "RFC 9293 §3.8.6.1, MUST-36"),
    Word("keep-alives", "an idle connection was probed", "RFC 9293 §3.8.4"),
    Word("keep-alives-unanswered", "probes of an idle connection were not answered", "RFC 9293 §3.8.4, MUST-29", _BAD),
    Word("delayed-ack-stall", "the sender waited for an ACK that the receiver delayed (Nagle)", "RFC 9293 §3.8.6.3",
         _ODD),
    Word("paws", "a timestamp went back: the receiver drops such a segment", "RFC 7323 §5.3", _ODD),
    # closing
    Word("reset-ignored", "an end went on after a RST: it was not acceptable", "RFC 5961 §3.2", _ODD),
    Word("after-reset", "segments after the RST", "RFC 9293 §3.10.7.1"),
    Word("last-fin", "the last FIN was not acknowledged", "RFC 9293 §3.10.7.4"),
    Word("reset-after-close", "a RST after both ends had closed", "RFC 9293 §3.6.1"),
    # numbers
    Word("bad-handshake", "the handshake's numbers do not fit", "RFC 9293 §3.10.7.3", _ODD),
    Word("illegal-flags", "flags that no TCP sends together", "RFC 9293 §3.1", _ODD),
    Word("no-ack", "a segment without ACK after the handshake", "RFC 9293 §3.1", _ODD),
    Word("after-fin", "text beyond the sender's own FIN", "RFC 9293 §3.10.2", _ODD),
    Word("moved-fin", "a second FIN at another sequence number", "RFC 9293 §3.4", _ODD),
    Word("beyond-window", "text beyond the window", "RFC 9293 §3.8.6, SHLD-15", _ODD),
    Word("shrunk-window", "the window was taken back", "RFC 9293 §3.8.6, SHLD-14", _ODD),
    Word("option-late", "an option that only a SYN may carry", "RFC 9293 §3.7.1, MUST-65", _ODD),
    Word("bad-option", "an option of a wrong length", "RFC 9293 §3.1, MUST-68", _ODD),
    Word("scale-too-large", "a window scale above 14", "RFC 7323 §2.3", _ODD),
    Word("no-timestamp", "a segment without the timestamps that were agreed on", "RFC 7323 §3.2", _ODD),
    Word("slow-ack", "an ACK was delayed by more than 0.5 s", "RFC 9293 §3.8.6.3, MUST-40", _ODD),
    Word("no-backoff", "retransmissions without exponential backoff", "RFC 9293 §3.8.2, MUST-19", _ODD),
    Word("bad-checksum", "the checksum was wrong, so the segment counts for nothing", "RFC 9293 §3.1, MUST-3", _ODD),
    Word("bad-address", "a SYN from or to a broadcast or multicast address", "RFC 9293 §3.9.2.3, MUST-63", _ODD),
    Word("land", "both ends have the same address and port", "RFC 9293 §3.9.2.3", _ODD),
)  # fmt: skip

FINDING: Final[dict[str, Word]] = {word.name: word for word in FINDINGS}
OPENING: Final[dict[str, Word]] = {word.name: word for word in OPENINGS}
ENDING: Final[dict[str, Word]] = {word.name: word for word in ENDINGS}
CAUSE: Final[dict[str, Word]] = {word.name: word for word in CAUSES}
