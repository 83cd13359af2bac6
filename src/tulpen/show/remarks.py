"""What the numbers of a conversation give away: repetitions, probes, closed windows, the scale of a window."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tulpen.show.label import KEEP_ALIVE, RETRANSMISSION, WINDOW_PROBE
from tulpen.show.ladder import Arrow, Fate, Ladder, Side
from tulpen.wire.segment import ACK, FIN, RST, SYN
from tulpen.wire.seq import unwrap

if TYPE_CHECKING:
    from collections.abc import Iterator


# Remarks that make the note of the timer needless.
SAYS_IT: Final = {WINDOW_PROBE: "persist timer", KEEP_ALIVE: "keepalive timer"}


class _Way:
    """What one end has sent so far."""

    def __init__(self) -> None:
        self.high: int | None = None  # one past the highest octet of sequence space
        self.window: int | None = None
        self.ack: int | None = None  # the last it sent
        self.scale: int | None = None


def remark(ladder: Ladder) -> None:
    """Scale the windows, give the ends their initial sequence numbers, and note what the numbers say."""
    ways = {Side.LEFT: _Way(), Side.RIGHT: _Way()}
    _learn_isn(ladder)
    for rung in _arrows(ladder):
        mine, theirs = ways[rung.sender], ways[rung.sender.other]
        if rung.flags & SYN:
            mine.scale = rung.options.wscale
        elif mine.scale is not None and theirs.scale is not None:
            rung.window <<= mine.scale
        if rung.fate is Fate.INJECTED:
            continue
        words = _repetition(rung, mine, theirs) + _window(rung, mine)
        known = {SAYS_IT.get(word, word) for word in words}
        rung.notes = (*words, *(note for note in rung.notes if note not in known))


def _arrows(ladder: Ladder) -> Iterator[Arrow]:
    return (rung for rung in ladder.rungs if isinstance(rung, Arrow))


def _learn_isn(ladder: Ladder) -> None:
    for rung in _arrows(ladder):
        end, across = ladder.end(rung.sender), ladder.end(rung.sender.other)
        if rung.flags & RST or rung.fate is Fate.INJECTED:
            continue
        # A conversation joined in the middle is counted from the first octet seen, as 1.
        if end.isn is None:
            end.isn = rung.seq if rung.flags & SYN else rung.seq - 1
        if across.isn is None and rung.flags & ACK:
            across.isn = rung.ack - 1


def _repetition(rung: Arrow, mine: _Way, theirs: _Way) -> list[str]:
    if rung.fate is Fate.DUPLICATED or rung.flags & RST:
        return []
    seq = rung.seq if mine.high is None else unwrap(rung.seq, mine.high)
    length = rung.length + bool(rung.flags & SYN) + bool(rung.flags & FIN)
    high, mine.high = mine.high, seq + length if mine.high is None else max(mine.high, seq + length)
    closed = theirs.window == 0
    if rung.flags & ACK:
        mine.ack = rung.ack
    if high is None:
        return []
    unheard = theirs.ack is None or unwrap(theirs.ack, high) < high
    if seq == high - 1 and not rung.flags & (SYN | FIN) and (not rung.length or (rung.length == 1 and not unheard)):
        return [WINDOW_PROBE if closed else KEEP_ALIVE]
    if length and seq + length <= high:
        return [RETRANSMISSION]
    if length and seq < high:
        return ["partly a retransmission"]
    if closed and rung.length == 1:
        return [WINDOW_PROBE]
    return []


def _window(rung: Arrow, mine: _Way) -> list[str]:
    if rung.flags & RST:
        return []
    was, mine.window = mine.window, rung.window
    if rung.window == 0 and was != 0:
        return ["zero window"]
    if was == 0 and rung.window:
        return ["the window opens"]
    return []
