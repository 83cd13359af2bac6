"""The TCP connection state machine (RFC 9293 §3.3.2, Figure 5) as data.

Read this file first.  Two tables say everything tulpen knows about which state
follows which:

* ``TRANSITIONS``: which event takes a connection from one state to another;
* what each state permits: ``MAY_SEND``, ``MAY_RECEIVE`` and their neighbours.

Nothing else assigns a state.  The engine establishes *facts* (a sequence number was
acceptable, our FIN was acknowledged, a timer expired), names the fact with an
``Event``, and asks ``follow()`` for the state that comes next.  The diagram in the
documentation, ``tulpen explain``, the routes between states, the tests' coverage and
the model checker read the same rows.

CLOSED stands for "no connection": an endpoint is in it before its open and after its
end.  FIN-WAIT-1 that meets a FIN with the acknowledgment of its own is two events,
FIN_ACKED and then FIN, so that note 2 of Figure 5 needs no row of its own.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final, NamedTuple


class State(IntEnum):
    """A connection's state, in the order RFC 9293 §3.3.2 introduces them."""

    CLOSED = 0
    LISTEN = 1
    SYN_SENT = 2
    SYN_RECEIVED = 3
    ESTABLISHED = 4
    FIN_WAIT_1 = 5
    FIN_WAIT_2 = 6
    CLOSE_WAIT = 7
    CLOSING = 8
    LAST_ACK = 9
    TIME_WAIT = 10

    @property
    def title(self) -> str:
        """The name as RFC 9293 writes it: ``FIN-WAIT-1``."""
        return self.name.replace("_", "-")


class Event(IntEnum):
    """Something that happened to a connection and can move it to another state."""

    # The user asked for it (§3.10.1 to §3.10.5).
    OPEN_PASSIVE = 0
    OPEN_ACTIVE = 1
    CLOSE = 2
    ABORT = 3
    # A segment proved it (§3.10.7).
    SYN = 4  # an acceptable SYN that does not acknowledge ours
    SYN_ACKED = 5  # our SYN is acknowledged, theirs is known
    FIN_ACKED = 6  # our FIN is acknowledged
    FIN = 7  # every octet before their FIN has arrived, and so has the FIN
    RESET = 8  # an acceptable RST
    REFUSED = 9  # an acceptable RST, or a SYN in the window, answers our passive open
    # A clock ran out (§3.10.8).
    GAVE_UP = 10  # R2, the user timeout, keep-alive, or an orphan's FIN-WAIT-2
    LINGERED = 11  # 2 MSL in TIME-WAIT, or a SYN that may reopen it (RFC 6191)

    @property
    def title(self) -> str:
        """The name in words, upper case: ``OPEN ACTIVE``."""
        return self.name.replace("_", " ")


class Transition(NamedTuple):
    """One arrow of Figure 5."""

    source: State
    event: Event
    target: State
    section: str  # of RFC 9293
    sends: str = ""  # what the endpoint sends
    never: str = ""  # why this engine's order of steps never takes the row


CLOSED: Final = State.CLOSED
LISTEN: Final = State.LISTEN
SYN_SENT: Final = State.SYN_SENT
SYN_RECEIVED: Final = State.SYN_RECEIVED
ESTABLISHED: Final = State.ESTABLISHED
FIN_WAIT_1: Final = State.FIN_WAIT_1
FIN_WAIT_2: Final = State.FIN_WAIT_2
CLOSE_WAIT: Final = State.CLOSE_WAIT
CLOSING: Final = State.CLOSING
LAST_ACK: Final = State.LAST_ACK
TIME_WAIT: Final = State.TIME_WAIT

_OPEN: Final = tuple(s for s in State if s not in (CLOSED, LISTEN))

