"""The differences that are known, each with its explanation: ``known.csv``, or a file of the user's."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Final, NamedTuple

from tulpen.compare.sides import Difference, Said
from tulpen.errors import TulpenError

_COLUMNS: Final = ("id", "before", "letter", "tulpen", "linux", "rule", "why", "word")


class Known(NamedTuple):
    """A row: patterns of the state before, the letter, and what each says (``ANSWER STATE``)."""

    id: str
    before: re.Pattern[str]
    letter: re.Pattern[str]
    tulpen: re.Pattern[str]
    linux: re.Pattern[str]
    rule: str  # whose word it is
    why: str
    word: str  # a shortest one

    def explains(self, found: Difference) -> bool:
        """Say whether a difference is of this kind."""
        return (
            self.before.fullmatch(found.before) is not None
            and self.letter.fullmatch(found.letter) is not None
            and self.tulpen.fullmatch(_said(found.one)) is not None
            and self.linux.fullmatch(_said(found.other)) is not None
        )


def _said(said: Said) -> str:
    return f"{said.answer} {said.state}"


def known(path: Path | None = None) -> tuple[Known, ...]:
    """Read the rows.  Raises TulpenError where a file is no such table."""
    if path is None:
        text = resources.files("tulpen.compare").joinpath("known.csv").read_text(encoding="utf-8")
    else:
        text = path.read_text(encoding="utf-8")
    reader = csv.DictReader(text.splitlines())
    if tuple(reader.fieldnames or ()) != _COLUMNS:
        raise TulpenError(f"{path}: its columns are not {','.join(_COLUMNS)}")
    try:
        return tuple(_row(row) for row in reader)
    except (re.error, TypeError) as error:
        raise TulpenError(f"{path}: {error}") from error


def _row(row: dict[str, str]) -> Known:
    before, letter, tulpen, linux = (re.compile(row[column]) for column in _COLUMNS[1:5])
    return Known(row["id"], before, letter, tulpen, linux, row["rule"], row["why"], row["word"])


def explain(found: Difference, rows: Sequence[Known]) -> Known | None:
    """Return the first row that explains a difference."""
    return next((row for row in rows if row.explains(found)), None)
