"""A ladder from traces: of both ends, or of one, with what is known of the other.

``ladder_from_trace(Witness("python (Linux)"), Witness("tulpen", records))`` is the
usual call.  Each end's records say what it sent, what reached it and what became of
that; where both ends have records, segments are matched, and what one sent and the
other never saw was lost.  A network that knows what it did to a segment says so with
``Passage``s.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from tulpen.show.deeds import Came, Own, Went, deeds_of
from tulpen.show.infer import infer_states
from tulpen.show.label import MARKED
from tulpen.show.ladder import Arrow, End, Fate, Happening, Ladder, Rung, Side, Standing, arrow
from tulpen.show.matching import Timed, match
from tulpen.show.remarks import remark
from tulpen.wire.segment import CE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tulpen.show.deeds import Deed
    from tulpen.tcp.state import State
    from tulpen.tcp.trace import FourTuple, Record
    from tulpen.wire.segment import Segment


@dataclass(slots=True)
class Witness:
    """What is known of one end.

    ``records`` is its own trace, None where it keeps none.  ``readings`` are its
    states as something else read them (the kernel's, from outside), each with its time
    on the same clock.
    """

    name: str
    records: Sequence[Record] | None = None
    readings: Sequence[tuple[int, State]] = ()
    first: State | None = None  # before everything; None: as the records say
    address: str = ""


class Passage(NamedTuple):
    """What a network did with a segment: ``arrived`` is None for one it lost."""

    sender: Side
    now: int
    seg: Segment
    fate: Fate = Fate.ARRIVED
    arrived: int | None = None


def records_of(records: Iterable[tuple[FourTuple | None, Record]], name: FourTuple | None) -> list[Record]:
    """Return one connection's records out of those of a host."""
    return [record for whose, record in records if whose == name]


def ladder_from_trace(
    left: Witness, right: Witness, *, passages: Sequence[Passage] = (), title: str = "", start: int | None = None
) -> Ladder:
    """Build the ladder of one connection.  The left end is, by custom, the client."""
    witnesses = {Side.LEFT: left, Side.RIGHT: right}
    ladder = Ladder(End(left.name, address=left.address), End(right.name, address=right.address), title=title)
    deeds: dict[Side, list[Deed]] = {}
    for side, witness in witnesses.items():
        first, deeds[side] = deeds_of(witness.records or ())
        ladder.end(side).first = Standing(first if witness.first is None else witness.first)
    joined = {sender: _join(sender, witnesses, deeds, passages) for sender in Side}
    _spare_the_last(joined, deeds)
    for each in joined.values():
        _mark_overtaken(each.arrows)
    ladder.rungs = _in_order(deeds, joined)
    ladder.start = start
    remark(ladder)
    for side, witness in witnesses.items():
        if witness.records is None:
            infer_states(ladder, side, witness.readings)
    return ladder


class _Joined:
    """One direction: its arrows, and which deeds they stand for."""

    def __init__(self, sender: Side, went: list[Went] | None, came: list[Came] | None, passed: list[Passage]) -> None:
        self.sender = sender
        self.went = went  # None: the sender keeps no trace
        self.came = came  # None: the receiver keeps none
        self.arrows: list[Arrow] = []
        self.of_went: dict[int, list[Arrow]] = {}
        self.of_came: dict[int, Arrow] = {}
        self._place: dict[int, int] = {}  # among what the sender sent
        self.guessed: list[Arrow] = []  # lost, as far as the receiver's trace tells
        self._told: dict[int, list[Passage]] = {}  # what the network says, by the segment
        for each in reversed(passed):
            self._told.setdefault(id(each.seg), []).append(each)
        arrivals = [Timed(deed.now, deed.seg, i) for i, deed in enumerate(came or ())]
        for left, arrived, again in match(self._departures(passed), arrivals):
            if arrived is None:
                if left is not None:
                    self._unseen(left)
            else:
                self._arrived(left, arrived, again=again)
        if came is None:
            self._add_what_only_the_network_knows(passed)

    def _departures(self, passed: list[Passage]) -> list[Timed]:
        if self.went is not None:
            return [Timed(deed.now, deed.seg, i) for i, deed in enumerate(self.went)]
        originals = [each for each in passed if each.fate is not Fate.DUPLICATED]
        return [Timed(each.now, each.seg, i) for i, each in enumerate(originals)]

    def _arrived(self, left: Timed | None, arrived: Timed, *, again: bool) -> None:
        assert self.came is not None
        to = self.came[arrived.place]
        made = arrow(self.sender, *(to.now, to.seg) if left is None else (left.now, left.seg), arrived=to.now)
        made.notes = (*to.notes, *((MARKED,) if to.seg.ecn == CE else ()))
        made.hurts = to.hurts
        made.take(self.sender.other, *map(Standing, to.path))
        if to.damaged:
            made.fate = Fate.CORRUPTED
        elif again:
            made.fate = Fate.DUPLICATED
        elif self._is_forged(left):
            made.fate = Fate.INJECTED
        elif to.refused:
            made.fate = Fate.REFUSED
        self.of_came[id(to)] = made
        self._add(left, made)

    def _unseen(self, left: Timed) -> None:
        # Nobody saw it arrive.  It was lost if the network says so, or if the receiver keeps a trace.
        made = arrow(self.sender, left.now, left.seg, fate=Fate.UNKNOWN)
        told = self._told.get(id(left.seg))
        if told:
            made.fate, made.arrived = told[-1].fate, told.pop().arrived
        elif self.came is not None:
            made.fate = Fate.LOST
            self.guessed.append(made)
        self._add(left, made)

    def _add(self, left: Timed | None, made: Arrow) -> None:
        self.arrows.append(made)
        if left is None:
            return
        self._place[id(made)] = left.place
        if self.went is None:
            return
        by = self.went[left.place]
        made.notes = (*by.notes, *made.notes)
        made.hurts |= by.hurts
        if id(by) not in self.of_went:  # of several copies or pieces, the first is where the sender moved
            made.take(self.sender, *map(Standing, by.path))
        self.of_went.setdefault(id(by), []).append(made)

    def in_order(self) -> list[Arrow]:
        """Return the arrows as they were sent."""
        return sorted(self.arrows, key=lambda each: (each.sent, self._place.get(id(each), len(self.arrows))))

    def _add_what_only_the_network_knows(self, passed: list[Passage]) -> None:
        fates = (Fate.DUPLICATED,) if self.went is None else (Fate.DUPLICATED, Fate.INJECTED)
        for each in passed:
            if each.fate in fates:
                self.arrows.append(arrow(self.sender, each.now, each.seg, arrived=each.arrived, fate=each.fate))

    def _is_forged(self, left: Timed | None) -> bool:
        if left is None:
            return self.went is not None
        return any(each.fate is Fate.INJECTED for each in self._told.get(id(left.seg), ()))


def _join(
    sender: Side, witnesses: dict[Side, Witness], deeds: dict[Side, list[Deed]], passages: Sequence[Passage]
) -> _Joined:
    went = came = None
    if witnesses[sender].records is not None:
        went = [deed for deed in deeds[sender] if isinstance(deed, Went)]
    if witnesses[sender.other].records is not None:
        came = [deed for deed in deeds[sender.other] if isinstance(deed, Came)]
    return _Joined(sender, went, came, [each for each in passages if each.sender is sender])


def _spare_the_last(joined: dict[Side, _Joined], deeds: dict[Side, list[Deed]]) -> None:
    """What was sent so late that it may have been under way as the traces ended is not known to be lost."""
    arrows = [each for one_way in joined.values() for each in one_way.arrows]
    longest = max((each.arrived - each.sent for each in arrows if each.arrived is not None), default=0)
    end = max((deed.now for some in deeds.values() for deed in some), default=0)
    for sender, one_way in joined.items():
        heard = max((deed.now for deed in deeds[sender.other]), default=-1)
        for each in one_way.guessed:
            if each.sent > heard and each.sent + 2 * longest >= end:
                each.fate = Fate.UNKNOWN


def _mark_overtaken(arrows: list[Arrow]) -> None:
    earliest: int | None = None  # arrival of those sent later
    by_sending = sorted(arrows, key=lambda one: one.sent)
    by_sending.reverse()
    for each in by_sending:
        if each.arrived is None or each.fate not in (Fate.ARRIVED, Fate.REFUSED):
            continue
        if earliest is not None and earliest < each.arrived and each.fate is Fate.ARRIVED:
            each.fate = Fate.OUT_OF_ORDER
        earliest = each.arrived if earliest is None else min(earliest, each.arrived)


class _Turn(NamedTuple):
    """What one end does next: its rungs are drawn when ``waits`` is."""

    now: int
    rungs: list[Arrow] | list[Happening]
    waits: Arrow | None = None  # sent by the other end, received here


def _turns(side: Side, deeds: list[Deed], joined: dict[Side, _Joined]) -> list[_Turn]:
    mine, theirs = joined[side], joined[side.other]
    if mine.went is None:
        return [_Turn(each.sent, [each]) for each in mine.in_order()]
    turns = []
    for deed in deeds:
        if isinstance(deed, Went):
            turns.append(_Turn(deed.now, mine.of_went.get(id(deed), [])))
        elif isinstance(deed, Came):
            made = theirs.of_came[id(deed)]
            turns.append(_Turn(deed.now, [made], None if made.fate is Fate.INJECTED else made))
        else:
            turns.append(_Turn(deed.now, [_happening(side, deed)]))
    return turns


def _in_order(deeds: dict[Side, list[Deed]], joined: dict[Side, _Joined]) -> list[Rung]:
    """Return the rungs so that each end keeps its order, even where no time passes between them."""
    turns = {side: deque(_turns(side, deeds[side], joined)) for side in Side}
    rungs: list[Rung] = []
    placed: set[int] = set()

    def rank(side: Side) -> tuple[bool, int, bool]:
        # Of two at once, an end that keeps a trace goes first: if it had received the other's, it would say so.
        turn = turns[side][0]
        return turn.waits is not None and id(turn.waits) not in placed, turn.now, joined[side].went is None

    while some := [side for side in Side if turns[side]]:
        for rung in turns[min(some, key=rank)].popleft().rungs:
            if id(rung) not in placed:
                placed.add(id(rung))
                rungs.append(rung)
    # What the network alone tells of is in nobody's trace.
    rungs += [each for one_way in joined.values() for each in one_way.arrows if id(each) not in placed]
    rungs.sort(key=lambda rung: rung.now)
    return rungs


def _happening(side: Side, own: Own) -> Happening:
    happening = Happening(side, own.now, own.words, own.kind, hurts=own.hurts)
    happening.take(side, *map(Standing, own.path))
    return happening
