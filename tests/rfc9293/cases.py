"""One row per arrival: why, what arrives, what goes back, the state then, and the reason in the trace."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from tests.rfc9293.notation import End
from tulpen.tcp.state import State
from tulpen.tcp.trace import Reason


class Case(NamedTuple):
    arrives: str
    replies: list[str]
    then: State
    reason: Reason | None


def case(
    because: str, arrives: str, replies: list[str], then: State, reason: Reason | None = None, *requirements: str
) -> object:
    marks = [pytest.mark.requirement(name) for name in requirements]
    return pytest.param(Case(arrives, replies, then, reason), id=because.replace(" ", "-"), marks=marks)


def check(end: End, row: Case) -> None:
    before = len(end.reasons())
    assert end.arrives(row.arrives) == row.replies
    assert end.state is row.then
    assert end.reasons()[before:] == ([] if row.reason is None else [row.reason])
