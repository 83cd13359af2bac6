"""The states of an end that left no trace, worked out from the segments it sent and received.

The moves come from ``tcp/state.py``'s own table; what is worked out is marked as
inferred.  Where the end's state was also read (from the kernel, now and then), what the
readings confirm is marked as seen, and what they add is put in.
"""

from __future__ import annotations

from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Final, NamedTuple

from tulpen.show.ladder import Arrow, Fate, Happening, HappeningKind, Ladder, Side, Standing
from tulpen.tcp.state import (
    CLOSE_WAIT,
    CLOSED,
    ESTABLISHED,
    FIN_RECEIVED,
    LISTEN,
    SYN_RECEIVED,
    SYN_SENT,
    SYNCHRONIZED,
    Event,
    ImpossibleTransition,
    State,
    follow,
)
from tulpen.wire.segment import ACK, FIN, RST, SYN
from tulpen.wire.seq import unwrap

if TYPE_CHECKING:
    from collections.abc import Sequence

COUNTS: Final = frozenset({Fate.ARRIVED, Fate.UNKNOWN, Fate.OUT_OF_ORDER, Fate.INJECTED, Fate.DUPLICATED})


class Unseen:
    """The machine of an end, moved by what its segments prove."""

    def __init__(self, state: State | None) -> None:
        self.state = state
        self.moved: list[State] = []
        self._fin_end: int | None = None  # one past our FIN
        self._syn_end: int | None = None  # one past our SYN
        self._sent_end: int | None = None  # one past all we sent
        self._rcv_nxt: int | None = None  # all before it has arrived
        self._held: list[tuple[int, int, bool]] = []  # arrived beyond it: from, to, with FIN
        self._their_fin_end: int | None = None

    def departs(self, arrow: Arrow) -> list[State]:
        """Return the states that sending ``arrow`` proves, in turn."""
        self.moved = []
        end = arrow.seq + arrow.length + bool(arrow.flags & SYN) + bool(arrow.flags & FIN)
        if not arrow.flags & RST:
            self._sent_end = end if self._sent_end is None else max(self._sent_end, unwrap(end, self._sent_end))
        if arrow.flags & RST:
            if self.state is None or SYNCHRONIZED[self.state]:
                self._become(CLOSED)
            return self.moved
        if arrow.flags & SYN:
            self._syn_end = arrow.seq + 1
            if arrow.flags & ACK and self.state in (None, LISTEN, CLOSED):
                self._become(SYN_RECEIVED)
            elif self.state in (None, CLOSED):
                self._become(SYN_SENT)
            return self.moved
        self._their_fin_is_acked(arrow)
        if arrow.flags & FIN:
            self._fin_end = arrow.seq + arrow.length + 1
            if self.state in (ESTABLISHED, CLOSE_WAIT, SYN_RECEIVED):
                self._happened(Event.CLOSE)
        return self.moved

    def arrives(self, arrow: Arrow) -> list[State]:
        """Return the states that receiving ``arrow`` proves, in turn."""
        self.moved = []
        if arrow.fate not in COUNTS:
            return self.moved
        if arrow.flags & RST:
            if self._reset_counts(arrow):
                self._become(CLOSED)
            return self.moved
        if arrow.flags & SYN:
            self._syn_arrives(arrow)
        elif self.state is SYN_RECEIVED and arrow.flags & ACK and self._acks(arrow, self._syn_end):
            self._happened(Event.SYN_ACKED)
        if arrow.flags & ACK and self._acks(arrow, self._fin_end):
            self._happened(Event.FIN_ACKED)
            self._fin_end = None
        self._text_arrives(arrow)
        return self.moved

    def _syn_arrives(self, arrow: Arrow) -> None:
        if self.state in (None, LISTEN, CLOSED) and not arrow.flags & ACK:
            self._become(SYN_RECEIVED)
        elif self.state is SYN_SENT and not arrow.flags & ACK:
            self._happened(Event.SYN)
        elif self.state in (SYN_SENT, SYN_RECEIVED) and self._acks(arrow, self._syn_end):
            self._happened(Event.SYN_ACKED)
        else:
            return
        if self._rcv_nxt is None:
            self._rcv_nxt = arrow.seq + 1

    def _reset_counts(self, arrow: Arrow) -> bool:
        # RFC 9293 §3.10.7.3 and RFC 5961 §3.2: of our SYN, or exactly at RCV.NXT.
        if self.state in (None, LISTEN, CLOSED):
            return False
        if self.state is SYN_SENT:
            return bool(arrow.flags & ACK) and self._acks(arrow, self._syn_end)
        return self._rcv_nxt is None or unwrap(arrow.seq, self._rcv_nxt) == self._rcv_nxt

    def _text_arrives(self, arrow: Arrow) -> None:
        if arrow.flags & SYN or (self._rcv_nxt is None and not arrow.flags & FIN):
            return
        start = arrow.seq if self._rcv_nxt is None else unwrap(arrow.seq, self._rcv_nxt)
        fin = bool(arrow.flags & FIN)
        self._held.append((start, start + arrow.length + fin, fin))
        if self._rcv_nxt is None:
            self._rcv_nxt = start
        for begin, end, with_fin in sorted(self._held):
            if begin > self._rcv_nxt:
                break
            self._held.remove((begin, end, with_fin))
            if end > self._rcv_nxt:
                self._rcv_nxt = end
                if with_fin:
                    self._fin_arrives()
        if fin:
            self._their_fin_end = start + arrow.length + 1

    def _their_fin_is_acked(self, arrow: Arrow) -> None:
        # It acknowledges a FIN that we did not know to have arrived in its order.
        end = self._their_fin_end
        if end is not None and arrow.flags & ACK and unwrap(arrow.ack, end) >= end:
            self._rcv_nxt = end
            self._fin_arrives()

    def _fin_arrives(self) -> None:
        if self.state is not None and SYNCHRONIZED[self.state] and not FIN_RECEIVED[self.state]:
            self._happened(Event.FIN)

    def _acks(self, arrow: Arrow, end: int | None) -> bool:
        if end is None:
            return False
        ack = unwrap(arrow.ack, end)
        return ack >= end and (self._sent_end is None or ack <= unwrap(self._sent_end, end))

    def _happened(self, event: Event) -> None:
        if self.state is None:
            return
        try:
            self._become(follow(self.state, event))
        except ImpossibleTransition:
            return  # the segments tell of a machine that is not TCP's

    def _become(self, state: State) -> None:
        if state is not self.state:
            self.state = state
            self.moved.append(state)


