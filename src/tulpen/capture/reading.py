"""``tulpen.read``: captures in, rows out."""

from __future__ import annotations

import gc
import os
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol, cast, final, runtime_checkable

from tulpen.capture.frame import Damaged
from tulpen.capture.frames import frames
from tulpen.capture.octets import Octets
from tulpen.capture.policy import Policy
from tulpen.capture.reader import Progress, Reader
from tulpen.capture.record import Connection, Counts, Damage, Finding, Move
from tulpen.capture.rows import Told, told
from tulpen.capture.summary import Summary
from tulpen.capture.way import Way, compiled

if TYPE_CHECKING:
    from tulpen.capture.conversation import Conversation
    from tulpen.capture.dissect import Dissector
    from tulpen.capture.follower import Follower
    from tulpen.show.ladder import Ladder

Source = str | os.PathLike[str] | BinaryIO
Sink = Callable[[Told], None]


@runtime_checkable
class Columns(Protocol):
    """Some connections of which nothing is to be told but words and numbers: rows are made when they are asked for."""

    def __len__(self) -> int: ...

    def count(self, summary: Summary) -> None:
        """Count them."""

    def tables(self) -> dict[str, dict[str, Any]]:
        """Return the columns of connections, moves and findings."""

    def told(self) -> Iterator[Told]:
        """Return the rows of each."""

    def numbered(self, numbers: Collection[int]) -> Columns:
        """Return those of these numbers."""

    def moved(self, by: int) -> Columns:
        """Return them with numbers that are so much higher."""


@runtime_checkable
class ColumnSink(Protocol):
    """A sink that takes many connections at once, too."""

    def take(self, columns: Columns) -> None:
        """Take them."""


