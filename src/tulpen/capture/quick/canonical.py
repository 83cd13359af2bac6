"""A connection made of letters, followed by the exact reader: the first of its shape, for all others."""

from __future__ import annotations

from typing import Any, Final

from tulpen.capture.cause import IDLE as FORGOTTEN_AFTER
from tulpen.capture.cause import PROMPT
from tulpen.capture.conversation import Conversation
from tulpen.capture.quick import letters
from tulpen.capture.seen import Seen
from tulpen.tcp.state import SYN_SENT
from tulpen.wire.segment import ACK, FIN, RST, SYN

EPOCH: Final = 1 << 50  # nanoseconds
STEP: Final = 1_000_000
LENGTH: Final = 100
ADDRESSES: Final = (b"\x0a\0\0\1", b"\x0a\0\0\2")
PORTS: Final = ((40_000, 80), (80, 40_000))  # where the SYN is missing, they say who the client is
SILENCE: Final = {letters.RECENT: STEP, letters.LONG: PROMPT, letters.FORGOTTEN: FORGOTTEN_AFTER}


def first_letters() -> tuple[int, int]:
    """Return what words begin with: the end that is the client by its port."""
    return 0, 1


class Canonical:
    """A connection of given letters."""

    def __init__(self, word: tuple[int, ...]) -> None:
        self.count = 0
        self.nxt: list[int | None] = [None, None]
        self.fin: list[int | None] = [None, None]
        self.ports = PORTS[word[0]]
        self.made: Conversation | None = None
        for letter in word[1:]:
            self.take(letter)

    @property
    def talk(self) -> Conversation:
        """The connection; before its first letter there is none."""
        assert self.made is not None
        return self.made

    def letter_at(self, when: int) -> int:
        """Return which letter passed then, from 0."""
        return (when - EPOCH) // STEP - 1

    def take(self, letter: int) -> bool:
        """Add a letter; say whether it can be."""
        self.count += 1
        seg = self._segment(letter) if letter < letters.RESET else self._reset(letter - letters.RESET)
        if seg is None or (self.made is not None and self.made.resets and letter < letters.RESET):
            return False
        if self.made is None:
            self.made = Conversation(1, seg)
        if letter >= letters.RESET:
            self._remember(letter - letters.RESET, seg)
        self.made.segment(seg)
        return True

    def refuses(self, side: int) -> bool:
        """Say whether a RST of that end would be the answer to a SYN."""
        if self.made is None:
            return False
        sender, receiver = self.made.ends[side], self.made.ends[1 - side]
        return receiver.machine.state is SYN_SENT and not sender.syns and not sender.syn_acks

    def key(self) -> tuple[Any, ...]:
        """Return all that the machines, and what is told of them, may depend on later."""
        if self.made is None:
            return ()
        talk = self.made
        ends = tuple(
            (
                end.machine.state,
                end.machine.confirmed,
                tuple(
                    (step.source, step.event, step.target, step.known, step.frame, step.when, step.proof)
                    for step in end.machine.steps
                ),
                end.packets > 0,
                end.acked_first > 0,
                end.isn,
                end.syns,
                end.syn_acks,
                end.fin_frame,
                end.fin_acked,
                end.resets > 0,
            )
            for end in talk.ends
        )
        return ends, talk.first_syn, talk.first_fin, tuple(talk.pending_fin)

    def _segment(self, letter: int) -> Seen | None:
        side, flags = letter & letters.SIDE, 0
        for bit, flag in ((letters.WITH_SYN, SYN), (letters.WITH_ACK, ACK), (letters.WITH_FIN, FIN)):
            flags |= flag if letter & bit else 0
        covered = self.fin[1 - side]
        if letter & letters.OF_FIN and covered is None:
            return None
        ack = 0
        if flags & ACK:
            ack = covered + bool(letter & letters.OF_FIN) if covered is not None else self._next(1 - side)
        seq = self._next(side)
        length = LENGTH if letter & letters.WITH_TEXT else 0
        if flags & FIN:
            self.fin[side] = seq + length
        self.nxt[side] = seq + length + bool(flags & SYN) + bool(flags & FIN)
        return self._seen(side, seq, ack, flags, length)

    def _next(self, side: int) -> int:
        number = self.nxt[side]
        if number is None:
            number = self.nxt[side] = 1000 * (side + 1)
        return number

    def _seen(self, side: int, seq: int, ack: int, flags: int, length: int) -> Seen:
        return Seen(
            self.count, EPOCH + self.count * STEP, ADDRESSES[side], ADDRESSES[1 - side], self.ports[side],
            self.ports[1 - side], seq, ack, flags, 60_000, length, ttl=64,
        )  # fmt: skip

    def _reset(self, letter: int) -> Seen | None:
        side = letter & letters.SIDE
        if self.made is None:
            return self._seen(side, 1000, 0, RST | (ACK if letter & letters.WITH_ACK else 0), 0)
        flags, ack = (RST | ACK, self._next(1 - side)) if letter & letters.WITH_ACK else (RST, 0)
        if self.refuses(side):
            return self._seen(side, 0 if letter & letters.ANSWERS else 1000, ack, flags, 0)
        expected = self.made.ends[1 - side].last_ack
        return self._seen(side, self._next(side) if expected is None else expected, ack, flags, 0)

    def _remember(self, letter: int, seg: Seen) -> None:
        """Let the segments that are not letters have been as the letter of a RST says."""
        talk = self.talk
        side = letter & letters.SIDE
        sender, receiver = talk.ends[side], talk.ends[1 - side]
        before = letter // letters.BEFORE & 3
        if before == letters.SAME:
            talk.last_side = side
        elif before != letters.OPENING:  # which is a letter itself
            talk.last_side = 1 - side
            length = LENGTH if before == letters.TEXT else 0
            talk.last_seg = self._seen(1 - side, 0, seg.seq if letter & letters.ANSWERS else seg.seq - 1, ACK, length)
        talk.last_when = seg.when - SILENCE[letter // letters.IDLE & 3]
        sent, got = bool(letter & letters.SENT), bool(letter & letters.GOT)
        sender.data_packets, receiver.data_packets = int(sent), int(got)
        sender.last_data_when, receiver.last_data_when = int(sent), int(got)
        if letter & letters.UNANSWERED:
            receiver.last_data_when = 2
        receiver.last_data = sender.fin_frame + 1 if letter & letters.LATE_TEXT else 0
