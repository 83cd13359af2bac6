"""Parquet files of what is read, written as it goes, so that memory does not grow with the capture."""

from __future__ import annotations

import os
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, final

from tulpen.capture.arrow import arrow_columns, arrow_table, schema
from tulpen.capture.columns import TABLES
from tulpen.capture.extras import extra
from tulpen.errors import TulpenError

if TYPE_CHECKING:
    from types import TracebackType

    from tulpen.capture.reading import Columns
    from tulpen.capture.rows import Told

ROWS: Final = 16_384  # of a row group


@final
class ParquetFiles:
    """``connections.parquet``, ``moves.parquet`` and ``findings.parquet`` in a directory; call it with each connection.

    Files of these names are replaced when everything was read, and left as they were where reading fails.  Raises
    TulpenError where pyarrow is missing or the directory cannot be written.
    """

    __slots__ = ("_folder", "_new", "_open", "_rows", "_size", "_writers")

    def __init__(self, folder: str | os.PathLike[str], size: int = ROWS) -> None:
        self._folder = Path(folder)
        self._new = not self._folder.exists()
        self._size = size
        self._rows: dict[str, list[Any]] = {name: [] for name in TABLES}
        self._writers: dict[str, Any] = {}
        self._open = ExitStack()
        pq = extra("pyarrow.parquet", "--parquet")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            for name in TABLES:
                self._writers[name] = self._open.enter_context(
                    pq.ParquetWriter(self._unfinished(name), schema(name), compression="zstd")
                )
        except OSError as error:
            self._give_up()
            raise TulpenError(f"{self._folder}: {error.strerror or error}") from None

    def __call__(self, told: Told) -> None:
        """Take the rows of one connection."""
        self._take("connections", [told.connection])
        self._take("moves", told.moves)
        self._take("findings", told.findings)

    def take(self, columns: Columns) -> None:
        """Take connections whose rows need not be made."""
        for name, some in columns.tables().items():
            self._write(name)
            self._writers[name].write_table(arrow_columns(name, some), self._size)

    def __enter__(self) -> ParquetFiles:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._give_up()
            return
        for name in TABLES:
            self._write(name)
        self._open.close()
        for name in TABLES:
            self._unfinished(name).replace(self._folder / f"{name}.parquet")

    def _take(self, name: str, rows: list[Any]) -> None:
        waiting = self._rows[name]
        waiting += rows
        if len(waiting) >= self._size:
            self._write(name)

    def _write(self, name: str) -> None:
        if self._rows[name]:
            self._writers[name].write_table(arrow_table(name, self._rows[name]))
            self._rows[name] = []

    def _give_up(self) -> None:
        self._open.close()
        for name in self._writers:
            self._unfinished(name).unlink(missing_ok=True)
        if self._new:
            with suppress(OSError):  # it may be in use already
                self._folder.rmdir()

    def _unfinished(self, name: str) -> Path:
        return self._folder / f".{name}.{os.getpid()}.part"
