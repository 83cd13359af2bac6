"""Rows as Arrow's tables, which Parquet, DuckDB, pandas and polars all take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol, runtime_checkable

from tulpen.capture.columns import TABLES
from tulpen.capture.extras import extra
from tulpen.errors import TulpenError

LATEST: Final = (1 << 63) - 1  # nanoseconds that a timestamp holds: a damaged file may claim later ones


@runtime_checkable
class Text(Protocol):
    """A column of text that knows how to become Arrow's."""

    def arrow(self, kind: Any) -> Any:
        """Return it as a pyarrow.Array of this type."""


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


def arrow_columns(name: str, columns: Mapping[str, Any]) -> Any:
    """Return columns as a pyarrow.Table, as ``arrow_table`` does rows; a number that is NaN is null."""
    pa = extra("pyarrow", "Arrow")
    whole = schema(name)
    arrays = []
    for column, kind in zip(columns.values(), whole.types, strict=True):
        if isinstance(column, Text):
            arrays.append(column.arrow(kind))
        else:
            arrays.append(pa.array(column, from_pandas=True).cast(kind))
    return pa.Table.from_arrays(arrays, schema=whole)


def together(name: str, rows: Any, others: Sequence[Mapping[str, Any]]) -> Any:
    """Return a table with the rows of one and of columns, in the order of the connections' numbers."""
    pa = extra("pyarrow", "Arrow")
    whole = pa.concat_tables([rows, *(arrow_columns(name, each) for each in others)])
    numbers = whole.column("number" if name == "connections" else "connection").to_numpy()
    return whole.take(numbers.argsort(kind="stable"))
