"""Captures as arrays of ``SEGMENT``: compiled where a frame is plain, by the exact Dissector where it is not."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final, NamedTuple, final

import numpy as np

from tulpen.capture.dissect import Dissector
from tulpen.capture.frame import Damaged, Frame
from tulpen.capture.octets import Octets
from tulpen.capture.quick.dissect import LATER, WAYS, dissect, words
from tulpen.capture.quick.exact import put, seen_array
from tulpen.capture.quick.forms import Known, begun, resumed
from tulpen.capture.quick.layout import PLACE, RECORD, SEGMENT
from tulpen.capture.quick.walk import FULL, MORE, ODD
from tulpen.capture.quick.window import BLOCK, Window
from tulpen.capture.record import Counts
from tulpen.capture.seen import IcmpError, Seen

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator, Mapping

    from numpy.typing import NDArray

MOST: Final = 8192  # rows of an array
LEAST: Final = 4096  # octets read at once


class Part(NamedTuple):
    """A part of a file that can be read by itself."""

    start: int  # octets of the file
    stop: int | None  # None: to its end
    before: int  # frames that stand before it
    known: Known | None  # None: it is the whole file


@final
class Segments:
    """The segments of a file, or of a part of one, in arrays of which each is good until the next is asked for.

    Iterating raises what the exact ``frames`` raises: TulpenError where there is no capture, and Damaged behind the
    last array that could be read.  ``before``: frames of other files that are counted before these.  ``dissector``: of
    several files that are read as one, as their fragments of IP may be put together.  Fragments of a ``part`` are left
    in ``late``, for ``late_segments`` when all of them are there.
    """

    def __init__(
        self,
        octets: Octets,
        part: Part | None = None,
        *,
        dissector: Dissector | None = None,
        before: int = 0,
        size: int = BLOCK,
        most: int = MOST,
    ) -> None:
        self._name = octets.name
        self._known = None if part is None else part.known
        if part is not None and part.known is not None:
            octets.seek(part.start)
        self._window = Window(octets, None if part is None else part.stop, size)
        self._before = before + (0 if part is None else part.before)
        self.late: list[Frame] = []
        self._dissector = dissector or Dissector(None if part is None else self.late)
        self._again = Dissector()  # of plain frames, which leave no trace in it
        self._records: NDArray[Any] = np.zeros(most, RECORD)
        self._rows: NDArray[Any] = np.zeros(most, SEGMENT)
        self._where: NDArray[Any] = np.zeros(most, np.int32)
        self._passed: NDArray[Any] = np.zeros(WAYS, np.int64)
        self._told: dict[int, Seen | IcmpError] = {}  # what the exact Dissector made of rows of the last array
        self._first = 0  # the number of the first of the records
        #: What was read so far, but for wrong checksums and what was passed over.
        self.counts = Counts()

    @property
    def passed(self) -> Counter[str]:
        """Frames without a segment, by the reason in words."""
        return words(self._passed) + self._dissector.passed

    def __iter__(self) -> Iterator[NDArray[Any]]:
        window = self._window
        form = begun(window, self._name) if self._known is None else resumed(window, self._known)
        while True:
            count, why = form.walk(self._records)
            if count:
                rows = self._rows_of(count)
                if len(rows):
                    yield rows
            going = why == FULL or (why == MORE and window.more()) or (why == ODD and form.step())
            if not going:
                break
        yield from self._rest(form.rest(self._before + self.counts.frames))

    @property
    def told(self) -> Mapping[int, Seen | IcmpError]:
        """What the exact Dissector made of rows of the last array, by their places in it."""
        return self._told

    def places(self, count: int) -> NDArray[Any]:
        """Return the PLACE of each of the ``count`` rows of the last array; of those that are ``told``, anything."""
        records = self._records[self._where[:count]]
        places: NDArray[Any] = np.empty(count, PLACE)
        for name in PLACE.names or ():
            places[name] = records[name]
        return places

    def seen(self, at: int) -> Seen | IcmpError:
        """Return what the exact Dissector sees in row ``at`` of the last array."""
        told = self._told.get(at)
        if told is None:
            told = self._again.segment(self._frame(int(self._where[at])))
            assert told is not None
        return told

    def _rows_of(self, count: int) -> NDArray[Any]:
        """Dissect the first ``count`` records."""
        window, counts = self._window, self.counts
        records = self._records[:count]
        self._first = self._before + counts.frames + 1
        found, later, octets, latest = dissect(
            window.memory, records, self._first, window.base, self._rows, self._where, self._passed
        )
        if not counts.frames:
            counts.first = int(records["when"][0])
        counts.frames += count
        counts.octets += octets
        counts.last = max(counts.last, latest)
        self._told = {}
        rows = self._rows[:found]
        if later:
            rows = self._looked_at(rows)
        counts.segments += len(rows) - sum(isinstance(told, IcmpError) for told in self._told.values())
        return rows

    def _looked_at(self, rows: NDArray[Any]) -> NDArray[Any]:
        """Let the exact Dissector look at those that are for it; return the rows without those that are nothing."""
        kept = np.ones(len(rows), np.bool_)
        told = {}
        for at in np.flatnonzero(rows["has"] == LATER).tolist():
            seen = self._dissector.segment(self._frame(int(self._where[at])))
            kept[at] = seen is not None
            if seen is not None:
                told[at] = seen
                offset = int(rows["offset"][at])
                rows[at] = np.zeros((), SEGMENT)
                put(rows, at, seen, offset)
        places = np.cumsum(kept) - 1
        self._told = {int(places[at]): seen for at, seen in told.items()}
        count = int(kept.sum())
        self._where[:count] = self._where[: len(rows)][kept]
        return rows[kept]

    def _frame(self, which: int) -> Frame:
        """Return the frame of a record."""
        record, window = self._records[which], self._window
        at, size = int(record["at"]), int(record["size"])
        return Frame(
            self._first + which, int(record["when"]), int(record["link"]), window.data[at : at + size].tobytes(),
            int(record["length"]), window.base + at, 0, int(record["interface"]),
        )  # fmt: skip

    def _rest(self, frames: Iterator[Frame]) -> Iterator[NDArray[Any]]:
        """Read exactly what is not plain any more."""
        damage = None
        while damage is None:
            told: list[tuple[Seen | IcmpError, int]] = []
            going = False
            try:
                for frame in frames:
                    self._count(frame)
                    seen = self._dissector.segment(frame)
                    if seen is not None:
                        told.append((seen, frame.offset))
                    if len(told) == len(self._rows):
                        going = True
                        break
            except Damaged as found:
                damage = found
            if told:
                self._told = {at: seen for at, (seen, _) in enumerate(told)}
                self.counts.segments += sum(isinstance(seen, Seen) for seen, _ in told)
                yield seen_array([seen for seen, _ in told], [offset for _, offset in told])
            if not going and damage is None:
                return
        raise damage

    def _count(self, frame: Frame) -> None:
        counts = self.counts
        if not counts.frames:
            counts.first = frame.when
        counts.frames += 1
        counts.octets += frame.length
        counts.last = max(counts.last, frame.when)


def late_segments(frames: Iterable[Frame], dissector: Dissector) -> tuple[list[Seen | IcmpError], NDArray[Any]]:
    """Return what frames that were left for later hold, seen exactly and as rows; ``dissector`` counts the others."""
    told = [(seen, frame.offset) for frame in frames if (seen := dissector.segment(frame)) is not None]
    seen_all = [seen for seen, _ in told]
    return seen_all, seen_array(seen_all, [offset for _, offset in told])


def ranges(path: str | os.PathLike[str], count: int, *, size: int | None = None, most: int = MOST) -> list[Part]:
    """Divide a file into at most ``count`` parts of like size, between its frames.

    Together they are the whole file: the last reaches to its end, be that damaged or not.  What is packed, or cannot be
    read from its middle, is one part.  Raises TulpenError where it is no capture, OSError where it cannot be read.
    """
    with Octets(path) as octets:
        if octets.packed or not octets.size or count < 2:
            return [Part(0, None, 0, None)]
        size = size or max(min(BLOCK, octets.size // count), LEAST)
        return _divided(Window(octets, size=size), octets, count, most)


def _divided(window: Window, octets: Octets, count: int, most: int) -> list[Part]:
    parts, frames = [Part(0, None, 0, None)], 0
    records: NDArray[Any] = np.zeros(most, RECORD)
    try:
        form = begun(window, octets.name)
        parts = [Part(window.offset, None, 0, form.known)]
        while True:
            found, why = form.walk(records)
            frames += found
            if found and window.offset * count >= octets.size * len(parts) and window.offset < octets.size:
                parts[-1] = parts[-1]._replace(stop=window.offset)
                parts.append(Part(window.offset, None, frames, form.known))
            if not (why == FULL or (why == MORE and window.more()) or (why == ODD and form.step())):
                return parts
    except Damaged:
        return parts
