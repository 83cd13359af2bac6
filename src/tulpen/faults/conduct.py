"""What a server does at each point of a conversation.  ``Conduct`` itself is healthy.

A fault that the server commits is a conduct with one method overridden, or ``When``: at
a certain moment, do a certain thing.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tulpen.faults.session import Session

Act = Callable[["Session", int], None]


class Conduct:
    """A healthy server: says what it has to say, as soon as it can."""

    __slots__ = ()

    def opened(self, session: Session, now: int) -> None:
        """The connection was accepted."""

    def asked(self, session: Session, now: int) -> None:
        """A request was heard in full; the answer has not begun."""

    def allowance(self, session: Session, now: int) -> int | None:
        """Return how many octets may be said now; None: as many as there are."""
        return None

    def follows(self) -> bool:
        """Say whether it waits for ``delivered``."""
        return False

    def delivered(self, session: Session, now: int) -> None:
        """All that was said has been acknowledged."""

    def finished(self, session: Session, now: int) -> None:
        """There is nothing more to say: a healthy server closes."""
        session.close(now)

    def deadline(self) -> int | None:
        """Return when ``woken`` is to be called; the allowance is asked for again then."""
        return None

    def woken(self, session: Session, now: int) -> None:
        """The deadline has come, or something else has to be done just now."""


class Moment(Enum):
    """A point of a conversation."""

    OPENED = "the connection is accepted"
    ASKED = "the n-th request is heard"
    SAID = "n octets are said and acknowledged"
    ANSWERED = "the n-th answer is said and acknowledged"
    IDLE = "as ANSWERED, or the next request is heard if that comes first"


class When(Conduct):
    """Healthy until a moment comes; then ``act``, once, and silence."""

    __slots__ = ("_act", "_done", "_marks", "_moment", "_number")

    def __init__(self, moment: Moment, act: Act, number: int = 1, *, marks: bool = True) -> None:
        self._moment = moment
        self._marks = marks  # False: what ``act`` sets up marks the tally itself
        self._number = number
        self._act = act
        self._done = False

    def opened(self, session: Session, now: int) -> None:
        """Act, if this is the moment."""
        self._do_if(self._moment is Moment.OPENED, session, now)

    def asked(self, session: Session, now: int) -> None:
        """Act, if this is the moment."""
        asked = session.service.asked
        self._do_if(self._moment is Moment.ASKED and asked >= self._number, session, now)
        self._do_if(self._moment is Moment.SAID and self._number == 0, session, now)
        self._do_if(self._moment is Moment.IDLE and asked > self._number, session, now)

    def allowance(self, session: Session, now: int) -> int | None:
        """Say no more than the moment allows."""
        if self._moment is not Moment.SAID:
            return None
        return max(0, self._number - session.said)

    def follows(self) -> bool:
        """Wait for the acknowledgment where the moment is one of those."""
        return not self._done and self._moment not in (Moment.OPENED, Moment.ASKED)

    def delivered(self, session: Session, now: int) -> None:
        """Act, if this is the moment."""
        answered = session.service.answered
        self._do_if(self._moment is Moment.SAID and session.said >= self._number > 0, session, now)
        self._do_if(self._moment in (Moment.ANSWERED, Moment.IDLE) and answered >= self._number, session, now)

    def finished(self, session: Session, now: int) -> None:
        """Close, unless the moment is still to come."""
        if self._done or self._moment is not Moment.ANSWERED:
            session.close(now)

    def _do_if(self, due: bool, session: Session, now: int) -> None:
        if due and not self._done:
            self._done = True
            if self._marks:
                session.tally.mark()
            self._act(session, now)
