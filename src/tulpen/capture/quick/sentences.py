"""The sentences of many connections at once: ``why`` makes one a shape, with marks where its connections differ."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, final

import numpy as np

from tulpen.capture.extras import extra
from tulpen.capture.tables import endpoint
from tulpen.capture.why import seconds, why

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tulpen.capture.quick.shapes import Template

CLIENT, SERVER, OPENED, ENDED, IDLE = "\1", "\2", "\3", "\4", "\5"
_MARKS: Final = re.compile(f"([{CLIENT}-{IDLE}])")
_LONG: Final = 1e9  # seconds of silence that no capture has
PLACES: Final = ("", "client", "server", "between")


@final
class Sentences:
    """The column ``why``: the shape of each connection, where it was captured, and what is put in for the marks."""

    __slots__ = ("_columns", "_places", "_templates", "_which")

    def __init__(
        self, templates: Sequence[Template], which: NDArray[Any], places: NDArray[Any], columns: dict[str, Any]
    ) -> None:
        self._templates = templates
        self._which = which
        self._places = places
        self._columns = columns

    def __len__(self) -> int:
        return len(self._which)

    def listed(self) -> list[str]:
        """Return the sentence of every row."""
        told = [""] * len(self)
        for at, parts in self._alike():
            values = [[part] * len(at) if isinstance(part, str) else part for part in parts]
            for place, words in zip(at.tolist(), zip(*values, strict=True), strict=True):
                told[place] = "".join(words)
        return told

    def arrow(self, kind: Any) -> Any:
        """Return them as a pyarrow.Array of this type."""
        pa, pc = extra("pyarrow", "Arrow"), extra("pyarrow.compute", "Arrow")
        told, order = [], [np.zeros(0, np.int64)]
        for at, parts in self._alike():
            columns = [pa.array([part] * len(at) if isinstance(part, str) else part, kind) for part in parts]
            told.append(pc.binary_join_element_wise(*columns, ""))
            order.append(at)
        back = np.argsort(np.concatenate(order))
        return pa.chunked_array(told, kind).take(pa.array(back)).combine_chunks()

    def _alike(self) -> Iterator[tuple[NDArray[Any], list[str | list[str]]]]:
        """Give the places of those whose sentences differ by their marks alone, and the parts of these."""
        idle = self._columns["idle"] >= 1
        kind = (self._which * len(PLACES) + self._places) * 2 + idle
        order = np.argsort(kind, kind="stable")
        begins = np.nonzero(np.diff(kind[order], prepend=-1))[0]
        for at in np.split(order, begins)[1:]:
            each = int(kind[at[0]])
            shape, place = divmod(each // 2, len(PLACES))
            sentence = _sentence(self._templates[shape], PLACES[place], silent=bool(each % 2))
            parts = [part for part in _MARKS.split(sentence) if part]
            yield at, [self._values(part, at) if _MARKS.match(part) else part for part in parts]

    def _values(self, mark: str, at: NDArray[Any]) -> list[str]:
        if mark in (CLIENT, SERVER):
            name = "client" if mark == CLIENT else "server"
            addresses, ports = self._columns[name], self._columns[f"{name}_port"]
            return [
                endpoint(addresses.values[which], port)
                for which, port in zip(addresses.which[at].tolist(), ports[at].tolist(), strict=True)
            ]
        if mark == IDLE:
            return list(map(seconds, self._columns["idle"][at].tolist()))
        return list(map(str, self._columns["opened_frame" if mark == OPENED else "ended_frame"][at].tolist()))


def _sentence(template: Template, place: str, *, silent: bool) -> str:
    """Return the sentence of a shape with its marks."""
    opened: Any = OPENED
    ended: Any = ENDED if template.ended_at >= 0 else 0
    row = replace(
        template.row, client=CLIENT, client_port=0, server=SERVER, server_port=0, taken_at=place, opened_frame=opened,
        ended_frame=ended, idle=_LONG if silent else 0.0,
    )  # fmt: skip
    told = why(template.talk, template.opened, template.ended, row)
    return told.replace(endpoint(CLIENT, 0), CLIENT).replace(endpoint(SERVER, 0), SERVER).replace(seconds(_LONG), IDLE)
