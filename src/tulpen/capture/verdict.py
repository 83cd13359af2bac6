"""How a connection opened and ended, by whom, and who waits in TIME-WAIT."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from tulpen.capture.cause import cause_of, forged
from tulpen.tcp.state import TIME_WAIT, Event

if TYPE_CHECKING:
    from tulpen.capture.conversation import Conversation
    from tulpen.capture.end import End
    from tulpen.capture.resets import Reset

AT_LEAST: Final = 1_000_000_000  # nanoseconds of trying
SILENT: Final = 3  # tries in a row that nobody answered
NOBODY: Final = -1
BOTH: Final = 2
MIDDLE: Final = 3


class Opening(NamedTuple):
    """How it opened."""

    word: str
    frame: int
    client: int  # side
    roles: str


class Ending(NamedTuple):
    """How it ended."""

    word: str
    by: int = NOBODY  # side, BOTH, MIDDLE
    frame: int = 0
    cause: str = ""
    idle: int = 0  # nanoseconds
    reset: Reset | None = None


def opening(talk: Conversation) -> Opening:
    """Say how the connection opened."""
    client, roles = _client(talk)
    ours, theirs = talk.ends[client], talk.ends[1 - client]
    if not ours.syns and not theirs.syns:
        if theirs.syn_acks or ours.syn_acks:
            return Opening("partial", theirs.syn_frame or ours.syn_frame, client, roles)
        return Opening("midstream", talk.first_frame, client, roles)
    return Opening(_opened(talk, ours, theirs, client), ours.syn_frame or theirs.syn_frame, client, roles)


def _opened(talk: Conversation, ours: End, theirs: End, client: int) -> str:
    if ours.syns and theirs.syns:
        return "split" if ours.syn_acks and not theirs.syn_acks else "simultaneous"
    if theirs.syn_acks:
        if talk.text_taken:
            return "fast-open"
        if ours.packets == ours.syns + ours.resets or (ours.packets > ours.syns and not _completed(ours)):
            return "unfinished"
        return "normal"
    if any(reset.side != client and reset.acceptable for reset in talk.resets) and theirs.packets == theirs.resets:
        return "refused"
    if theirs.packets == 0:
        if _went_on(ours, talk.syn_text):
            return "one-sided"
        if any(error.kind in ("port", "unreachable", "prohibited") for error in talk.icmp):
            return "unreachable"
        return "unanswered"
    return "unanswered" if theirs.packets == theirs.resets else "partial"


def _completed(ours: End) -> bool:
    return bool(ours.acked_first or ours.data_packets)


def _went_on(ours: End, text: int) -> bool:
    return bool(ours.acked_first or ours.bytes > text or ours.fin is not None)


def _client(talk: Conversation) -> tuple[int, str]:
    side = talk.first_syn
    if side >= 0:
        first, other = talk.ends[side], talk.ends[1 - side]
        if first.syns:
            if other.syns and other.syn_frame < first.syn_frame:
                return 1 - side, "syn"
            return side, "syn"
        return 1 - side, "syn-ack"
    ports = talk.ends[0].port, talk.ends[1].port
    if (ports[0] < 1024) != (ports[1] < 1024):
        return (1 if ports[0] < 1024 else 0), "ports"
    if ports[0] != ports[1] and min(ports) < 32_768 <= max(ports):
        return (1 if ports[0] < ports[1] else 0), "ports"
    return 0, "ports"


def ending(talk: Conversation, opened: Opening) -> Ending:
    """Say how the connection ended."""
    client = opened.client
    if opened.word == "refused":
        refusal = next(reset for reset in talk.resets if reset.side != client and reset.acceptable)
        return Ending("refused", 1 - client, refusal.frame, cause_of(talk, refusal), refusal.idle, refusal)
    if opened.word == "unreachable":
        return Ending("unreachable", NOBODY, talk.icmp[0].frame)
    reset = _decisive(talk)
    if reset is not None:
        cause = cause_of(talk, reset)
        by = MIDDLE if cause == "injected" else reset.side
        return Ending("reset", by, reset.frame, cause, reset.idle, reset)
    if opened.word == "unanswered":
        return Ending("unanswered", NOBODY, talk.ends[client].syn_frame)
    first, second = talk.ends
    if first.fin is not None and second.fin is not None:
        return _closed(talk)
    lost = _silent(talk)
    if lost is not None:
        return lost
    if talk.first_fin >= 0:
        return Ending("half-closed", talk.first_fin, talk.ends[talk.first_fin].fin_frame, idle=talk.fin_idle)
    if opened.word == "unfinished":
        return Ending("unfinished", NOBODY, talk.ends[client].syn_frame)
    return Ending("open")


def _closed(talk: Conversation) -> Ending:
    side = talk.first_fin
    first, second = talk.ends[side], talk.ends[1 - side]
    together = not _acked_before_own_fin(second)
    word = "closed-together" if together else "closed"
    return Ending(word, BOTH if together else side, first.fin_frame, idle=talk.fin_idle)


def _acked_before_own_fin(second: End) -> bool:
    # The FIN of the one who closed first had come before it closed, too.
    events = [step.event for step in second.machine.steps]
    if Event.FIN in events and Event.CLOSE in events:
        return events.index(Event.FIN) < events.index(Event.CLOSE)
    return Event.CLOSE not in events


def _decisive(talk: Conversation) -> Reset | None:
    """Return the RST that ended the connection: the first that was acceptable, or else forged and believed."""
    ends = talk.ends
    for reset in talk.resets:
        if not reset.acceptable:
            continue
        both = all(end.fin is not None and end.fin_acked for end in ends)
        fins_before = all(end.fin is not None and end.fin_frame < reset.frame for end in ends)
        if both and fins_before:
            return None
        if fins_before and reset.state in ("TIME-WAIT", "CLOSED"):
            return None
        if talk.findings.of("reset-ignored", 1 - reset.side) is not None:
            continue
        if forged(talk, reset) and all(end.fin is not None and end.fin_acked for end in ends):
            continue
        return reset
    return None


def _silent(talk: Conversation) -> Ending | None:
    for side in (0, 1):
        end, other = talk.ends[side], talk.ends[1 - side]
        heard = other.last_when or talk.start
        long = end.last_when - heard >= AT_LEAST
        trying = long and (end.tries >= SILENT or end.probes_open >= SILENT)
        if trying and other.last_frame < end.last_frame and (other.packets or end.packets > SILENT):
            return Ending("silent", 1 - side, other.last_frame, idle=max(end.last_when - heard, 0))
    return None


def time_wait(talk: Conversation) -> int:
    """Return the side that waits out 2 MSL, BOTH or NOBODY."""
    waits = [any(step.target is TIME_WAIT for step in end.machine.steps) for end in talk.ends]
    if all(waits):
        return BOTH
    return waits.index(True) if any(waits) else NOBODY
