"""The state machine of one end, moved by what its segments prove.

Every move follows a row of ``tcp/state.py``.  What an end sends shows where it stands: such a move is *seen*.  What was
sent to it has perhaps not arrived, so a move by an arrival is *inferred*; a later segment of the end confirms it, or
shows that it was wrong, and then it is taken back.  What lies between is filled in by ``tcp/routes.py``.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Final, final

from tulpen.tcp.routes import ORDERLY, route
from tulpen.tcp.state import (
    CLOSE_WAIT,
    CLOSED,
    ESTABLISHED,
    FIN_RECEIVED,
    LISTEN,
    SYN_RECEIVED,
    SYN_SENT,
    SYNCHRONIZED,
    TIME_WAIT,
    Event,
    ImpossibleTransition,
    State,
    follow,
)

if TYPE_CHECKING:
    from collections.abc import Collection

    from tulpen.capture.seen import Seen

MOST: Final = 256  # moves that are told of one end: a refused SYN may be tried again without end


class Known(Enum):
    """How a move is known."""

    SEEN = "seen"  # a segment of that end proves it
    INFERRED = "inferred"  # what passed on its way to that end implies it
    UNKNOWN = "cannot be known"  # the capture does not show how the end came there


@final
class Step:
    """One move of one end."""

    __slots__ = ("event", "frame", "known", "proof", "source", "target", "when")

    def __init__(
        self, source: State | None, event: Event | None, target: State, known: Known, frame: int, when: int
    ) -> None:
        self.source = source  # None: not known
        self.event = event  # None: not known
        self.target = target
        self.known = known
        self.frame = frame  # that caused it; 0: none that was captured
        self.when = when
        self.proof = frame if known is Known.SEEN else 0  # the frame that shows it


@final
class Machine:
    """Where one end stands."""

    __slots__ = ("confirmed", "state", "steps")

    def __init__(self) -> None:
        self.state: State | None = None  # None: not known
        self.steps: list[Step] = []
        self.confirmed = False  # nothing is left to be shown of its handshake

    # what it sends

    def sent_syn(self, seg: Seen) -> None:
        """It opens the connection."""
        if self.state in (None, CLOSED, LISTEN):
            self.state = CLOSED  # also after a RST: some systems try again
            self._happened(Event.OPEN_ACTIVE, seg, Known.SEEN)

    def sent_syn_ack(self, seg: Seen, syn: tuple[int, int] | None) -> None:
        """It answers a SYN; ``syn``: the frame and time of that, where it was captured."""
        if self.state in (None, CLOSED):
            frame, when = syn or (0, seg.when)
            self._step(CLOSED, Event.OPEN_PASSIVE, LISTEN, Known.INFERRED, frame, when)
        crossed = self.state is ESTABLISHED and self.take_back(Event.SYN_ACKED)  # a SYN came before the answer to ours
        if self.state in (LISTEN, SYN_SENT):
            self._happened(Event.SYN, seg, Known.SEEN)
        if crossed:
            self._happened(Event.SYN_ACKED, seg, Known.INFERRED)

    def spoke(self, seg: Seen, *, synchronized: bool) -> None:
        """It sent a segment without SYN and RST; ``synchronized``: one that SYN-RECEIVED does not send."""
        if self.state is None:
            self._step(None, None, ESTABLISHED, Known.UNKNOWN, seg.frame, seg.when)
        elif self.state is SYN_SENT or (self.state is SYN_RECEIVED and synchronized):
            self._happened(Event.SYN_ACKED, seg, Known.SEEN)
        if synchronized and not self.confirmed:
            self.confirm((Event.SYN_ACKED,), seg)
            self.confirmed = True

    def sent_fin(self, seg: Seen) -> None:
        """It closes."""
        if self.state is SYN_SENT:
            self.reach(ESTABLISHED, seg)
        if self.state in (SYN_RECEIVED, ESTABLISHED, CLOSE_WAIT):
            self._happened(Event.CLOSE, seg, Known.SEEN)

    def acked_fin(self, seg: Seen) -> None:
        """Its acknowledgment covers the other end's FIN."""
        if self.state is not None and SYNCHRONIZED[self.state] and not FIN_RECEIVED[self.state]:
            self._happened(Event.FIN, seg, Known.SEEN)
        self.confirm((Event.FIN,), seg)

    def sent_reset(self, seg: Seen) -> None:
        """It gives the connection up, or knows nothing of it."""
        if self.state not in (None, CLOSED, LISTEN):
            self._happened(Event.ABORT, seg, Known.SEEN)

    # what is sent to it

    def syn_acked(self, seg: Seen) -> None:
        """Its SYN is acknowledged."""
        if self.state in (SYN_SENT, SYN_RECEIVED):
            self._happened(Event.SYN_ACKED, seg, Known.INFERRED)

    def answered(self, seg: Seen) -> None:
        """A SYN,ACK passes, and what it answers was not captured: this end has opened the connection."""
        if self.state is None:
            self._step(CLOSED, Event.OPEN_ACTIVE, SYN_SENT, Known.INFERRED, 0, seg.when)

    def fin_acked(self, seg: Seen) -> None:
        """Its FIN is acknowledged."""
        self._happened(Event.FIN_ACKED, seg, Known.INFERRED)

    def got_fin(self, seg: Seen, frame: int = 0) -> None:
        """A FIN is on its way, in ``frame`` where not in this one, and nothing before it is missing."""
        if self.state is not None and SYNCHRONIZED[self.state] and not FIN_RECEIVED[self.state]:
            self._happened(Event.FIN, seg, Known.INFERRED)
            if frame:
                self.steps[-1].frame = frame

    def got_reset(self, seg: Seen) -> None:
        """An acceptable RST is on its way."""
        if self.state is not None:
            self._happened(Event.RESET, seg, Known.INFERRED)

    def reopened(self, seg: Seen) -> None:
        """A new connection of the same name is accepted: what was left of this one is gone (RFC 6191)."""
        if self.state is TIME_WAIT:
            self._happened(Event.LINGERED, seg, Known.INFERRED)

    def reach(self, target: State, seg: Seen, events: Collection[Event] = ORDERLY, frame: int | None = None) -> None:
        """Go where the end must be, by the shortest route; what lies between is inferred."""
        start = CLOSED if self.state is None else self.state
        for row in route(start, target, events) or ():
            self._step(
                row.source, row.event, row.target, Known.INFERRED, seg.frame if frame is None else frame, seg.when
            )

    # what later segments say of earlier moves

    def confirm(self, events: Collection[Event], seg: Seen) -> None:
        """A segment of this end shows that the moves by ``events`` took place."""
        for step in reversed(self.steps):
            if step.known is Known.INFERRED and step.event in events and step.frame:
                step.known = Known.SEEN
                step.proof = seg.frame

    def take_back(self, event: Event, *, forged: bool = False) -> bool:
        """Undo the last move by ``event``, and what followed, where it was only inferred; say whether it was.

        ``forged``: also where a segment showed it, because the segment was not this end's.
        """
        for at in range(len(self.steps) - 1, -1, -1):
            step = self.steps[at]
            if step.event is event:
                if step.known is not Known.INFERRED and not forged:
                    return False
                del self.steps[at:]
                self.state = step.source
                return True
        return False

    def _happened(self, event: Event, seg: Seen, known: Known) -> bool:
        if self.state is None:
            return False
        try:
            target = follow(self.state, event)
        except ImpossibleTransition:
            return False  # the segments tell of a machine that is not TCP's
        self._step(self.state, event, target, known, seg.frame, seg.when)
        return True

    def _step(
        self, source: State | None, event: Event | None, target: State, known: Known, frame: int, when: int
    ) -> None:
        self.confirmed = False
        if len(self.steps) < MOST:
            self.steps.append(Step(source, event, target, known, frame, when))
        self.state = target
