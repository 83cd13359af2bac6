"""The other end of the subject's connection: it turns letters into segments, and segments into words.

It keeps three numbers, all learnt from what the subject sends.  ``ours`` is what the
subject acknowledged last, so it is the subject's RCV.NXT; it moves when an answer
acknowledges the segment just sent, so a refused SYN leaves the old numbers in force.
``theirs`` is the end of what the subject has sent: its SND.NXT.  ``syn`` is where our
last accepted SYN stood.  A new incarnation that comes to nothing leaves the numbers of
the one before in force too, for a TIME-WAIT that was reopened may come back.

A segment of the subject becomes ``FLAGS(seq,ack)``: ``nxt`` is SND.NXT, ``fresh`` an
initial sequence number not seen before; ``cur`` acknowledges what was acknowledged
already, ``adv`` all of the segment that it answers.
"""

from __future__ import annotations

from typing import Final, final

from tulpen.learn.alphabet import LETTERS, Acks, Kind, Letter, Seq
from tulpen.wire.segment import ACK, FIN, RST, SYN, Segment

OURS: Final = 10_000_000  # our first number; any will do
THEIRS: Final = 3_000_000_000  # stands for SND.NXT until the subject has sent something

MASK: Final = 0xFFFF_FFFF
AHEAD: Final = 100  # in the window
BEYOND: Final = 1_000_000  # out of a window that is not scaled
WINDOW: Final = 60_000
_NEAR: Final = 8

_NAMES: Final = ((SYN, "SYN"), (FIN, "FIN"), (RST, "RST"), (ACK, "ACK"))
_TEXT: Final = b"x"

SILENCE: Final = "-"


@final
class Peer:
    """The numbers of one query."""

    __slots__ = (
        "_accepted",
        "_before",
        "_confirmed",
        "_end",
        "_letter",
        "dport",
        "iss",
        "ours",
        "sport",
        "syn",
        "theirs",
    )

    def __init__(self, sport: int, dport: int) -> None:
        self.sport = sport
        self.dport = dport
        self.ours = OURS
        self.theirs = THEIRS
        self.syn = OURS
        self.iss = -1  # of the subject
        self._end = OURS  # of the segment that was sent last
        self._letter = LETTERS["SYN"]  # the last input
        self._accepted = False  # a SYN of ours
        self._confirmed = False  # its handshake has ended
        self._before: tuple[int, int, int] | None = None  # the numbers before the last accepted SYN

    def segment(self, letter: Letter) -> Segment:
        """Return the segment that a letter stands for now."""
        self._letter = letter
        octets = _TEXT * letter.octets
        seq = self._seq(letter.seq) & MASK
        segment = Segment(seq, self._ack(letter.acks), letter.flags, WINDOW, octets, sport=self.sport, dport=self.dport)
        self._end = (seq + segment.len) & MASK
        return segment

    @property
    def seen(self) -> bool:
        """Whether the subject has sent a SYN."""
        return self.iss >= 0

    def called(self, letter: Letter) -> None:
        """Note that what comes next answers a call or a timer, and no segment."""
        self._end = self.ours
        self._letter = letter

    def words(self, answers: list[Segment]) -> str:
        """Return what the subject has sent in reply, and learn its numbers from it."""
        words = "|".join([self._word(answer) for answer in answers]) if answers else SILENCE
        if self._before is not None:
            self._look_back(self._before, answers)
        return words

    def _look_back(self, before: tuple[int, int, int], answers: list[Segment]) -> None:
        """Return to the old numbers if the new incarnation came to nothing."""
        letter = self._letter
        refused = not answers or bool(answers[0].flags & RST)
        if letter.kind is Kind.CALL:
            over = letter.name in ("CLOSE", "ABORT") and refused and not self._confirmed
        elif letter.seq is not Seq.NEXT:
            over = False
        elif letter.flags & RST:
            over = True
        else:
            over = bool(letter.flags & SYN) and refused
        if over:
            self.ours, self.theirs, self.syn = before
            self._before = None
        elif any(answer.flags & FIN for answer in answers):
            self._confirmed = True
        elif letter.flags & ACK and letter.seq is Seq.NEXT and not letter.flags & SYN:
            self._confirmed = self._confirmed or not answers or not refused

    def _seq(self, where: Seq) -> int:
        if where is Seq.NEXT:
            return self.ours
        if where is Seq.OLD:
            return self.ours - 1
        if where is Seq.WINDOW:
            return self.ours + AHEAD
        return self.ours + BEYOND if where is Seq.NEW else self.syn

    def _ack(self, which: Acks) -> int:
        if which is Acks.ALL:
            return self.theirs
        if which is Acks.LESS:
            return (self.theirs - 1) & MASK
        return (self.theirs + BEYOND) & MASK if which is Acks.FUTURE else 0

    def _word(self, answer: Segment) -> str:
        flags = answer.flags
        name = "+".join([name for bit, name in _NAMES if flags & bit]) or "none"
        if answer.data:
            name += f"+D{len(answer.data)}"
        word = f"{name}({self._seq_word(answer)}"
        if flags & ACK:
            word += f",{self._ack_word(answer.ack)}"
        if not flags & RST:
            self._learn(answer)
        return word + ")"

    def _seq_word(self, answer: Segment) -> str:
        distance = (answer.seq - self.theirs) & MASK
        if distance == 0:
            return "nxt"
        if answer.flags & SYN and answer.seq != self.iss:
            return "fresh"
        if answer.seq == 0:
            return "zero"
        return _near("nxt", distance)

    def _ack_word(self, ack: int) -> str:
        if ack == self.ours:
            return "cur"
        if ack == self._end:
            return "adv"
        return "zero" if ack == 0 else _near("cur", (ack - self.ours) & MASK)

    def _learn(self, answer: Segment) -> None:
        if answer.flags & SYN:
            if answer.flags & ACK and answer.ack == self._end != self.ours:
                self._before = (self.ours, self.theirs, self.syn) if self._accepted else None
                self._accepted, self._confirmed = True, False
                self.syn = (self._end - 1) & MASK
            if answer.seq != self.iss:
                self.iss = answer.seq
                self.theirs = (answer.seq + 1) & MASK
        end = (answer.seq + answer.len) & MASK
        if 0 < (end - self.theirs) & MASK < 1 << 31:
            self.theirs = end
        if answer.flags & ACK and answer.ack == self._end:
            self.ours = self._end


def _near(base: str, distance: int) -> str:
    if distance > 1 << 31:
        distance -= 1 << 32
    if abs(distance) <= _NEAR:
        return f"{base}{distance:+d}"
    return "fut" if distance == BEYOND else "other"
