"""The table of transitions that may be seen from outside, and which of its rows explains a learnt one.

``transitions.csv`` has what RFC 9293 asks for (layer RFC), what it or a later RFC
permits (OPT) and what Linux does (LINUX).  A row that can be seen from outside names a
letter of the alphabet (``token``) and a pattern of the answer (``out``).
"""

from __future__ import annotations

import csv
import re
from functools import cache
from importlib import resources
from typing import Final, NamedTuple

from tulpen.learn.machine import Machine, Step
from tulpen.tcp.state import State

#: In the order in which an explanation is looked for.
LAYERS: Final = ("RFC", "OPT", "LINUX")
MEANING: Final = {"RFC": "RFC", "OPT": "permitted option", "LINUX": "Linux", "": "unexplained"}

_FILE: Final = "transitions.csv"
_ENDS: Final = frozenset({State.CLOSED.title, State.LISTEN.title})


class Row(NamedTuple):
    """One row of the table, its columns as they are in the file."""

    id: str
    layer: str
    state: str
    origin: str
    event: str
    segment: str
    guard: str
    action: str
    next: str
    edge: str
    ref: str
    token: str
    out: str
    note: str


class Explained(NamedTuple):
    """A learnt transition with the row that explains it; None if none does."""

    step: Step
    before: str
    after: str
    row: Row | None

    @property
    def kind(self) -> str:
        """RFC, permitted option, Linux or unexplained."""
        return MEANING[self.row.layer if self.row else ""]


@cache
def table() -> tuple[Row, ...]:
    """Return every row of the table."""
    text = resources.files("tulpen.learn").joinpath(_FILE).read_text(encoding="utf-8")
    return tuple(Row(**row) for row in csv.DictReader(text.splitlines()))


@cache
def _by_token() -> dict[tuple[str, str], tuple[tuple[Row, re.Pattern[str]], ...]]:
    found: dict[tuple[str, str], list[tuple[Row, re.Pattern[str]]]] = {}
    for layer in LAYERS:
        for row in table():
            if row.layer == layer and row.token and row.out:
                found.setdefault((row.state, row.token), []).append((row, re.compile(row.out)))
    return {key: tuple(rows) for key, rows in found.items()}


def explain(before: str, letter: str, answer: str, after: str) -> Row | None:
    """Return the row for a transition, the RFC's before what it permits, and that before Linux's."""
    for row, pattern in _by_token().get((before, letter), ()):
        if pattern.fullmatch(answer) and _leads_to(row, after):
            return row
    return None


def _leads_to(row: Row, after: str) -> bool:
    """Say whether a row leads there: behind a connection that ended its listener may still be seen."""
    return any(target == after or (target in _ENDS and after in _ENDS) for target in row.next.split("|"))


def explained(machine: Machine) -> list[Explained]:
    """Return every transition of a machine with its row."""
    result = []
    for step in machine.steps():
        before, after = machine.states[step.source], machine.states[step.target]
        result.append(Explained(step, before, after, explain(before, step.letter, step.answer, after)))
    return result
