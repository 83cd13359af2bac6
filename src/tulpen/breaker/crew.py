"""Runs trials side by side in one loop, and leaves nothing behind, whatever happens."""

from __future__ import annotations

import select
import time
from collections import deque
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

MILLISECOND: Final = 1_000_000


class Trial(Protocol):
    """Something that goes on by turns until it is done."""

    @property
    def done(self) -> bool:
        """Whether its result is complete."""

    def polls(self) -> list[tuple[int, int]]:
        """Return the descriptors to wait for, and what for."""

    def deadline(self) -> int:
        """Return when the next turn is due, on the monotonic clock."""

    def turn(self) -> None:
        """Do what is to be done now, without waiting."""

    def close(self) -> None:
        """End everything that it began."""


T = TypeVar("T", bound=Trial)


def run(begin: Iterable[Callable[[], T]], jobs: int) -> Iterator[T]:
    """Begin trials, ``jobs`` at a time, and give each when it is done; closed by then, and if anything fails."""
    waiting = deque(begin)
    running: list[T] = []
    try:
        while waiting or running:
            if waiting and len(running) < jobs:
                running.append(waiting.popleft()())
            for trial in _turn(running, idle=not waiting or len(running) >= jobs):
                running.remove(trial)
                trial.close()
                yield trial
    finally:
        for trial in running:
            trial.close()


def _turn(trials: list[T], *, idle: bool) -> list[T]:
    """Wait until something is to be done, do it, and return the trials that are done."""
    poll = select.poll()
    owners: dict[int, T] = {}
    for trial in trials:
        for fd, events in trial.polls():
            poll.register(fd, events)
            owners[fd] = trial
    deadlines = {id(trial): trial.deadline() for trial in trials}
    first = min(deadlines.values(), default=0)
    wait = max(0, first - time.monotonic_ns()) if idle else 0
    due = {id(owners[fd]) for fd, _ in poll.poll(wait / MILLISECOND)}
    now = time.monotonic_ns()
    for trial in trials:
        if id(trial) in due or deadlines[id(trial)] <= now:
            trial.turn()
    return [trial for trial in trials if trial.done]
