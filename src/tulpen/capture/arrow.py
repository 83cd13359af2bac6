"""Rows as Arrow's tables, which Parquet, DuckDB, pandas and polars all take."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from tulpen.capture.columns import TABLES
from tulpen.capture.extras import extra
from tulpen.errors import TulpenError

LATEST: Final = (1 << 63) - 1  # nanoseconds that a timestamp holds: a damaged file may claim later ones


def schema(name: str) -> Any:
    """Return the pyarrow.Schema of ``connections``, ``moves`` or ``findings``."""
    pa = extra("pyarrow", "Arrow")
    kinds = {
        "integer": pa.int64(),
        "number": pa.float64(),
        "number or null": pa.float64(),
        "text": pa.string(),
        "time": pa.timestamp("ns"),
        "list of integers": pa.list_(pa.int64()),
    }
    return pa.schema(
        [
            pa.field(
                column.name, kinds[column.kind], "null" in column.kind, {"meaning": column.meaning.replace("`", "")}
            )
            for column in columns_of(name)
        ]
    )


def columns_of(name: str) -> Sequence[Any]:
    """Return the columns of a table.  Raises TulpenError where there is none of that name."""
    if name not in TABLES:
        raise TulpenError(f"there is no table {name!r}", f"one of {', '.join(TABLES)}")
    return TABLES[name]


def arrow_table(name: str, rows: Sequence[object]) -> Any:
    """Return rows of one kind as a pyarrow.Table with the columns of ``name``; times are UTC, in nanoseconds."""
    pa = extra("pyarrow", "Arrow")
    whole = schema(name)
    arrays = []
    for column, kind in zip(columns_of(name), whole.types, strict=True):
        values = [getattr(row, column.name) for row in rows]
        if column.kind == "time":
            values = [min(value, LATEST) for value in values]
        arrays.append(pa.array(values, kind))
    return pa.Table.from_arrays(arrays, schema=whole)