def infer_states(ladder: Ladder, side: Side, readings: Sequence[tuple[int, State]] = ()) -> None:
    """Fill in the standings of ``side`` from the ladder's arrows and ``readings``, (nanoseconds, state) in order."""
    unseen = Unseen(ladder.end(side).first.state)
    found = [
        _Found(when, rung, state)
        for when, rung in _passing(ladder, side)
        for state in (unseen.departs(rung) if rung.sender is side else unseen.arrives(rung))
    ]
    read = _changes(ladder.end(side).first.state, readings)
    match = SequenceMatcher(None, [each.state for each in found], [state for _, state in read], autojunk=False)
    last = found[0].when if found else 0
    for tag, i, i_end, j, j_end in match.get_opcodes():
        for each in found[i:i_end]:
            each.rung.take(side, Standing(each.state, inferred=tag != "equal"))
            last = each.when
        if tag == "equal":
            continue
        for when, state in read[j:j_end]:
            last = max(last, when)
            happening = Happening(side, last, kind=HappeningKind.MOVE)
            happening.take(side, Standing(state))
            ladder.rungs.append(happening)
    ladder.rungs.sort(key=lambda rung: rung.now)


class _Found(NamedTuple):
    when: int
    rung: Arrow
    state: State


def _passing(ladder: Ladder, side: Side) -> list[tuple[int, Arrow]]:
    # The arrows in the order in which this end sends and receives them.
    return [(when, rung) for when, rung in ladder.seen_by(side) if isinstance(rung, Arrow)]


def _changes(first: State | None, readings: Sequence[tuple[int, State]]) -> list[tuple[int, State]]:
    changes: list[tuple[int, State]] = []
    for when, state in readings:
        if state is not (changes[-1][1] if changes else first):
            changes.append((when, state))
    return changes
