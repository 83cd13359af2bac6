"""A conversation as a ladder: two ends, and the rungs between them in the order of time.

This module holds the values alone.  Whoever knows a conversation fills them: a trace
(``ladder_trace``), a capture, a drill.  ``ladder_text`` draws them in a terminal and
``ladder_svg`` in a page.

A rung is an ``Arrow`` (a segment, with what became of it) or a ``Happening`` (something
at one end alone: a user's call, a timer).  Beside each rung stand the states that the
ends took on with it.  A state may be unknown, and it may be inferred instead of seen.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Final, NamedTuple

from tulpen.wire.options import NO_OPTIONS, Options
from tulpen.wire.segment import ACK, FIN, RST, SYN, Segment, letters
from tulpen.wire.seq import MASK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tulpen.show.ladder_text import LadderText
    from tulpen.tcp.state import State


class Side(Enum):
    """One of the two ends."""

    LEFT = "left"
    RIGHT = "right"

    @property
    def other(self) -> Side:
        """The end across."""
        return Side.RIGHT if self is Side.LEFT else Side.LEFT


class Fate(Enum):
    """What became of a segment on its way; the value is the word for it."""

    ARRIVED = "arrived"
    UNKNOWN = "sent; nobody saw it arrive"
    LOST = "lost"
    CORRUPTED = "corrupted"  # it arrived damaged, so it counts for nothing
    DUPLICATED = "a second copy"  # this rung is the copy, an earlier one the original
    OUT_OF_ORDER = "out of order"  # a segment sent later arrived before it
    REFUSED = "not accepted"  # it arrived whole; the receiver dropped, challenged or reset it
    INJECTED = "injected"  # it arrived, and the other end never sent it


class Standing(NamedTuple):
    """Where an end stands: its state, None where it is unknown, and how it is known."""

    state: State | None = None
    inferred: bool = False  # worked out from segments, not read at that end

    @property
    def title(self) -> str:
        """The state as RFC 9293 writes it; ``?`` after it when it is inferred."""
        if self.state is None:
            return "unknown"
        return self.state.title + ("?" if self.inferred else "")


UNKNOWN: Final = Standing()
Path = tuple[Standing, ...]


class HappeningKind(Enum):
    """What sort of thing happened at one end."""

    CALL = "call"  # the application asked for something
    TIMER = "timer"  # a clock ran out
    SIGNAL = "signal"  # the application was told something
    MOVE = "move"  # the state changed, and no segment says why
    NOTE = "note"  # words of the narrator


@dataclass(slots=True)
class Arrow:
    """A segment between the ends.

    ``seq`` and ``ack`` are the numbers of the wire; the ends' ``isn`` make them
    relative when they are shown.  ``left`` and ``right`` are the standings that the
    end takes on with this rung, oldest first (the sender's as it sends, the receiver's
    as it receives); empty where nothing changes.
    """

    sender: Side
    sent: int  # nanoseconds, on the clock of all rungs
    flags: int
    seq: int
    ack: int = 0
    window: int = 0  # octets, scaled where the scale is known
    length: int = 0  # octets of data; SYN and FIN are not counted
    arrived: int | None = None  # None: not known, or never
    fate: Fate = Fate.ARRIVED
    options: Options = NO_OPTIONS
    urgent: int = 0
    notes: tuple[str, ...] = ()  # "retransmission", why it was dropped ...
    left: Path = ()
    right: Path = ()
    frame: int | None = None  # its number in a capture
    hurts: bool = False  # a note tells of trouble: a drop, a reset, a retransmission

    @property
    def now(self) -> int:
        """When the rung begins: as the segment is sent."""
        return self.sent

    def at(self, side: Side) -> int:
        """Return when ``side`` sends or receives it."""
        return self.sent if side is self.sender or self.arrived is None else self.arrived

    @property
    def letters(self) -> str:
        """The flags as tcpdump writes them: ``S.``, ``P.``, ``F.``."""
        return letters(self.flags)

    @property
    def is_data(self) -> bool:
        """It carries octets."""
        return self.length > 0

    @property
    def is_plain(self) -> bool:
        """Nothing about it is worth a look of its own: data or an ACK that did what they should."""
        return (
            self.fate in (Fate.ARRIVED, Fate.UNKNOWN)
            and not self.flags & (SYN | FIN | RST)
            and not (self.notes or self.left or self.right)
        )

    def path(self, side: Side) -> Path:
        """Return the standings that ``side`` takes on with this rung."""
        return self.left if side is Side.LEFT else self.right

    def take(self, side: Side, *standings: Standing) -> None:
        """Let ``side`` take on more standings with this rung."""
        if side is Side.LEFT:
            self.left += standings
        else:
            self.right += standings


@dataclass(slots=True)
class Happening:
    """Something at one end that put no segment between them."""

    side: Side
    now: int  # nanoseconds, on the clock of all rungs
    words: str = ""
    kind: HappeningKind = HappeningKind.NOTE
    left: Path = ()
    right: Path = ()
    hurts: bool = False

    def path(self, side: Side) -> Path:
        """Return the standings that ``side`` takes on with this rung."""
        return self.left if side is Side.LEFT else self.right

    def take(self, side: Side, *standings: Standing) -> None:
        """Let ``side`` take on more standings with this rung."""
        if side is Side.LEFT:
            self.left += standings
        else:
            self.right += standings


Rung = Arrow | Happening


@dataclass(slots=True)
class End:
    """One end: its name (``python (Linux)``), its first standing and its initial sequence number."""

    name: str
    first: Standing = UNKNOWN
    isn: int | None = None  # None: its numbers are shown as they are
    address: str = ""  # ``10.0.0.1:5432``


class Step(NamedTuple):
    """A rung with where both ends stand before and after it."""

    rung: Rung
    left: tuple[Standing, Standing]
    right: tuple[Standing, Standing]


@dataclass(slots=True)
class Ladder:
    """Two ends and the rungs between them, in the order of their ``now``."""

    left: End
    right: End
    rungs: list[Rung] = field(default_factory=list)
    title: str = ""
    start: int | None = None  # what is shown as time 0; None: the first rung

    @property
    def origin(self) -> int:
        """The time shown as 0."""
        if self.start is not None:
            return self.start
        return self.rungs[0].now if self.rungs else 0

    def end(self, side: Side) -> End:
        """Return the end on ``side``."""
        return self.left if side is Side.LEFT else self.right

    def seen_by(self, side: Side) -> list[tuple[int, Rung]]:
        """Return the rungs in the order in which ``side`` takes part in them, each with its time there."""
        times = [(rung.at(side) if isinstance(rung, Arrow) else rung.now, rung) for rung in self.rungs]
        return sorted(times, key=lambda pair: pair[0])

    def path(self, side: Side) -> Path:
        """Return every standing of ``side`` in turn, repetitions left out."""
        stood = [self.end(side).first]
        for _, rung in self.seen_by(side):
            for standing in rung.path(side):
                if standing != stood[-1]:
                    stood.append(standing)
        return tuple(stood[1:] if stood[0].state is None and len(stood) > 1 else stood)

    def steps(self) -> Iterator[Step]:
        """Each rung with both ends' standing before and after it."""
        around = {side: self._around(side) for side in Side}
        for rung in self.rungs:
            yield Step(rung, around[Side.LEFT][id(rung)], around[Side.RIGHT][id(rung)])

    def _around(self, side: Side) -> dict[int, tuple[Standing, Standing]]:
        now = self.end(side).first
        around = {}
        for _, rung in self.seen_by(side):
            before, now = now, rung.path(side)[-1] if rung.path(side) else now
            around[id(rung)] = before, now
        return around

    def __rich__(self) -> LadderText:
        """Draw it where rich prints it."""
        from tulpen.show.ladder_text import LadderText

        return LadderText(self)

    def _repr_html_(self) -> str:
        """Draw it where a notebook shows it."""
        from tulpen.show.ladder_svg import ladder_svg

        return f'<div style="overflow-x:auto">{ladder_svg(self)}</div>'

    def relative(self, arrow: Arrow) -> tuple[int, int]:
        """Return (seq, ack) of ``arrow`` counted from the initial sequence numbers, where they are known."""
        mine, theirs = self.end(arrow.sender).isn, self.end(arrow.sender.other).isn
        seq = arrow.seq if mine is None else _since(arrow.seq, mine)
        ack = arrow.ack if theirs is None or not arrow.flags & ACK else _since(arrow.ack, theirs)
        return seq, ack


def _since(number: int, isn: int) -> int:
    # A number just before the ISN (a keep-alive's, an old duplicate's) is shown as -1, not as 4294967295.
    distance = (number - isn) & MASK
    return distance if distance < 0xF000_0000 else distance - MASK - 1


def arrow(
    sender: Side,
    sent: int,
    seg: Segment,
    *,
    arrived: int | None = None,
    fate: Fate = Fate.ARRIVED,
    window: int | None = None,
    notes: tuple[str, ...] = (),
) -> Arrow:
    """Make the arrow of ``seg``; ``window`` where its scale is known."""
    return Arrow(
        sender,
        sent,
        seg.flags,
        seg.seq,
        seg.ack,
        seg.wnd if window is None else window,
        len(seg.data),
        arrived=arrived,
        fate=fate,
        options=seg.options,
        urgent=seg.urg,
        notes=notes,
    )
