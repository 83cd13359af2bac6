"""Captures read by the compiled pass: what is plain at once, all else by a second visit of the exact reader."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol, final

import numpy as np

from tulpen.capture.dissect import Dissector
from tulpen.capture.drawing import ladder
from tulpen.capture.frame import Damaged
from tulpen.capture.hosts import Facts
from tulpen.capture.octets import Octets
from tulpen.capture.quick.again import Again, Sees
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
    from tulpen.capture.quick.tasks import Followed
    from tulpen.capture.reader import Progress
    from tulpen.capture.reading import Reading
    from tulpen.capture.record import Connection
    from tulpen.capture.rows import Told

Path = str | os.PathLike[str]


class Taker(Protocol):
    """What takes connections as they are told."""

    def take(self, rows: NDArray[Any]) -> None:
        """Take plain ones, in an array that nobody else has."""

    def add(self, told: Told) -> None:
        """Take the rows of another."""


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

    def take(self, other: Tally) -> None:
        """Take what another has counted."""
        self.files += other.files
        self.counts, self.damage, self.passed = other.counts, other.damage, other.passed

    def begin(self, name: str) -> None:
        """The frames that come next are of another file."""
        self.files.append((shown(name), self.counts.frames + 1))

    def join(self, counts: Counts) -> None:
        """Count what comes next."""
        first = self.counts.first if self.counts.frames else counts.first
        self.counts.join(counts)
        self.counts.first = first

    def end(self, segments: Segments, dissector: Dissector) -> None:
        """A file was read; ``dissector`` is that of all files."""
        self.join(segments.counts)
        self.passed.update(segments.passed)
        self.passed.subtract(dissector.passed)


@final
class SinglePass:
    """Reads files one after another as if they were one, and gives a reading what it finds.

    Where more connections are open at once than the policy allows, the files are read several times, each time for a
    part of the pairs of addresses.
    """

    __slots__ = ("_facts", "_paths", "_policy", "_progress", "_reading", "shapes", "tally", "wrong")

    def __init__(
        self, reading: Reading, paths: Sequence[Path], policy: Policy, progress: Progress | None = None
    ) -> None:
        self._reading = reading
        self._paths = paths
        self._policy = policy
        self._progress = progress
        self.tally = Tally()
        self._facts = Facts()
        self.shapes = Shapes()
        self.wrong = 0

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
        _visit_again(Again(left, self._policy, done, keep=rows.__contains__), self._visit())

    def put_together(self, answers: Iterable[Followed]) -> None:
        """Give the reading what tasks have found."""
        with closing(self._waiting()) as waiting:
            for number, answer in enumerate(answers):
                if not number and answer.tally is not None:
                    self.tally.take(answer.tally)
                self.wrong += answer.wrong
                shapes = np.array([self.shapes.number(word) for word in answer.words], np.int32)
                answer.plain["shape"] = shapes[answer.plain["shape"]]
                waiting.take(answer.plain)
                for each in answer.told:
                    waiting.add(each)
            self._finish(waiting)

    def _in_parts(self, parts: int) -> bool:
        """Read the files for each part; False where more would have to be followed at once than the policy allows."""
        self.tally, self._facts, self.wrong = Tally(), Facts(), 0
        with closing(self._waiting()) as waiting:
            going = all(self.follow_part(part, parts, waiting) for part in range(parts))
            if going:
                self._finish(waiting)
        return going

    def _waiting(self) -> Waiting:
        reading = self._reading
        return Waiting(self.shapes.word, self.tally.files, most=reading.most, spill=reading.gives_away)

    def _finish(self, waiting: Waiting) -> None:
        reading, tally = self._reading, self.tally
        reading.read_all(tally.files, tally.counts, tally.damage)
        reading.counts.wrong_checksums = self.wrong
        reading.counts.passed = in_order(tally.passed)
        waiting.give(reading)
        reading.sort()

    def follow_part(self, part: int, parts: int, into: Taker, *, limited: bool = True) -> bool:
        """Read the files for one part of the pairs; False where too many connections were open, if that is limited."""
        flows = Flows(self._policy, self.shapes)
        for rows, _ in self._visit(None if self.tally.files else self.tally):
            flows.take(of_part(rows, part, parts))
            for plain in flows.given():
                into.take(plain)
            if limited and flows.open > self._policy.most and parts < MOST_PARTS:
                return False
        self.wrong += tell_rest(flows, self._policy, into, self._visit)
        facts = flows.left.facts
        self._facts.behind |= facts.behind
        self._facts.cookies |= facts.cookies
        return True

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
            before = self.tally.counts
            self._progress(before.frames + segments.counts.frames, before.octets + segments.counts.octets)


def tell_rest(
    flows: Flows, policy: Policy, into: Taker, visit: Callable[[], Iterable[tuple[NDArray[Any], Sees]]]
) -> int:
    """Tell what is not told after the first visit, by a second one where it is not plain; return wrong checksums."""
    for plain in flows.finish():
        into.take(plain)
    left = flows.left
    if not len(left.odd):
        return 0
    again = Again(left, policy, lambda talk: into.add(told(talk)))
    _visit_again(again, visit())
    return again.wrong


def _visit_again(again: Again, visited: Iterable[tuple[NDArray[Any], Sees]]) -> None:
    for rows, segments in visited:
        again.take(rows, segments)
    again.finish()


def _name(name: Any, row: Connection, *, vlans: bool) -> None:
    """Write the name of a connection, from the first frame on."""
    ends = [address(each) for each in (row.client, row.server)]
    name["address"] = [halves(end) for end in ends]
    name["port"] = [row.client_port, row.server_port]
    name["vlan"] = row.vlan if vlans else 0
    name["six"] = len(ends[0]) == 16
