"""How fast a path delivers, measured as Linux does (draft-cheng-iccrg-delivery-rate-estimation).

What goes out takes along what was delivered by then and when.  Its acknowledgment gives a
sample: what has been delivered since, in the longer of the times that sending it and that
acknowledging it took.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, final

if TYPE_CHECKING:
    from tulpen.tcp.flight import Sent


class Moment(NamedTuple):
    """What a stretch takes along; segments, and times of now."""

    delivered: int
    delivered_at: int
    first_at: int  # when that was sent whose acknowledgment came last
    limited: bool  # the application keeps us from sending more


@final
class Rate:
    """The latest sample, and what the next ones begin with."""

    __slots__ = ("_moment", "delivered", "delivered_at", "first_at", "interval", "latest", "limited", "total", "until")

    def __init__(self) -> None:
        self.total = 0  # segments delivered
        self.delivered_at = 0
        self.first_at = 0
        self.until = 0  # the application was the limit for what is delivered up to this; 0: it is not
        self.latest: Sent | None = None  # of what is now acknowledged, sent last
        self.delivered = 0  # segments of the sample
        self.interval = 0  # nanoseconds it took
        self.limited = True  # more could have been
        self._moment: Moment | None = None  # shared by all that goes out between two acknowledgments

    def begins(self, now: int) -> None:
        """Something goes out while nothing is in flight."""
        self.first_at = self.delivered_at = now
        self._moment = None

    def moment(self) -> Moment:
        """Return what a stretch takes along that goes out now."""
        if self._moment is None:
            self._moment = Moment(self.total, self.delivered_at, self.first_at, self.until > 0)
        return self._moment

    def app_limited(self, in_flight: int) -> None:
        """The application writes, and nothing had kept more from being sent: what is in flight is all it gave."""
        self.until = self.total + in_flight or 1
        self._moment = None

    def arrived(self, piece: Sent) -> None:
        """A stretch is acknowledged, for the first time."""
        latest = self.latest
        if latest is None or piece.at > latest.at or (piece.at == latest.at and piece.end > latest.end):
            self.latest = piece

    def sample(self, total: int, now: int, least_rtt: int) -> None:
        """All of an acknowledgment is taken in; ``total``: segments delivered up to now."""
        piece, self.latest = self.latest, None
        if total == self.total:
            return
        self.total, self.delivered_at, self._moment = total, now, None
        if total > self.until:
            self.until = 0
        if piece is None:
            return
        then = piece.moment
        self.first_at = piece.at
        interval, delivered = max(piece.at - then.first_at, now - then.delivered_at), total - then.delivered
        if interval < least_rtt or interval <= 0:
            return  # not all of it can have been sent and acknowledged in this
        if not then.limited or delivered * self.interval >= self.delivered * interval:
            self.delivered, self.interval, self.limited = delivered, interval, then.limited

    def clone(self) -> Rate:
        """Return an independent copy."""
        twin = Rate()
        twin.total = self.total
        twin.delivered_at = self.delivered_at
        twin.first_at = self.first_at
        twin.until = self.until
        twin.delivered = self.delivered
        twin.interval = self.interval
        twin.limited = self.limited
        return twin
