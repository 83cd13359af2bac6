"""Path MTU black holes: large segments are sent again and again, and small ones of the same end arrive."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tulpen.capture.conversation import Conversation

LARGE: Final = 1000  # octets of text; what is smaller passes everywhere (RFC 9293 §3.7.1: 536, and 1220 for IPv6)
TRIES: Final = 3  # sendings of the same text


def path_mtu_hole(talk: Conversation, side: int) -> None:
    """Add the finding where what is left in the flight shows one."""
    end = talk.ends[side]
    left = end.flight[end.flight_from :]
    if not left or left[0].times < TRIES or end.una is None or end.isn is None:
        return
    large = left[0].end - left[0].start >= LARGE
    arrived = end.una - end.isn > 0 or talk.ends[1 - side].packets > 0
    told = [error for error in talk.icmp if error.kind == "too-big"]
    if large and arrived and (told or _answers_small(talk, side)):
        detail = f"MTU {told[-1].mtu} by ICMP" if told and told[-1].mtu else ""
        talk.findings.add("path-mtu-hole", side, left[0].frame, detail=detail)


def _answers_small(talk: Conversation, side: int) -> bool:
    # The other end was heard while the large segment did not get through, or it says that only that one is missing.
    end, other = talk.ends[side], talk.ends[1 - side]
    lost = end.flight[end.flight_from]
    return end.highest_sack > lost.end or other.last_when > lost.first
