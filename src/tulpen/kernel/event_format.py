"""What an event of a tracepoint looks like in the ring buffer, as its ``format`` file says.

No offset is known beforehand: kernels move, add and drop fields.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

_NAME: Final = re.compile(r"^name: (\S+)", re.MULTILINE)
_ID: Final = re.compile(r"^ID: (\d+)", re.MULTILINE)
_FIELD: Final = re.compile(r"^\s*field:([^;]*);\s*offset:(\d+);\s*size:(\d+);(?:\s*signed:(\d);)?", re.MULTILINE)
_DECLARED: Final = re.compile(r"(\w+)\s*(?:\[[^\]]*\])?\s*$")
_SYMBOLS: Final = re.compile(r"__print_symbolic\(REC->(\w+),((?:\s*\{[^{}]*\},?)+)\s*\)")
_SYMBOL: Final = re.compile(r'\{\s*(0x[0-9a-fA-F]+|\d+)\s*,\s*"([^"]*)"\s*\}')


class Field(NamedTuple):
    """Where a field stands in an event."""

    offset: int
    size: int
    signed: bool


class EventFormat(NamedTuple):
    """An event's number and fields; ``symbols`` are the names of a field's values, where the kernel gives them."""

    name: str
    id: int
    fields: dict[str, Field]
    symbols: dict[str, dict[int, str]]


class UnknownFormat(Exception):
    """A ``format`` file that says nothing we understand."""


def parse_format(text: str) -> EventFormat:
    """Return the event that ``text`` describes; raises UnknownFormat."""
    name, number = _NAME.search(text), _ID.search(text)
    fields = parse_fields(text)
    if name is None or number is None or not fields:
        raise UnknownFormat("no name, no number or no field")
    symbols = {
        found[1]: names
        for found in _SYMBOLS.finditer(text)
        if (names := {int(value, 0): word for value, word in _SYMBOL.findall(found[2])})
    }
    return EventFormat(name[1], int(number[1]), fields, symbols)


def parse_fields(text: str) -> dict[str, Field]:
    """Return the fields by name, of an event or of ``events/header_page``."""
    fields = {}
    for declared, offset, size, signed in _FIELD.findall(text):
        name = _DECLARED.search(declared)
        if name is not None:
            fields[name[1]] = Field(int(offset), int(size), signed == "1")
    return fields
