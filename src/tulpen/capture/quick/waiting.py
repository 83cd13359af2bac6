"""What is told before its number is known: kept, in files where it is to be written anyway, or only counted."""

from __future__ import annotations

import pickle
import tempfile
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO, Final, cast, final

import numpy as np

from tulpen.capture.quick.answers import Answers
from tulpen.capture.quick.begun import Begun
from tulpen.capture.quick.layout import PLAIN
from tulpen.capture.summary import Summary

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tulpen.capture.reading import Reading
    from tulpen.capture.rows import Told

PLAIN_ROWS: Final = 32_768  # connections that are given on at once
TOLD_ROWS: Final = 2_048


@final
class Waiting:
    """Plain connections, and the rows of others.

    ``word``: the letters of a shape.  ``files``: their names, and the first frame of each, as far as they were read.
    ``most``: of more connections than these none are kept but the first of the worst.  ``spill``: they wait in files.
    """

    __slots__ = (
        "_begun", "_files", "_held", "_most", "_plain", "_plain_file", "_spill", "_summary", "_told", "_told_file",
        "_word", "count",
    )  # fmt: skip

    def __init__(
        self,
        word: Callable[[int], tuple[int, ...]],
        files: Sequence[tuple[str, int]],
        *,
        most: int | None = None,
        spill: bool = False,
    ) -> None:
        self._word = word
        self._files = files
        self._most = most
        self._spill = spill
        self._begun = Begun()
        self._summary: Summary | None = None  # of what is not kept; numbers are first frames
        self._plain: list[NDArray[Any]] = []
        self._held = 0  # connections in ``_plain``
        self._told: list[Told] = []
        self._plain_file: BinaryIO | None = None
        self._told_file: BinaryIO | None = None
        self.count = 0

    def take(self, rows: NDArray[Any]) -> None:
        """Take plain connections; the array may be used again."""
        self.count += len(rows)
        self._held += len(rows)
        self._plain.append(rows.copy())
        if self._held >= PLAIN_ROWS and (self._most is not None or self._spill):
            self._put_plain()

    def add(self, told: Told) -> None:
        """Take the rows of another connection."""
        self.count += 1
        row = told.connection
        row.file = self._files[max(bisect_right(self._files, row.first_frame, key=_first) - 1, 0)][0]
        self._told.append(told)
        if len(self._told) >= TOLD_ROWS and (self._most is not None or self._spill):
            self._put_told()

    def give(self, reading: Reading) -> None:
        """Give everything to a reading, with its numbers."""
        self._put_plain()
        self._put_told()
        if self._summary is not None:
            for row in self._summary.kept():
                row.number = self._number(row.first_frame)
            reading.summary.join(self._summary)
            return
        for told in self._all_told():
            reading.add(_numbered(told, self._number(told.connection.first_frame)))
        for rows in self._all_plain():
            reading.add_columns(self._answers(rows, self._begun.numbers(rows["first_frame"])))

    def close(self) -> None:
        """Let go of the files."""
        for file in (self._plain_file, self._told_file):
            if file is not None:
                file.close()

    def _number(self, first_frame: int) -> int:
        return int(self._begun.numbers(np.array([first_frame]))[0])

    def _put_plain(self) -> None:
        """Count what is not to be kept, write what is to wait in a file."""
        if not self._plain:
            return
        rows = np.concatenate(self._plain)
        self._plain, self._held = [rows], len(rows)
        self._begun.add(rows["first_frame"])
        if self._counts_only():
            assert self._summary is not None
            self._answers(rows, rows["first_frame"]).count(self._summary)
        elif self._spill:
            if self._plain_file is None:
                self._plain_file = _nameless()
            self._plain_file.write(rows.data)
        else:
            return
        self._plain, self._held = [], 0

    def _put_told(self) -> None:
        if not self._told:
            return
        self._begun.add(np.array([told.connection.first_frame for told in self._told], np.int64))
        if self._counts_only():
            assert self._summary is not None
            for told in self._told:
                told.connection.number = told.connection.first_frame
                self._summary.take(told.connection)
        elif self._spill:
            if self._told_file is None:
                self._told_file = _nameless()
            pickle.dump(self._told, self._told_file, pickle.HIGHEST_PROTOCOL)
        else:
            return
        self._told = []

    def _counts_only(self) -> bool:
        if self._summary is None and self._most is not None and self.count > self._most:
            self._summary = Summary()
        return self._summary is not None

    def _all_plain(self) -> Iterator[NDArray[Any]]:
        yield from self._plain
        if self._plain_file is not None:
            self._plain_file.seek(0)
            while octets := self._plain_file.read(PLAIN_ROWS * PLAIN.itemsize):
                yield np.frombuffer(octets, PLAIN)

    def _all_told(self) -> Iterator[Told]:
        yield from self._told
        if self._told_file is not None:
            self._told_file.seek(0)
            while self._told_file.peek(1):  # type: ignore[attr-defined]
                yield from pickle.load(self._told_file)

    def _answers(self, rows: NDArray[Any], numbers: NDArray[Any]) -> Answers:
        words = {shape: self._word(shape) for shape in np.unique(rows["shape"]).tolist()}
        return Answers(rows, numbers, words, self._files)


def _first(file: tuple[str, int]) -> int:
    return file[1]


def _numbered(told: Told, number: int) -> Told:
    told.connection.number = number
    for move in told.moves:
        move.connection = number
    for finding in told.findings:
        finding.connection = number
    return told


def _nameless() -> BinaryIO:
    return cast("BinaryIO", tempfile.TemporaryFile())
