"""Why a RST was sent: what the wire shows, weighed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tulpen.wire.segment import ACK

if TYPE_CHECKING:
    from tulpen.capture.conversation import Conversation
    from tulpen.capture.resets import Reset

SECOND: Final = 1_000_000_000
IDLE: Final = 30 * SECOND  # silence after which a middlebox or a restarted host may have forgotten a connection
TTL_SLACK: Final = 2  # hops by which a path may change
PROMPT: Final = 10 * SECOND
PROBES: Final = 3
TRIES: Final = 4

BEFORE_ESTABLISHED: Final = ("", "CLOSED", "LISTEN", "SYN-SENT", "SYN-RECEIVED")


def cause_of(talk: Conversation, reset: Reset) -> str:
    """Return the probable cause, a word of kinds.CAUSES; "" where there is nothing to judge by."""
    sender, receiver = talk.ends[reset.side], talk.ends[1 - reset.side]
    if talk.segments == sender.resets + receiver.resets:
        return ""
    if forged(talk, reset):
        return "injected"
    if reset.theirs == "SYN-SENT" and not sender.syn_frame and not sender.data_packets:
        return "closed-port"
    if reset.state in ("SYN-SENT", "SYN-RECEIVED", ""):
        opening = _while_opening(talk, reset)
        if opening:
            return opening
    if reset.keep_alives >= PROBES:
        return "keep-alive"
    if reset.tries >= TRIES:
        return "gave-up"
    return _after_close(reset) if reset.after_fin else _while_open(talk, reset)


def _after_close(reset: Reset) -> str:
    if reset.late_text:
        return "data-after-close"
    return "forgotten" if reset.answers else "abort"


def _while_open(talk: Conversation, reset: Reset) -> str:
    sender, receiver = talk.ends[reset.side], talk.ends[1 - reset.side]
    if reset.answers or (reset.idle >= IDLE and reset.peer_last_length):
        return "forgotten"
    # One that asked has most probably read the answer, unless it was still coming.
    late = talk.findings.of("after-reset", 1 - reset.side) is not None
    coming = late or reset.peer_last_length or not sender.syns
    if coming and receiver.fin is None and reset.unanswered and reset.idle < PROMPT:
        return "unread-data"
    return "abort"


def _while_opening(talk: Conversation, reset: Reset) -> str:
    if reset.bad_ack:
        return "bad-ack"
    if reset.answers and reset.state == "SYN-SENT":
        return "no-connection"
    if reset.state == "SYN-SENT" or (reset.state == "SYN-RECEIVED" and not talk.ends[1 - reset.side].data_packets):
        return "abandoned"
    return ""


def forged(talk: Conversation, reset: Reset) -> bool:
    """Say whether somebody else sent it: a TTL, an IP identification, numbers or options that are out of line."""
    signs = suspicions(talk, reset)
    return ("went on" in signs and len(signs) > 1) or len(signs) >= 3 or {"ttl", "ident"} <= set(signs)


def suspicions(talk: Conversation, reset: Reset) -> list[str]:
    """Return what does not fit the end whose address the RST bears."""
    sender = talk.ends[reset.side]
    signs = []
    if sender.packets - sender.resets < 2:
        return []
    if abs(reset.ttl_off) > TTL_SLACK and not reset.answers:
        signs.append("ttl")
    if reset.ident_off and not reset.answers:
        signs.append("ident")
    if not reset.exact:
        signs.append("sequence")
    if reset.no_stamp and not reset.answers and reset.flags & ACK:
        signs.append("timestamp")
    if reset.went_on and not reset.after_fin:
        signs.append("went on")
    return signs
