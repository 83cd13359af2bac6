"""The table of sockets as lines of text or as JSON: the same columns in the same order, whatever the rows hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from tulpen.errors import TulpenError
from tulpen.kernel import cells
from tulpen.kernel.texts import info_text, memory_text
from tulpen.kernel.view import View

_GAP: Final = "  "


class Column(NamedTuple):
    """One column: its title, whether numbers stand in it, its least width, and its cells for the selected rows."""

    key: str
    title: str
    right: bool
    width: int
    cells: Callable[[View], list[str]]
    order: Callable[[View], Sequence[Any]]  # what it is sorted by, a value for every row of the table


def columns(*, everywhere: bool, timers: bool, extended: bool, processes: bool) -> list[Column]:
    """Return the columns, those that were not asked for left out."""
    chosen = [_NETNS] if everywhere else []
    chosen += [_STATE, _RECV_Q, _SEND_Q, _DROPS, _LOCAL, _PEER]
    chosen += [_TIMER] if timers else []
    chosen += [_USER, _INODE, _COOKIE] if extended else []
    chosen += [_PROCESS] if processes else []
    return chosen


def lines(
    views: Sequence[View],
    shown: Sequence[Column],
    *,
    header: bool,
    memory: bool,
    info: bool,
    order: Sequence[int] | None = None,
    limit: int | None = None,
) -> Iterator[str]:
    """Yield the lines, in ``order``, so many at most; what ``memory`` and ``info`` bring stands under its row."""
    texts: list[list[str]] = [[] for _ in shown]
    for view in views:
        for each, mine in zip(shown, texts, strict=True):
            mine += each.cells(view)
    texts = [_ordered(mine, order, limit) for mine in texts]
    form = _form(shown, texts)
    if header:
        yield (form % tuple(column.title for column in shown)).rstrip()
    rows = zip(*texts, strict=True)
    if not (memory or info):
        yield from (line.rstrip() for line in map(form.__mod__, rows))
        return
    for row, more in zip(rows, _ordered(list(_more(views, memory=memory, info=info)), order, limit), strict=True):
        yield (form % row).rstrip()
        if more:
            yield f"    {more}"


def _ordered(texts: list[str], order: Sequence[int] | None, limit: int | None) -> list[str]:
    return texts[:limit] if order is None else [texts[place] for place in order[:limit]]


def _form(shown: Sequence[Column], texts: Sequence[Sequence[str]]) -> str:
    parts = []
    for each, mine in zip(shown, texts, strict=True):
        width = max(each.width, len(each.title), max(map(len, mine), default=0))
        parts.append(f"%{'' if each.right else '-'}{width}s")
    parts[-1] = "%s"
    return _GAP.join(parts)


def _more(views: Sequence[View], *, memory: bool, info: bool) -> Iterator[str]:
    for view in views:
        for row in view.rows:
            words = []
            if memory and (held := view.memory(row)) is not None:
                words.append(memory_text(held))
            if info:
                words.append(info_text(view.details[row]))
            yield " ".join(word for word in words if word)


def ranking(views: Sequence[View], by: Column, *, largest_first: bool) -> list[int]:
    """Return the places of the selected rows of all views, in the order of a column."""
    values: list[Any] = []
    for view in views:
        mine = by.order(view)
        values += [mine[row] for row in view.rows]
    return sorted(range(len(values)), key=values.__getitem__, reverse=largest_first)


_NETNS = Column("netns", "NETNS", False, 0, cells.namespaces, lambda view: [view.place] * len(view.table))
_STATE = Column("state", "STATE", False, 12, cells.states, lambda view: view.states)
_RECV_Q = Column("recv_q", "RECV-Q", True, 6, cells.numbers("receive_queues"), lambda view: view.receive_queues)
_SEND_Q = Column("send_q", "SEND-Q", True, 6, cells.numbers("send_queues"), lambda view: view.send_queues)
_DROPS = Column("drops", "DROPS", True, 5, cells.drops, cells.drop_numbers)
_LOCAL = Column("local", "LOCAL", False, 21, cells.local, cells.local_keys)
_PEER = Column("peer", "PEER", False, 21, cells.peer, cells.peer_keys)
_TIMER = Column("timer", "TIMER", False, 0, cells.timers, lambda view: view.expiries)
_USER = Column("user", "USER", False, 0, cells.users, lambda view: view.uids)
_INODE = Column("inode", "INODE", True, 0, cells.numbers("inodes"), lambda view: view.inodes)
_COOKIE = Column("cookie", "COOKIE", True, 0, cells.cookies, lambda view: view.cookies)
_PROCESS = Column("process", "PROCESS", False, 0, cells.processes, cells.processes_of_all)
_EVERY: Final = (
    _NETNS, _STATE, _RECV_Q, _SEND_Q, _DROPS, _LOCAL, _PEER, _TIMER, _USER, _INODE, _COOKIE, _PROCESS
)  # fmt: skip
SORTABLE: Final = tuple(column.key.replace("_", "-") for column in _EVERY)


def column(key: str) -> Column:
    """Return the column of that key, ``recv-q`` or ``recv_q``."""
    for each in _EVERY:
        if each.key == key.replace("-", "_"):
            return each
    raise TulpenError(f"there is no column {key!r}", f"there are {', '.join(SORTABLE)}")
