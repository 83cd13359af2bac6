"""Captures read by the compiled pass: what is plain at once, all else by a second visit of the exact reader."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final, NamedTuple, final

import numpy as np

from tulpen.capture.dissect import Dissector
from tulpen.capture.drawing import ladder
from tulpen.capture.frame import Damaged
from tulpen.capture.hosts import Facts
from tulpen.capture.octets import Octets
from tulpen.capture.quick.again import Again
from tulpen.capture.quick.exact import halves
from tulpen.capture.quick.flows import Flows
from tulpen.capture.quick.layout import ODD
from tulpen.capture.quick.pairs import of_part
from tulpen.capture.quick.segments import Segments
from tulpen.capture.quick.shapes import Shapes
from tulpen.capture.quick.state import PAIR
from tulpen.capture.quick.waiting import Waiting
from tulpen.capture.quick.watch import Left
from tulpen.capture.reading import in_order, shown
from tulpen.capture.record import Counts, Damage
from tulpen.capture.rows import told
from tulpen.wire.address import address

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tulpen.capture.conversation import Conversation
    from tulpen.capture.policy import Policy
    from tulpen.capture.reader import Progress
    from tulpen.capture.reading import Reading
    from tulpen.capture.record import Connection

Path = str | os.PathLike[str]


MOST_PARTS: Final = 64  # for which files are read


class Visited(NamedTuple):
    """An array of segments, and whose last it is."""

    rows: NDArray[Any]
    segments: Segments


@final
class Tally:
    """What a first visit counts."""

    __slots__ = ("counts", "damage", "files", "passed")

    def __init__(self) -> None:
        self.counts = Counts()
        self.damage: list[Damage] = []
        self.files: list[tuple[str, int]] = []  # names, and the first frame of each
        self.passed: Counter[str] = Counter()

    def begin(self, name: str) -> None:
        """The frames that come next are of another file."""
        self.files.append((shown(name), self.counts.frames + 1))

    def end(self, segments: Segments, dissector: Dissector) -> None:
        """A file was read; ``dissector`` is that of all files."""
        first = self.counts.first if self.counts.frames else segments.counts.first
        self.counts.join(segments.counts)
        self.counts.first = first
        self.passed.update(segments.passed)
        self.passed.subtract(dissector.passed)


@final
class SinglePass:
    """Reads files one after another as if they were one, and gives a reading what it finds.

    Where more connections are open at once than the policy allows, the files are read several times, each time for a
    part of the pairs of addresses.
    """

    __slots__ = ("_facts", "_paths", "_policy", "_progress", "_reading", "_shapes", "_tally", "_wrong")

    def __init__(
        self, reading: Reading, paths: Sequence[Path], policy: Policy, progress: Progress | None = None
    ) -> None:
        self._reading = reading
        self._paths = paths
        self._policy = policy
        self._progress = progress
        self._tally = Tally()
        self._facts = Facts()
        self._shapes = Shapes()
        self._wrong = 0

    def run(self) -> None:
        """Read them."""
        parts = 1
        while not self._in_parts(parts):
            parts *= 2

    def draw(self, numbers: Iterable[int]) -> None:
        """Visit the connections of these numbers, such as there are, once more for their ladders."""
        rows = {each.connection.first_frame: each.connection for n in numbers for each in self._reading.rows_of(n)}
        if not rows:
            return
        odd = np.zeros(len(rows), ODD)
        for name, row in zip(odd, rows.values(), strict=True):
            _name(name, row, vlans=self._policy.vlans)

        def done(talk: Conversation) -> None:
            if talk.first_frame in rows:
                self._reading.draw(rows[talk.first_frame].number, ladder(talk, told(talk)))

        left = Left(odd, np.zeros(0, PAIR), self._facts)
        self._visit_again(Again(left, self._policy, done, keep=rows.__contains__))

    def _in_parts(self, parts: int) -> bool:
        """Read the files for each part; False where more would have to be followed at once than the policy allows."""
        self._tally, self._facts, self._wrong = Tally(), Facts(), 0
        reading, tally = self._reading, self._tally
        kept = Waiting(self._shapes.word, tally.files, most=reading.most, spill=reading.gives_away)
        with closing(kept) as waiting:
            if not self._follow(parts, waiting):
                return False
            reading.read_all(tally.files, tally.counts, tally.damage)
            reading.counts.wrong_checksums = self._wrong
            reading.counts.passed = in_order(tally.passed)
            waiting.give(reading)
        reading.sort()
        return True

    def _follow(self, parts: int, waiting: Waiting) -> bool:
        for part in range(parts):
            flows = Flows(self._policy, self._shapes)
            for rows, _ in self._visit(None if part else self._tally):
                flows.take(of_part(rows, part, parts))
                waiting.take(flows.done())
                if flows.open > self._policy.most and parts < MOST_PARTS:
                    return False
            for plain in flows.finish():
                waiting.take(plain)
            self._leave(flows.left, waiting)
        return True

    def _leave(self, left: Left, waiting: Waiting) -> None:
        """Leave to the exact reader what is not plain."""
        if len(left.odd):
            again = Again(left, self._policy, lambda talk: waiting.add(told(talk)))
            self._visit_again(again)
            self._wrong += again.wrong
        self._facts.behind |= left.facts.behind
        self._facts.cookies |= left.facts.cookies

    def _visit_again(self, again: Again) -> None:
        for rows, segments in self._visit():
            again.take(rows, segments)
        again.finish()

    def _visit(self, tally: Tally | None = None) -> Iterator[Visited]:
        """Read the files."""
        dissector, frames = Dissector(), 0
        for path in self._paths:
            with Octets(path) as octets:
                segments = Segments(octets, dissector=dissector, before=frames)
                if tally is not None:
                    tally.begin(octets.name)
                try:
                    for rows in segments:
                        yield Visited(rows, segments)
                        self._tell(segments if tally is not None else None)
                except Damaged as damage:
                    if tally is not None:
                        tally.damage.append(Damage(octets.name, damage.what, damage.offset))
                frames += segments.counts.frames
                if tally is not None:
                    tally.end(segments, dissector)
        if tally is not None:
            tally.passed.update(dissector.passed)

    def _tell(self, segments: Segments | None) -> None:
        if self._progress is not None and segments is not None:
            before = self._tally.counts
            self._progress(before.frames + segments.counts.frames, before.octets + segments.counts.octets)


def _name(name: Any, row: Connection, *, vlans: bool) -> None:
    """Write the name of a connection, from the first frame on."""
    ends = [address(each) for each in (row.client, row.server)]
    name["address"] = [halves(end) for end in ends]
    name["port"] = [row.client_port, row.server_port]
    name["vlan"] = row.vlan if vlans else 0
    name["six"] = len(ends[0]) == 16
