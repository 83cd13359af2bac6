"""One large capture as tasks: each follows a part of the pairs of addresses, and the answer is one, whoever did them.

Every task walks over the whole file, which is a small part of the work, and follows what is in its own part: so the
answer does not depend on how many parts there are, nor on the workers.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tulpen.capture.policy import Policy
from tulpen.capture.quick.layout import PLAIN
from tulpen.capture.quick.single_pass import SinglePass, Tally
from tulpen.capture.reading import Reading

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from numpy.typing import NDArray

    from tulpen.capture.reading import Sink
    from tulpen.capture.rows import Told


class Followed(NamedTuple):
    """What one task found."""

    plain: NDArray[Any]  # PLAIN
    words: list[tuple[int, ...]]  # by the shapes of these
    told: list[Told]
    wrong: int
    tally: Tally


class Collected:
    """What a part gives, as ``Waiting`` takes it."""

    def __init__(self) -> None:
        self.plain: list[NDArray[Any]] = []
        self.told: list[Told] = []

    def take(self, rows: NDArray[Any]) -> None:
        """Take plain connections."""
        self.plain.append(rows)

    def add(self, told: Told) -> None:
        """Take the rows of another connection."""
        self.told.append(told)


def read_divided(
    *paths: str | os.PathLike[str],
    executor: Executor,
    parts: int,
    policy: Policy | None = None,
    into: Sink | None = None,
    most: int | None = None,
) -> Reading:
    """Read files as one, as ``read`` does, in so many tasks on an executor whose workers see the files, too.

    Raises what ``read`` raises.
    """
    reading = Reading(into, most=most)
    single = SinglePass(reading, paths, policy or Policy())
    names = [os.fspath(path) for path in paths]
    tasks = [executor.submit(follow_part, names, policy or Policy(), part, parts) for part in range(parts)]
    try:
        single.put_together(task.result() for task in tasks)
    finally:
        for task in tasks:
            task.cancel()
    return reading


def follow_part(paths: Sequence[str], policy: Policy, part: int, parts: int) -> Followed:
    """Follow one part of the pairs of addresses."""
    single, found = SinglePass(Reading(), paths, policy), Collected()
    single.follow_part(part, parts, found, limited=False)
    plain = np.concatenate([*found.plain, np.zeros(0, PLAIN)])
    return Followed(plain, single.words, found.told, single.wrong, single.tally)