TRANSITIONS: Final[tuple[Transition, ...]] = (
    # opening
    Transition(CLOSED, Event.OPEN_PASSIVE, LISTEN, "3.10.1"),
    Transition(CLOSED, Event.OPEN_ACTIVE, SYN_SENT, "3.10.1", "SYN"),
    Transition(LISTEN, Event.OPEN_ACTIVE, SYN_SENT, "3.10.1", "SYN"),
    Transition(LISTEN, Event.SYN, SYN_RECEIVED, "3.10.7.2", "SYN,ACK"),
    Transition(SYN_SENT, Event.SYN, SYN_RECEIVED, "3.10.7.3", "SYN,ACK"),
    Transition(SYN_SENT, Event.SYN_ACKED, ESTABLISHED, "3.10.7.3", "ACK"),
    Transition(SYN_RECEIVED, Event.SYN_ACKED, ESTABLISHED, "3.10.7.4"),
    # we close first
    Transition(SYN_RECEIVED, Event.CLOSE, FIN_WAIT_1, "3.10.4", "FIN"),
    Transition(ESTABLISHED, Event.CLOSE, FIN_WAIT_1, "3.10.4", "FIN"),
    Transition(FIN_WAIT_1, Event.FIN_ACKED, FIN_WAIT_2, "3.10.7.4"),
    Transition(FIN_WAIT_2, Event.FIN, TIME_WAIT, "3.10.7.4", "ACK"),
    # both close at once
    Transition(FIN_WAIT_1, Event.FIN, CLOSING, "3.10.7.4", "ACK"),
    Transition(CLOSING, Event.FIN_ACKED, TIME_WAIT, "3.10.7.4"),
    # they close first
    Transition(SYN_RECEIVED, Event.FIN, CLOSE_WAIT, "3.10.7.4", "ACK",
               "step five has always left SYN-RECEIVED before step eight sees the FIN"),
    Transition(ESTABLISHED, Event.FIN, CLOSE_WAIT, "3.10.7.4", "ACK"),
    Transition(CLOSE_WAIT, Event.CLOSE, LAST_ACK, "3.10.4", "FIN"),
    Transition(LAST_ACK, Event.FIN_ACKED, CLOSED, "3.10.7.4"),
    # the end
    Transition(TIME_WAIT, Event.LINGERED, CLOSED, "3.10.8"),
    Transition(LISTEN, Event.CLOSE, CLOSED, "3.10.4"),
    Transition(SYN_SENT, Event.CLOSE, CLOSED, "3.10.4"),
    Transition(SYN_RECEIVED, Event.REFUSED, LISTEN, "3.10.7.4"),
    *(Transition(s, Event.RESET, CLOSED, "3.10.7.3" if s is SYN_SENT else "3.10.7.4") for s in _OPEN),
    *(Transition(s, Event.GAVE_UP, CLOSED, "3.10.8") for s in _OPEN if s is not TIME_WAIT),
    *(Transition(s, Event.ABORT, CLOSED, "3.10.5",
                 "RST" if s not in (LISTEN, SYN_SENT, CLOSING, LAST_ACK, TIME_WAIT) else "")
      for s in State if s is not CLOSED),
)  # fmt: skip

_NEXT: Final[dict[tuple[int, int], State]] = {(t.source, t.event): t.target for t in TRANSITIONS}


class ImpossibleTransition(Exception):
    """The engine reported an event that its own state rules out: a bug in tulpen."""


def follow(state: State, event: Event) -> State:
    """Return the state that ``event`` leads to from ``state``.

    Raises ImpossibleTransition where Figure 5 and §3.10 have no such arrow.
    """
    target = _NEXT.get((state, event))
    if target is None:
        raise ImpossibleTransition(f"{event.title} in {state.title}")
    return target


def _row(*states: State) -> tuple[bool, ...]:
    return tuple(s in states for s in State)


# What a state permits; index with a State.

# §3.10.2: SEND is taken and transmitted.
MAY_SEND: Final = _row(ESTABLISHED, CLOSE_WAIT)
# §3.10.2: SEND is taken and queued until the connection is established.
MAY_QUEUE: Final = _row(SYN_SENT, SYN_RECEIVED)
# RFC 7413 §4.2.2: SEND is transmitted and text is taken before the handshake ends, if the SYN brought a good cookie.
MAY_TALK_EARLY: Final = _row(SYN_RECEIVED)
# §3.10.7.4, seventh: segment text is taken.
MAY_RECEIVE: Final = _row(ESTABLISHED, FIN_WAIT_1, FIN_WAIT_2)
# Our FIN is sent or owed, and not acknowledged.
FIN_PENDING: Final = _row(FIN_WAIT_1, CLOSING, LAST_ACK)
# Their FIN has been received, in its order.
FIN_RECEIVED: Final = _row(CLOSE_WAIT, CLOSING, LAST_ACK, TIME_WAIT)
# §3.5.2, group 3: both ends know both initial sequence numbers.
SYNCHRONIZED: Final = _row(ESTABLISHED, FIN_WAIT_1, FIN_WAIT_2, CLOSE_WAIT, CLOSING, LAST_ACK, TIME_WAIT)
