"""The second visit: connections that are not plain, told by the exact reader from the segments of their names alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, final

import numpy as np

from tulpen.capture.follower import Follower
from tulpen.capture.quick.watch import Left, Watch

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tulpen.capture.conversation import Conversation
    from tulpen.capture.policy import Policy
    from tulpen.capture.seen import IcmpError, Seen


class Sees(Protocol):
    """What sees exactly, too, what an array of SEGMENT has."""

    def seen(self, at: int) -> Seen | IcmpError:
        """Return what is in row ``at``."""


@final
class Again:
    """Gives the exact Follower what is left to it; ``keep`` says by first frames whose segments are kept."""

    __slots__ = ("_follower", "_watch")

    def __init__(
        self,
        left: Left,
        policy: Policy,
        done: Callable[[Conversation], None],
        keep: Callable[[int], bool] | None = None,
    ) -> None:
        keeping = None if keep is None else lambda _, frame: keep(frame)
        self._follower = Follower(done, policy, keep=keeping, facts=left.facts)
        self._watch = Watch(left, policy)

    @property
    def wrong(self) -> int:
        """Wrong checksums that counted."""
        return self._follower.wrong

    def take(self, rows: NDArray[Any], segments: Sees) -> None:
        """Take the last array of ``segments``."""
        follow, seen = self._follower.take, segments.seen
        for at in np.flatnonzero(self._watch.take(rows)).tolist():
            follow(seen(at))

    def finish(self) -> None:
        """No more comes."""
        self._follower.finish()