@final
class Reading:
    """What one or several captures say: ``connections``, ``moves``, ``findings``, in the order of first frames.

    ``into`` takes the rows, and then none are kept here.  ``most``: of more connections than these no rows are kept.
    """

    __slots__ = (
        "_before", "_columns", "_connections", "_findings", "_into", "_ladders", "_most", "_moves", "_starts", "counts",
        "damage", "names", "summary",
    )  # fmt: skip

    def __init__(self, into: Sink | None = None, *, most: int | None = None) -> None:
        self._into = into
        self._most = most
        self.names: list[str] = []
        self._connections: list[Connection] = []
        self._moves: list[Move] = []
        self._findings: list[Finding] = []
        self._columns: list[Columns] = []  # of which there are no rows yet
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

    @property
    def connections(self) -> list[Connection]:
        """The rows of connections, in the order of their numbers."""
        self._make_rows()
        return self._connections

    @property
    def moves(self) -> list[Move]:
        """The rows of transitions, by connection and time."""
        self._make_rows()
        return self._moves

    @property
    def findings(self) -> list[Finding]:
        """The rows of what was found, by connection."""
        self._make_rows()
        return self._findings

    def connection(self, number: int) -> Connection:
        """Return connection ``number``, from 1.  Raises LookupError where there is none."""
        rows = self.rows_of(number)
        if not rows:
            raise LookupError(f"there is no connection {number}")
        return rows[0].connection

    def moves_of(self, number: int) -> list[Move]:
        """Return the transitions of one connection, both ends', in time."""
        return [move for rows in self.rows_of(number) for move in rows.moves]

    def findings_of(self, number: int) -> list[Finding]:
        """Return what was found in one connection."""
        return [finding for rows in self.rows_of(number) for finding in rows.findings]

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

        numbers = chosen(self.arrow(), condition)
        some = Reading()
        some.names, some.counts, some.damage, some._before = self.names, self.counts, self.damage, self._before
        some._moves = [row for row in self._moves if row.connection in numbers]
        some._findings = [row for row in self._findings if row.connection in numbers]
        some._ladders = {number: drawn for number, drawn in self._ladders.items() if number in numbers}
        for row in self._connections:
            if row.number in numbers:
                some._connections.append(row)
                some.summary.take(row)
        for columns in self._columns:
            some.add_columns(columns.numbered(numbers))
        return some

    def arrow(self, table: str = "connections") -> Any:
        """Return ``connections``, ``moves`` or ``findings`` as a pyarrow.Table.  Raises TulpenError without pyarrow."""
        from tulpen.capture.arrow import arrow_table, columns_of, together

        columns_of(table)
        made = arrow_table(table, getattr(self, f"_{table}"))
        return together(table, made, [columns.tables()[table] for columns in self._columns]) if self._columns else made

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

    def read_all(self, files: Iterable[tuple[str, int]], counts: Counts, damage: Iterable[Damage]) -> None:
        """Files were read as a whole: their names as shown, with their first frames, and what they have."""
        for name, first in files:
            self.names.append(name)
            self._starts.append(first)
        self.counts = counts
        self.damage += damage

    def draw(self, number: int, drawn: Ladder) -> None:
        """Keep the drawing of a connection."""
        self._ladders[number] = drawn

    @property
    def most(self) -> int | None:
        """Of more connections than these no rows are kept."""
        return self._most if self._into is None else None

    @property
    def gives_away(self) -> bool:
        """Whether rows go elsewhere."""
        return self._into is not None

    def begin(self, name: str) -> None:
        """The frames that come next are of another file."""
        self.names.append(shown(name))
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
        elif self._keeps():
            self._connections.append(rows.connection)
            self._moves += rows.moves
            self._findings += rows.findings

    def add_columns(self, columns: Columns) -> None:
        """Add connections whose rows are made when they are asked for."""
        columns.count(self.summary)
        if isinstance(self._into, ColumnSink):
            self._into.take(columns)
        elif self._into is not None:
            for rows in columns.told():
                self._into(rows)
        elif self._keeps() and len(columns):
            self._columns.append(columns)

    def join(self, other: Reading) -> None:
        """Add what another capture says; its connections get the numbers that come next."""
        before = len(self)
        self._before += [before] * len(other.names)
        self.names += other.names
        self.damage += other.damage
        self.counts.join(other.counts)
        rows = {row.number: Told(row, [], []) for row in other._connections}
        for move in other._moves:
            rows[move.connection].moves.append(move)
            move.connection += before
        for finding in other._findings:
            rows[finding.connection].findings.append(finding)
            finding.connection += before
        for each in rows.values():
            each.connection.number += before
            self.add(each)
        for columns in other._columns:
            self.add_columns(columns.moved(before))

    def place(self, number: int) -> tuple[str, int]:
        """Return the file of connection ``number`` and its number there, where every file was read by itself."""
        at = bisect_left(self._before, number) - 1
        return self.names[at], number - self._before[at]

    def close(self, dissector: Dissector, follower: Follower) -> None:
        """Put the rows in order once everything was read."""
        self.counts.passed = in_order(dissector.passed)
        self.counts.wrong_checksums = follower.wrong
        self.sort()

    def _keeps(self) -> bool:
        """Say whether rows are kept; where there are too many, those are dropped that were."""
        if self._most is None or len(self) <= self._most:
            return True
        for rows in (self._connections, self._moves, self._findings, self._columns):
            rows.clear()
        return False

    def rows_of(self, number: int) -> list[Told]:
        """Return the rows of one connection, in a list; an empty one where there is none."""
        for columns in self._columns:
            found = list(columns.numbered((number,)).told())
            if found:
                return found
        return [
            Told(
                row,
                [each for each in self._moves if each.connection == number],
                [each for each in self._findings if each.connection == number],
            )
            for row in self._connections
            if row.number == number
        ]

    def _make_rows(self) -> None:
        if not self._columns:
            return
        for columns in self._columns:
            for rows in columns.told():
                self._connections.append(rows.connection)
                self._moves += rows.moves
                self._findings += rows.findings
        self._columns.clear()
        self.sort()

    def sort(self) -> None:
        """Put the rows in order."""
        self._connections.sort(key=lambda row: row.number)
        self._moves.sort(key=lambda row: (row.connection, row.when))
        self._findings.sort(key=lambda row: row.connection)


def shown(name: str) -> str:
    """Return the name of a file as every output can write it."""
    return name.encode("utf-8", "backslashreplace").decode()


def in_order(passed: Mapping[str, int]) -> dict[str, int]:
    """Return how many frames were passed over why, the most first."""
    return dict(sorted(((why, count) for why, count in passed.items() if count), key=lambda each: (-each[1], each[0])))


def read(
    *sources: Source,
    policy: Policy | None = None,
    ladders: Iterable[int] | None = (),
    progress: Progress | None = None,
    into: Sink | None = None,
    most: int | None = None,
    way: Way = Way.AUTO,
) -> Reading:
    """Read captures, one after another as if they were one, and tell every connection in TCP's own states.

    A source is a path, "-" for standard input, or a binary file; pcap and pcapng, packed by gzip or zstd or not.
    ``ladders``: the numbers of the connections whose segments are kept, for ``Reading.ladder``; None: all.
    ``into`` is called with the rows of each connection as it is over, and then none are kept: ``ParquetFiles`` is one.
    ``most``: of more connections than these there is a summary and no rows.
    Damage does not raise: what was readable is told, and ``Reading.damage`` says where it ended.  Raises TulpenError
    where a source is no capture, OSError where it cannot be opened.
    """
    reading = Reading(into, most=most)
    single_pass = None if ladders is None else compiled(sources, way)
    if single_pass is not None:
        with _uncollected():
            files = single_pass(reading, cast("Sequence[str]", sources), policy or Policy(), progress)
            files.run()
            files.draw(ladders or ())
        return reading
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
