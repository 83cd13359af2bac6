"""Choosing connections by SQL's words: DuckDB over the table of connections."""

from __future__ import annotations

from typing import Any, Final

from tulpen.capture.columns import CONNECTIONS
from tulpen.capture.extras import extra
from tulpen.errors import TulpenError

_QUOTED: Final = ("by", "end")  # reserved by SQL


def chosen(table: Any, where: str) -> frozenset[int]:
    """Return the numbers of the connections of a pyarrow.Table for which ``where``, the condition of a SELECT, holds.

    Raises TulpenError, with DuckDB's word and the columns there are, where it is no condition.
    """
    duckdb = extra("duckdb", "--where")
    with duckdb.connect(":memory:", config={"enable_external_access": "false"}) as database:
        database.register("connections", table)
        try:
            statements = database.extract_statements(f"SELECT number FROM connections WHERE (\n{where}\n)")
            if len(statements) != 1:
                raise TulpenError("--where takes one condition, not several statements", _columns())
            found = database.execute(statements[0]).fetchall()
        except duckdb.Error as error:
            words = " ".join(line for line in str(error).splitlines() if line.strip() and "^" not in line)
            raise TulpenError(f"--where: {words.strip()}", _columns()) from None
    return frozenset(number for (number,) in found)


def _columns() -> str:
    names = ", ".join(f'"{column.name}"' if column.name in _QUOTED else column.name for column in CONNECTIONS)
    return f'the columns are {names} ("by" and "end" in double quotes, text in single ones)'
