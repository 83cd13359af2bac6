"""``tulpen.read``: captures in, rows out."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, BinaryIO, final

from tulpen.capture.dissect import Dissector
from tulpen.capture.follower import Follower
from tulpen.capture.frame import Damaged
from tulpen.capture.frames import frames
from tulpen.capture.octets import Octets
from tulpen.capture.record import Connection, Counts, Damage, Finding, Move
from tulpen.capture.rows import told
from tulpen.capture.seen import Seen

if TYPE_CHECKING:
    from tulpen.capture.conversation import Conversation
    from tulpen.capture.frame import Frame
    from tulpen.capture.policy import Policy
    from tulpen.show.ladder import Ladder

Source = str | os.PathLike[str] | BinaryIO
Progress = Callable[[int, int], None]  # frames and octets so far

STEP = 4096  # frames between two calls of progress


@final
class Reading:
    """What one or several captures say: ``connections``, ``moves``, ``findings``, in the order of first frames."""

    __slots__ = ("_ladders", "connections", "counts", "damage", "findings", "moves", "names")

    def __init__(self) -> None:
        self.names: list[str] = []
        self.connections: list[Connection] = []
        self.moves: list[Move] = []
        self.findings: list[Finding] = []
        self.counts = Counts()
        #: Where files could be read no further; empty where all are whole.
        self.damage: list[Damage] = []
        self._ladders: dict[int, Ladder] = {}

    def __len__(self) -> int:
        return len(self.connections)

    def __iter__(self) -> Iterator[Connection]:
        return iter(self.connections)

    def __repr__(self) -> str:
        return f"<Reading of {', '.join(self.names) or 'nothing'}: {len(self)} connections>"

    def connection(self, number: int) -> Connection:
        """Return connection ``number``, from 1.  Raises LookupError where there is none."""
        for row in self.connections:
            if row.number == number:
                return row
        raise LookupError(f"there is no connection {number}")

    def moves_of(self, number: int) -> list[Move]:
        """Return the transitions of one connection, both ends', in time."""
        return [row for row in self.moves if row.connection == number]

    def findings_of(self, number: int) -> list[Finding]:
        """Return what was found in one connection."""
        return [row for row in self.findings if row.connection == number]

    def ladder(self, number: int) -> Ladder:
        """Return the drawing of connection ``number``.  Raises LookupError where its segments were not kept."""
        if number not in self._ladders:
            raise LookupError(f"the segments of connection {number} were not kept: read(..., ladders=[{number}])")
        return self._ladders[number]

    def _repr_html_(self) -> str:
        from tulpen.capture.tables import connections_table

        return connections_table(self.connections).to_html()

    def take(self, conversation: Conversation) -> None:
        """Add a connection that is over."""
        rows = told(conversation)
        self.connections.append(rows.connection)
        self.moves += rows.moves
        self.findings += rows.findings
        if conversation.kept is not None:
            from tulpen.capture.drawing import ladder

            self._ladders[conversation.number] = ladder(conversation, rows)

    def close(self, dissector: Dissector, follower: Follower) -> None:
        """Put the rows in order once everything was read."""
        self.counts.passed = dict(Counter(dissector.passed).most_common())
        self.counts.wrong_checksums = follower.wrong
        self.connections.sort(key=lambda row: row.number)
        self.moves.sort(key=lambda row: (row.connection, row.when))
        self.findings.sort(key=lambda row: row.connection)


def read(
    *sources: Source,
    policy: Policy | None = None,
    ladders: Iterable[int] | None = (),
    progress: Progress | None = None,
) -> Reading:
    """Read captures, one after another as if they were one, and tell every connection in TCP's own states.

    A source is a path, "-" for standard input, or a binary file; pcap and pcapng, packed by gzip or zstd or not.
    ``ladders``: the numbers of the connections whose segments are kept, for ``Reading.ladder``; None: all.
    Damage does not raise: what was readable is told, and ``Reading.damage`` says where it ended.  Raises TulpenError
    where a source is no capture, OSError where it cannot be opened.
    """
    reading = Reading()
    reader = Reader(reading, policy, ladders)
    for source in sources:
        with Octets(source) as octets:
            reading.names.append(octets.name)
            try:
                reader.take(frames(octets), progress)
            except Damaged as damage:
                reading.damage.append(Damage(octets.name, damage.what, damage.offset))
    reader.finish()
    return reading


@final
class Reader:
    """Takes frames from wherever they come."""

    __slots__ = ("_dissector", "_follower", "reading")

    def __init__(self, reading: Reading, policy: Policy | None = None, ladders: Iterable[int] | None = ()) -> None:
        self.reading = reading
        wanted = None if ladders is None else frozenset(ladders)
        self._dissector = Dissector()
        self._follower = Follower(reading.take, policy, keep=lambda number: wanted is None or number in wanted)

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
