"""From plain connections to what is told of them: columns at once for all, rows only where somebody asks for them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Final, NamedTuple, final

import numpy as np
from numpy.typing import NDArray

from tulpen.capture.extras import extra
from tulpen.capture.quick.exact import layers_of, octets_of
from tulpen.capture.quick.sentences import PLACES, Sentences
from tulpen.capture.quick.shapes import Shapes, Template
from tulpen.capture.record import Connection, Finding, Move
from tulpen.capture.rows import Told
from tulpen.capture.summary import WEIGHED, WORST
from tulpen.wire.address import text

if TYPE_CHECKING:
    from tulpen.capture.summary import Summary

_SHAPES: Final = Shapes()  # of every reading in this process: a word means the same in all


class Words(NamedTuple):
    """A column of text, of which few are different."""

    values: Sequence[str]
    which: NDArray[Any]

    def listed(self) -> list[str]:
        """Return the text of every row."""
        return list(map(self.values.__getitem__, self.which.tolist()))

    def arrow(self, kind: Any) -> Any:
        """Return it as a pyarrow.Array of this type."""
        pa = extra("pyarrow", "Arrow")
        return pa.array(self.values, kind).take(pa.array(self.which))


Column = NDArray[Any] | Words | Sentences


@final
class Answers:
    """What is told of some plain connections.

    ``words``: of each shape that ``rows`` (PLAIN) has, its letters; ``numbers``: of the connections;
    ``files``: the names of the captures and the first frame of each.
    """

    __slots__ = ("_files", "_words", "numbers", "rows")

    def __init__(
        self,
        rows: NDArray[Any],
        numbers: NDArray[Any],
        words: dict[int, tuple[int, ...]],
        files: Sequence[tuple[str, int]] = (),
    ) -> None:
        self.rows = rows
        self.numbers = numbers
        self._words = words
        self._files = tuple(files)

    def __len__(self) -> int:
        return len(self.rows)

    def count(self, summary: Summary) -> None:
        """Count the connections by their words, and show it the first of the worst."""
        templates, which = self._templates()
        for template, times in zip(templates, np.bincount(which, minlength=len(templates)).tolist(), strict=True):
            summary.count(template.row, times)
        for weight in WEIGHED:
            at = np.nonzero(np.array([each.row.worst == weight for each in templates], bool)[which])[0]
            first = at[np.argsort(self.numbers[at])[:WORST]]
            for rows in self.some(first).told() if len(first) else ():
                summary.keep(rows.connection)

    def numbered(self, numbers: Collection[int]) -> Answers:
        """Return those of these numbers."""
        return self.some(np.nonzero(np.isin(self.numbers, np.fromiter(numbers, np.int64, len(numbers))))[0])

    def moved(self, by: int) -> Answers:
        """Return them with numbers that are so much higher."""
        return Answers(self.rows, self.numbers + by, self._words, self._files)

    def some(self, at: NDArray[Any]) -> Answers:
        """Return those at some places."""
        return Answers(self.rows[at], self.numbers[at], self._words, self._files)

    def told(self) -> Iterator[Told]:
        """Return the rows of every connection."""
        moves: dict[int, list[Move]] = {number: [] for number in self.numbers.tolist()}
        for move in _made(Move, self.moves()):
            moves[move.connection].append(move)
        for row in _made(Connection, self.connections()):
            yield Told(row, moves[row.number], [])

    def tables(self) -> dict[str, dict[str, Column]]:
        """Return the columns of connections, moves and findings; of these there are none."""
        return {"connections": self.connections(), "moves": self.moves(), "findings": _none(Finding)}

    def connections(self) -> dict[str, Column]:
        """Return the columns of ``Connection``."""
        rows, templates, which = self.rows, *self._templates()
        client = _of(templates, which, lambda each: each.client)
        server = 1 - client
        every = np.arange(len(rows))
        addresses, of = _addresses(rows)
        place = rows["place"].astype(np.int64)
        place = np.where(place < 0, 0, np.where(place > 1, 3, np.where(place == client, 1, 2)))
        tags, tagged = np.unique(rows["tags"], return_inverse=True)
        files = np.searchsorted([first for _, first in self._files], rows["first_frame"], "right") - 1
        rtts = [np.where(rows["rtt"] > 0, rows["rtt"] / 1e9, np.nan)[every, side] for side in (client, server)]
        halves = np.stack(rtts, axis=1)
        known = {
            "number": self.numbers,
            "file": Words([name for name, _ in self._files] or [""], np.maximum(files, 0)),
            "client": Words(addresses, of[every, client]),
            "client_port": rows["port"][every, client],
            "server": Words(addresses, of[every, server]),
            "server_port": rows["port"][every, server],
            "taken_at": Words(PLACES, place),
            "layers": Words([layers_of(each) for each in tags.tolist()], tagged),
            "vlan": rows["vlan"],
            "first_frame": rows["first_frame"],
            "last_frame": rows["last_frame"],
            "start": rows["start"],
            "end": rows["last_when"],
            "duration": (rows["last_when"] - rows["start"]) / 1e9,
            "opened_frame": self._frames(_of(templates, which, lambda each: each.opened_at)),
            "ended_frame": self._frames(_of(templates, which, lambda each: each.ended_at)),
            "idle": np.where(_of(templates, which, lambda each: each.idle), rows["idle"] / 1e9, 0.0),
            "client_packets": rows["packets"][every, client],
            "server_packets": rows["packets"][every, server],
            "client_bytes": rows["bytes"][every, client],
            "server_bytes": rows["bytes"][every, server],
            "rtt": np.where(np.isnan(halves).all(axis=1), np.nan, np.nansum(halves, axis=1)),
            "client_rtt": rtts[1],
            "server_rtt": rtts[0],
        }
        columns = {each.name: known.get(each.name) for each in fields(Connection)}
        for name, column in columns.items():
            if column is None and name != "why":
                columns[name] = _same(templates, which, name)
        columns["why"] = Sentences(templates, which, place, columns)
        return columns  # type: ignore[return-value]

    def moves(self) -> dict[str, Column]:
        """Return the columns of ``Move``, by connection and time."""
        rows, templates, which = self.rows, *self._templates()
        stages = [stage for each in templates for stage in each.moves]
        counts = np.array([len(each.moves) for each in templates], np.int64)
        begins = np.concatenate(([0], np.cumsum(counts)))[:-1]
        times = counts[which]
        of = np.repeat(np.arange(len(rows)), times)
        stage = np.arange(len(of)) - np.repeat(np.cumsum(times) - times, times) + np.repeat(begins[which], times)

        def column(value: Callable[[Any], Any], kind: Any = np.int64) -> NDArray[Any]:
            values: NDArray[Any] = np.array([value(each) for each in stages], kind)[stage]
            return values

        clients = [each.client for each in templates for _ in each.moves]
        ends = np.array([each.side != client for each, client in zip(stages, clients, strict=True)], np.int64)[stage]
        frame = _letters(rows["frame"], of, column(lambda each: each.frame))
        when = _letters(rows["when"], of, column(lambda each: each.when))
        proof = _letters(rows["frame"], of, column(lambda each: each.proof))
        order = _in_time(of, when, frame)
        columns: dict[str, Column] = {
            "connection": self.numbers[of][order],
            "end": Words(("client", "server"), ends[order]),
            "frame": frame[order],
            "when": when[order],
        }
        for name in ("source", "event", "target", "known"):
            columns[name] = Words([getattr(each, name) for each in stages], stage[order])
        columns["proof"] = proof[order]
        return columns

    def _template(self, shape: int) -> Template:
        return _SHAPES.template(_SHAPES.number(self._words[shape]))

    def _templates(self) -> tuple[list[Template], NDArray[Any]]:
        shapes, which = np.unique(self.rows["shape"], return_inverse=True)
        return [self._template(shape) for shape in shapes.tolist()], which

    def _frames(self, letters: NDArray[Any]) -> NDArray[Any]:
        return _letters(self.rows["frame"], np.arange(len(self.rows)), letters)


def _made(record: Callable[..., Any], columns: dict[str, Column]) -> Iterator[Any]:
    """Return rows of columns, None where a number is not known."""
    values = [
        column.tolist() if isinstance(column, np.ndarray) and column.dtype != np.float64 else _listed(column)
        for column in columns.values()
    ]
    return map(record, *values)


def _listed(column: Column) -> list[Any]:
    if isinstance(column, np.ndarray):
        return [None if value != value else value for value in column.tolist()]  # noqa: PLR0124 (NaN)
    return column.listed()


def _letters(values: NDArray[Any], of: NDArray[Any], letters: NDArray[Any]) -> NDArray[Any]:
    """Return the frames or times of letters, one of each row that ``of`` names; 0 where the letter is -1."""
    return np.where(letters < 0, 0, values[of, np.maximum(letters, 0)])


def _of(templates: Sequence[Template], which: NDArray[Any], value: Callable[[Template], int]) -> NDArray[Any]:
    values: NDArray[Any] = np.array([value(each) for each in templates], np.int64)[which]
    return values


def _same(templates: Sequence[Template], which: NDArray[Any], name: str) -> Column:
    """Return a column that is the same for all of one shape."""
    values = [getattr(each.row, name) for each in templates]
    return Words(values, which) if not values or isinstance(values[0], str) else np.array(values)[which]


def _addresses(rows: NDArray[Any]) -> tuple[list[str], NDArray[Any]]:
    """Return the addresses as text, and which of them each end of each connection has."""
    both = np.zeros(2 * len(rows), [("high", "u8"), ("low", "u8"), ("six", "u1")])
    both["high"], both["low"] = rows["address"][:, :, 0].ravel(), rows["address"][:, :, 1].ravel()
    both["six"] = np.repeat(rows["six"], 2)
    order = np.lexsort((both["low"], both["high"], both["six"]))
    first = np.ones(len(both), bool)
    first[1:] = both[order][1:] != both[order][:-1]
    which = np.empty(len(both), np.int64)
    which[order] = np.cumsum(first) - 1
    known = [text(octets_of((high, low), six=bool(six))) for high, low, six in both[order][first].tolist()]
    return known, which.reshape(-1, 2)


def _in_time(of: NDArray[Any], when: NDArray[Any], frame: NDArray[Any]) -> NDArray[Any]:
    """Return their order by connection, time and frame; mostly it is that of the letters already."""
    same = of[1:] == of[:-1]
    late = (when[1:] < when[:-1]) | ((when[1:] == when[:-1]) & (frame[1:] < frame[:-1]))
    order: NDArray[Any] = np.lexsort((frame, when, of)) if (same & late).any() else np.arange(len(of))
    return order


def _none(record: Any) -> dict[str, Column]:
    return {each.name: Words((), np.zeros(0, np.int64)) for each in fields(record)}
