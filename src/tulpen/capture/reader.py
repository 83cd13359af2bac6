"""From frames to connections: what every frame passes through."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, final

from tulpen.capture.dissect import Dissector
from tulpen.capture.follower import Follower
from tulpen.capture.seen import Seen

if TYPE_CHECKING:
    from tulpen.capture.frame import Frame
    from tulpen.capture.policy import Policy
    from tulpen.capture.reading import Reading

Progress = Callable[[int, int], None]  # frames and octets so far

STEP = 4096  # frames between two calls of progress


@final
class Reader:
    """Takes frames from wherever they come."""

    __slots__ = ("_dissector", "_follower", "reading")

    def __init__(self, reading: Reading, policy: Policy | None = None, ladders: Iterable[int] | None = ()) -> None:
        self.reading = reading
        wanted = None if ladders is None else frozenset(ladders)
        self._dissector = Dissector()
        self._follower = Follower(reading.take, policy, keep=lambda number, _: wanted is None or number in wanted)

    def take(self, source: Iterable[Frame], progress: Progress | None = None) -> None:
        """Take every frame of ``source``."""
        counts = self.reading.counts
        dissect, follow = self._dissector.segment, self._follower.take
        earlier = counts.frames  # frames of the files before are counted on
        for frame in source:
            if earlier:
                frame = frame._replace(number=earlier + frame.number)
            if not counts.frames:
                counts.first = frame.when
            counts.frames += 1
            counts.octets += frame.length
            counts.last = max(counts.last, frame.when)
            seg = dissect(frame)
            if seg is not None:
                counts.segments += isinstance(seg, Seen)
                follow(seg)
            if progress is not None and counts.frames % STEP == 0:
                progress(counts.frames, counts.octets)

    def finish(self) -> None:
        """No more frames come."""
        self._follower.finish()
        self.reading.close(self._dissector, self._follower)
