"""``tulpen.read``: captures in, rows out."""

from __future__ import annotations

import gc
import os
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO, final

from tulpen.capture.frame import Damaged
from tulpen.capture.frames import frames
from tulpen.capture.octets import Octets
from tulpen.capture.reader import Progress, Reader
from tulpen.capture.record import Connection, Counts, Damage, Finding, Move
from tulpen.capture.rows import Told, told
from tulpen.capture.summary import Summary

if TYPE_CHECKING:
    from tulpen.capture.conversation import Conversation
    from tulpen.capture.dissect import Dissector
    from tulpen.capture.follower import Follower
    from tulpen.capture.policy import Policy
    from tulpen.show.ladder import Ladder

Source = str | os.PathLike[str] | BinaryIO
Sink = Callable[[Told], None]


@final
class Reading:
    """What one or several captures say: ``connections``, ``moves``, ``findings``, in the order of first frames."""

    __slots__ = (
        "_before", "_into", "_ladders", "_starts", "connections", "counts", "damage", "findings", "moves", "names",
        "summary",
    )  # fmt: skip

    def __init__(self, into: Sink | None = None) -> None:
        self._into = into  # who takes the rows; None: they are kept here
        self.names: list[str] = []
        self.connections: list[Connection] = []
        self.moves: list[Move] = []
        self.findings: list[Finding] = []
        self.counts = Counts()
        self.summary = Summary()
        #: Where files could be read no further; empty where all are whole.
        self.damage: list[Damage] = []
        self._ladders: dict[int, Ladder] = {}
        self._starts: list[int] = []  # the first frame of each file
        self._before: list[int] = []  # connections of the files before each, where every file was read by itself

    def __len__(self) -> int:
        return self.summary.connections

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

    @property
    def ladders(self) -> Mapping[int, Ladder]:
        """The drawings that were kept, by the numbers of their connections."""
        return self._ladders

    def ladder(self, number: int) -> Ladder:
        """Return the drawing of connection ``number``.  Raises LookupError where its segments were not kept."""
        if number not in self._ladders:
            raise LookupError(f"the segments of connection {number} were not kept: read(..., ladders=[{number}])")
        return self._ladders[number]

    def where(self, condition: str) -> Reading:
        """Return the connections for which a condition in SQL holds, as ``--where`` takes it.

        Raises TulpenError where it is no condition, or DuckDB is not installed.
        """
        from tulpen.capture.where import chosen

        numbers = chosen(self.connections, condition)
        some = Reading()
        some.names, some.counts, some.damage, some._before = self.names, self.counts, self.damage, self._before
        some.moves = [row for row in self.moves if row.connection in numbers]
        some.findings = [row for row in self.findings if row.connection in numbers]
        some._ladders = {number: drawn for number, drawn in self._ladders.items() if number in numbers}
        for row in self.connections:
            if row.number in numbers:
                some.connections.append(row)
                some.summary.take(row)
        return some

    def arrow(self, table: str = "connections") -> Any:
        """Return ``connections``, ``moves`` or ``findings`` as a pyarrow.Table.  Raises TulpenError without pyarrow."""
        from tulpen.capture.arrow import arrow_table, columns_of

        columns_of(table)
        return arrow_table(table, getattr(self, table))

    def pandas(self, table: str = "connections") -> Any:
        """Return a table as a pandas.DataFrame.  Raises TulpenError where pandas or pyarrow is not installed."""
        from tulpen.capture.extras import extra

        extra("pandas", "a DataFrame")
        return self.arrow(table).to_pandas()

    def polars(self, table: str = "connections") -> Any:
        """Return a table as a polars.DataFrame.  Raises TulpenError where polars or pyarrow is not installed."""
        from tulpen.capture.extras import extra

        return extra("polars", "a DataFrame").from_arrow(self.arrow(table))

    def _repr_html_(self) -> str:
        from tulpen.capture.page import notebook

        return notebook(self)

    def begin(self, name: str) -> None:
        """The frames that come next are of another file."""
        self.names.append(name.encode("utf-8", "backslashreplace").decode())  # as every output can write it
        self._starts.append(self.counts.frames + 1)

    def take(self, conversation: Conversation) -> None:
        """Add a connection that is over."""
        rows = told(conversation)
        row = rows.connection
        if self.names:
            row.file = self.names[max(bisect_right(self._starts, row.first_frame) - 1, 0)]
        if conversation.kept is not None:
            from tulpen.capture.drawing import ladder

            self._ladders[conversation.number] = ladder(conversation, rows)
        self.add(rows)

    def add(self, rows: Told) -> None:
        """Add the rows of a connection."""
        self.summary.take(rows.connection)
        if self._into is not None:
            self._into(rows)
            return
        self.connections.append(rows.connection)
        self.moves += rows.moves
        self.findings += rows.findings

    def join(self, other: Reading) -> None:
        """Add what another capture says; its connections get the numbers that come next."""
        before = len(self)
        self._before += [before] * len(other.names)
        self.names += other.names
        self.damage += other.damage
        self.counts.join(other.counts)
        rows = {row.number: Told(row, [], []) for row in other.connections}
        for move in other.moves:
            rows[move.connection].moves.append(move)
            move.connection += before
        for finding in other.findings:
            rows[finding.connection].findings.append(finding)
            finding.connection += before
        for each in rows.values():
            each.connection.number += before
            self.add(each)

    def place(self, number: int) -> tuple[str, int]:
        """Return the file of connection ``number`` and its number there, where every file was read by itself."""
        at = bisect_left(self._before, number) - 1
        return self.names[at], number - self._before[at]

    def close(self, dissector: Dissector, follower: Follower) -> None:
        """Put the rows in order once everything was read."""
        self.counts.passed = dict(sorted(dissector.passed.items(), key=lambda each: (-each[1], each[0])))
        self.counts.wrong_checksums = follower.wrong
        self.connections.sort(key=lambda row: row.number)
        self.moves.sort(key=lambda row: (row.connection, row.when))
        self.findings.sort(key=lambda row: row.connection)


def read(
    *sources: Source,
    policy: Policy | None = None,
    ladders: Iterable[int] | None = (),
    progress: Progress | None = None,
    into: Sink | None = None,
) -> Reading:
    """Read captures, one after another as if they were one, and tell every connection in TCP's own states.

    A source is a path, "-" for standard input, or a binary file; pcap and pcapng, packed by gzip or zstd or not.
    ``ladders``: the numbers of the connections whose segments are kept, for ``Reading.ladder``; None: all.
    ``into`` is called with the rows of each connection as it is over, and then none are kept: ``ParquetFiles`` is one.
    Damage does not raise: what was readable is told, and ``Reading.damage`` says where it ended.  Raises TulpenError
    where a source is no capture, OSError where it cannot be opened.
    """
    reading = Reading(into)
    reader = Reader(reading, policy, ladders)
    with _uncollected():
        for source in sources:
            with Octets(source) as octets:
                reading.begin(octets.name)
                try:
                    reader.take(frames(octets), progress)
                except Damaged as damage:
                    reading.damage.append(Damage(octets.name, damage.what, damage.offset))
        reader.finish()
    return reading


@contextmanager
def _uncollected() -> Iterator[None]:
    """Spare the search for cycles: of a connection and its rows there are none, and it costs a quarter of the time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
