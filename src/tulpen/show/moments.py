"""From a ladder's rungs to the lines that are drawn, top to bottom.

A segment takes time, and what crosses it may not be drawn as if it took none.  So an
arrow is one line where nothing at its receiver comes between its sending and its
arrival, and two lines, departure and arrival, where something does.  Long stretches of
ordinary data are then folded into one line.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Final, NamedTuple

from tulpen.show.ladder import Arrow, Fate, Happening, Ladder, Path, Rung, Side
from tulpen.wire.segment import FIN, RST, SYN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

KEEP: Final = 2  # rungs of a folded run that stay, at its start and at its end
LIMIT: Final = 160  # lines beyond which losses and their repair are folded too


class Part(Enum):
    """How much of a rung a moment is."""

    WHOLE = "whole"
    DEPARTURE = "departure"
    ARRIVAL = "arrival"


class Moment(NamedTuple):
    """One line of the drawing: a rung, or one end of an arrow."""

    now: int
    rung: Rung
    part: Part = Part.WHOLE

    def path(self, side: Side) -> Path:
        """Return the standings that ``side`` takes on at this moment."""
        if isinstance(self.rung, Arrow):
            if self.part is Part.DEPARTURE and side is not self.rung.sender:
                return ()
            if self.part is Part.ARRIVAL and side is self.rung.sender:
                return ()
        return self.rung.path(side)


@dataclass(slots=True)
class Traffic:
    """What went one way while nobody looked."""

    segments: int = 0  # that carried data
    octets: int = 0
    acks: int = 0  # that carried none


@dataclass(slots=True)
class Fold:
    """A stretch of moments drawn as one line."""

    now: int
    until: int
    rungs: int = 0
    troubles: int = 0  # rungs among them that were lost, repeated or otherwise noted
    traffic: dict[Side, Traffic] = field(default_factory=dict)

    def add(self, moment: Moment) -> None:
        """Count one more moment in."""
        self.until = max(self.until, moment.now)
        rung = moment.rung
        if not isinstance(rung, Arrow) or moment.part is Part.ARRIVAL:
            return
        self.rungs += 1
        self.troubles += not rung.is_plain
        way = self.traffic.setdefault(rung.sender, Traffic())
        if rung.is_data:
            way.segments += 1
            way.octets += rung.length
        else:
            way.acks += 1


def moments(ladder: Ladder) -> list[Moment]:
    """Return the ladder's lines in the order they are drawn."""
    split = _split(ladder.rungs)
    lines: list[Moment] = []
    for rung in ladder.rungs:
        if id(rung) in split and isinstance(rung, Arrow) and rung.arrived is not None:
            lines.append(Moment(rung.sent, rung, Part.DEPARTURE))
            lines.append(Moment(rung.arrived, rung, Part.ARRIVAL))
        elif isinstance(rung, Arrow) and rung.fate is Fate.DUPLICATED:  # nobody sent it: it is there when it arrives
            lines.append(Moment(rung.at(rung.sender.other), rung))
        else:
            lines.append(Moment(rung.now, rung))
    lines.sort(key=lambda line: line.now)
    return lines


def _split(rungs: Sequence[Rung]) -> set[int]:
    # The arrows that two lines are needed for: overtaken ones, and those during whose flight the receiver moves.
    split = {id(r) for r in rungs if isinstance(r, Arrow) and r.fate is Fate.OUT_OF_ORDER and _flies(r)}
    loud = sorted((r for r in rungs if isinstance(r, Arrow) and _is_loud(r)), key=lambda r: r.sent)
    for receiver in Side:
        turns = sorted(r.now for r in rungs if _turns_by_itself(r, receiver))
        delayed: list[int] = []  # arrivals of arrows that are split
        for rung in loud:
            if rung.sender is receiver or rung.arrived is None:
                continue
            if id(rung) not in split and (_between(turns, rung) or _between(delayed, rung)):
                split.add(id(rung))
            if id(rung) in split:
                delayed.append(rung.arrived)
                delayed.sort()
    return split


def _is_loud(arrow: Arrow) -> bool:
    return _flies(arrow) and not arrow.is_plain and arrow.fate is not Fate.DUPLICATED


def _flies(arrow: Arrow) -> bool:
    return arrow.arrived is not None and arrow.arrived > arrow.sent


def _turns_by_itself(rung: Rung, side: Side) -> bool:
    # The end changes its state by what it does here, not by what reaches it.
    if isinstance(rung, Happening):
        return bool(rung.path(side))
    return rung.sender is side and bool(rung.path(side))


def _between(times: list[int], arrow: Arrow) -> bool:
    return arrow.arrived is not None and bisect_left(times, arrow.sent) < bisect_left(times, arrow.arrived)


def fold(lines: Iterable[Moment], *, keep: int = KEEP, limit: int = LIMIT) -> list[Moment | Fold]:
    """Fold long stretches of ordinary data; where that leaves more than ``limit`` lines, of losses and repairs too."""
    given = list(lines)
    folded = _fold(given, _is_plain, keep)
    if len(folded) > limit:
        folded = _fold(given, _is_minor, keep)
    return folded


def _is_plain(line: Moment) -> bool:
    return isinstance(line.rung, Arrow) and line.rung.is_plain


def _is_minor(line: Moment) -> bool:
    rung = line.rung
    if isinstance(rung, Happening):
        return not (rung.left or rung.right or rung.hurts)
    return not (rung.left or rung.right or rung.flags & (SYN | FIN | RST))


def _fold(lines: list[Moment], may_fold: Callable[[Moment], bool], keep: int) -> list[Moment | Fold]:
    out: list[Moment | Fold] = []
    run: list[Moment] = []
    for line in lines:
        if may_fold(line):
            run.append(line)
            continue
        out += _fold_run(run, keep)
        run = []
        out.append(line)
    return out + _fold_run(run, keep)


def _fold_run(run: list[Moment], keep: int) -> list[Moment | Fold]:
    if len(run) < 2 * keep + 4:
        return list(run)
    hidden = run[keep : len(run) - keep]
    gap = Fold(hidden[0].now, hidden[0].now)
    for line in hidden:
        gap.add(line)
    return [*run[:keep], gap, *run[len(run) - keep :]]
