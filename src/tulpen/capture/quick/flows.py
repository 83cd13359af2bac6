"""Flows: connections followed in compiled code for as long as the exact reader would find nothing in them."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any, Final, final

import numpy as np
from numpy.typing import NDArray

from tulpen.capture.hosts import Facts
from tulpen.capture.policy import SILENCE, Checksums, Policy
from tulpen.capture.quick.following import finish, follow, sweep
from tulpen.capture.quick.layout import ODD, PLAIN
from tulpen.capture.quick.names import NOBODY, find_anew, remember_all
from tulpen.capture.quick.neighbours import listen_anew
from tulpen.capture.quick.shapes import Shapes
from tulpen.capture.quick.state import (
    ALWAYS,
    COOKIES,
    COUNTS,
    DONE,
    END,
    FLIGHT,
    FLIGHT_FULL,
    FLOW,
    FLOWS,
    FLOWS_FULL,
    FREE_FLIGHT,
    FREE_FLOW,
    IN_USE,
    LATEST,
    LEARN,
    LISTENER,
    LISTENERS_FULL,
    NEVER,
    ODD_FULL,
    ODDS,
    ONCE_RIGHT,
    PAIR,
    PAIRS,
    PASTS,
    PLAIN_FULL,
    PLAINS,
    RUN,
    RUNS,
    RUNS_FULL,
    RUNS_GONE,
    Memory,
    Rules,
)  # fmt: skip
from tulpen.capture.quick.watch import Left

FIRST: Final = 4096  # records of each kind
ROWS: Final = 8192  # of PLAIN, given at once

_DROPS: Final = {Checksums.AUTO: ONCE_RIGHT, Checksums.STRICT: ALWAYS, Checksums.IGNORE: NEVER}


@final
class Flows:
    """Takes arrays of ``SEGMENT`` in the order of their frames; gives ``PLAIN`` for each plain connection.

    What is not plain is ``left`` to the exact reader.
    """

    __slots__ = ("_facts", "_memory", "_more", "_odd", "_pairs", "_plain", "_rules", "_table", "shapes")

    def __init__(self, policy: Policy | None = None, shapes: Shapes | None = None) -> None:
        policy = policy or Policy()
        self.shapes = shapes or Shapes()
        self._facts = Facts()
        idle = min(int(policy.idle * 1e9), np.iinfo(np.int64).max)
        self._rules = Rules(_DROPS[policy.checksums], policy.vlans, idle, secrets.randbits(31))
        self._memory = _empty()
        self._table = self.shapes.table()
        self._plain: list[NDArray[Any]] = []
        self._odd: list[NDArray[Any]] = []
        self._pairs: list[NDArray[Any]] = []
        self._more = {
            FLIGHT_FULL: self._more_flight,
            LISTENERS_FULL: self._more_listeners,
            RUNS_FULL: self._more_runs,
            ODD_FULL: self._more_odd,
            PLAIN_FULL: self._put_by,
        }

    @property
    def open(self) -> int:
        """How many names are followed."""
        return int(self._memory.count[IN_USE])

    @property
    def left(self) -> Left:
        """What is left to the exact reader, once all segments were taken."""
        self._more_odd()
        pairs = np.unique(np.concatenate([*self._pairs, np.empty(0, PAIR)]))
        return Left(np.concatenate([*self._odd, np.empty(0, ODD)]), pairs, self._facts)

    def take(self, segments: NDArray[Any]) -> None:
        """Take the next segments."""
        at, why = 0, LEARN
        while why != DONE:
            at, why, shape, letter = follow(segments, at, self._memory, self._table, self._rules)
            if why == LEARN:
                self.shapes.learn(shape, letter)
                self._table = self.shapes.table()
            elif why == FLOWS_FULL:
                self._sweep(min(int(self._memory.count[LATEST]), int(segments[at]["when"])))
            elif why != DONE:
                self._more[why]()

    def done(self) -> NDArray[Any]:
        """Return the plain connections that are over and forgotten, and not given before, as ``PLAIN``."""
        self._put_by()
        rows = self._plain[0] if len(self._plain) == 1 else np.concatenate([np.empty(0, PLAIN), *self._plain])
        self._plain.clear()
        return rows

    def finish(self) -> Iterator[NDArray[Any]]:
        """No more segments come: give every plain connection that was not given before."""
        at = 0
        while at < self._memory.count[FLOWS]:
            at = finish(self._memory, self._table, at)
            self._make_room()
            if self._plain:
                yield self.done()

    def _sweep(self, now: int) -> None:
        """Forget what is past; if that is less than half, make room for more."""
        at, memory = 0, self._memory
        while at < memory.count[FLOWS]:
            at = sweep(memory, self._table, now - SILENCE, at)
            self._make_room()
            memory = self._memory
        flows, ends = memory.flows, memory.ends
        if 2 * memory.count[IN_USE] > len(flows):
            flows, ends = _longer(flows), _longer(ends)
        self._memory = memory._replace(flows=flows, ends=ends, slots=np.zeros(2 * len(flows), np.uint64))
        find_anew(self._memory)

    def _make_room(self) -> None:
        self._put_by()
        self._more_odd()
        past = self._memory.past
        if 4 * self._memory.count[PASTS] > len(past):
            self._memory = self._memory._replace(past=np.zeros(4 * len(past), np.uint64))
            remember_all(past, self._memory.past)

    def _put_by(self) -> None:
        count = self._memory.count
        if count[PLAINS]:
            self._plain.append(self._memory.plain[: count[PLAINS]].copy())
            count[PLAINS] = 0

    def _more_flight(self) -> None:
        self._memory = self._memory._replace(flight=_longer(self._memory.flight))

    def _more_listeners(self) -> None:
        old = self._memory.listeners
        self._memory = self._memory._replace(listeners=np.zeros(2 * len(old), LISTENER))
        listen_anew(old, self._memory)

    def _more_runs(self) -> None:
        runs, count = self._memory.runs, self._memory.count
        recent = np.flatnonzero(runs["when"][: count[RUNS]] >= count[LATEST] - 2 * SILENCE)
        gone = int(recent[0]) if len(recent) else int(count[RUNS])
        if 2 * gone < len(runs):
            self._memory = self._memory._replace(runs=_longer(runs))
            return
        left = runs[gone : count[RUNS]].copy()
        runs[: len(left)] = left
        count[RUNS] = len(left)
        count[RUNS_GONE] += gone

    def _more_odd(self) -> None:
        """Take out what was found, and leave room for as much as one segment may bring."""
        memory, count = self._memory, self._memory.count
        self._odd.append(memory.odd[: count[ODDS]].copy())
        self._pairs.append(np.unique(memory.pairs[: count[PAIRS]]))
        self._facts.cookies.update(memory.cookies[: count[COOKIES]].tolist())
        count[ODDS] = count[PAIRS] = count[COOKIES] = 0
        if len(memory.odd) < 2 * len(memory.runs):
            room = 2 * len(memory.runs)
            self._memory = memory._replace(odd=np.empty(room, ODD), cookies=np.empty(room, np.int64))


def _longer(array: NDArray[Any]) -> NDArray[Any]:
    longer = np.empty(2 * len(array), array.dtype)
    longer[: len(array)] = array
    return longer


def _empty() -> Memory:
    count = np.zeros(COUNTS, np.int64)
    count[FREE_FLOW] = count[FREE_FLIGHT] = NOBODY
    return Memory(
        flows=np.empty(FIRST, FLOW),
        ends=np.empty(2 * FIRST, END),
        slots=np.zeros(2 * FIRST, np.uint64),
        flight=np.empty(FIRST, FLIGHT),
        listeners=np.zeros(FIRST, LISTENER),
        runs=np.empty(FIRST, RUN),
        odd=np.empty(2 * FIRST, ODD),
        past=np.zeros(FIRST, np.uint64),
        cookies=np.empty(2 * FIRST, np.int64),
        pairs=np.empty(FIRST, PAIR),
        plain=np.empty(ROWS, PLAIN),
        count=count,
    )
