"""One large capture as tasks, whose answer is one, whoever did them and however many there are.

First each reads a range of the file, and writes what it finds of every part of the pairs of addresses to a folder that
all workers see; then each follows what all ranges have of one part.  What cannot be read from its middle is not cut in
ranges: then every task reads all, and follows what is in its part.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

import numpy as np

from tulpen.capture.dissect import Dissector
from tulpen.capture.frame import Damaged, Frame
from tulpen.capture.octets import Octets
from tulpen.capture.policy import Policy
from tulpen.capture.quick.flows import Flows
from tulpen.capture.quick.layout import PLACE, PLAIN
from tulpen.capture.quick.segments import Part, Segments, late_segments
from tulpen.capture.quick.segments import ranges as cut
from tulpen.capture.quick.shapes import Shapes
from tulpen.capture.quick.shares import LATE, Batch, Share, Shares
from tulpen.capture.quick.single_pass import SinglePass, Tally, tell_rest
from tulpen.capture.reading import Reading
from tulpen.capture.record import Counts, Damage
from tulpen.capture.seen import Seen

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from numpy.typing import NDArray

    from tulpen.capture.reading import Sink
    from tulpen.capture.rows import Told

Answer = TypeVar("Answer")

TRIES: Final = 100


class Dissected(NamedTuple):
    """What one range has, but for its segments."""

    counts: Counts
    passed: Counter[str]
    late: list[Frame]
    damage: Damage | None


class Followed(NamedTuple):
    """What one task found."""

    plain: NDArray[Any]  # PLAIN
    words: list[tuple[int, ...]]  # by the shapes of these
    told: list[Told]
    wrong: int
    tally: Tally | None  # None: it was counted where the ranges were read


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

    def followed(self, shapes: Shapes, wrong: int, tally: Tally | None = None) -> Followed:
        """Return it as what a task found."""
        words = [shapes.word(shape) for shape in range(len(shapes))]
        return Followed(np.concatenate([*self.plain, np.zeros(0, PLAIN)]), words, self.told, wrong, tally)


def read_divided(
    *paths: str | os.PathLike[str],
    executor: Executor,
    parts: int,
    ranges: int | None = None,
    scratch: str | os.PathLike[str] | None = None,
    policy: Policy | None = None,
    into: Sink | None = None,
    most: int | None = None,
) -> Reading:
    """Read files as one, as ``read`` does, as tasks on an executor whose workers see the files, too.

    ``parts``: of the pairs of addresses, each followed by itself.  ``ranges``: of a file (None: as many).
    ``scratch``: a folder that all workers see, where segments wait, 120 octets each (None: that of temporary files).
    Several files, and one that is packed, are not cut in ranges.  Raises what ``read`` raises, TulpenError where
    workers cannot write to the folder.
    """
    reading, policy = Reading(into, most=most), policy or Policy()
    single = SinglePass(reading, paths, policy)
    names = [os.fspath(path) for path in paths]
    pieces = cut(names[0], ranges or parts) if len(names) == 1 else []
    if len(pieces) < 2:
        every = [(names, policy, part, parts) for part in range(parts)]
        single.put_together(_answers(executor, follow_part, every))
        return reading
    with _folder(scratch) as folder:
        each = [(names[0], piece, folder, number, parts) for number, piece in enumerate(pieces)]
        single.tally.take(_joined(names[0], _answers(executor, dissect_range, each), folder, parts))
        shares = [(names[0], policy, folder, len(pieces), part) for part in range(parts)]
        single.put_together(_answers(executor, follow_share, shares))
    return reading


def follow_part(paths: Sequence[str], policy: Policy, part: int, parts: int) -> Followed:
    """Read all, and follow one part of the pairs of addresses."""
    single, found = SinglePass(Reading(), paths, policy), Collected()
    single.follow_part(part, parts, found, limited=False)
    return found.followed(single.shapes, single.wrong, single.tally)


def dissect_range(path: str, piece: Part, folder: str, number: int, parts: int) -> Dissected:
    """Read one range, and write its segments to files of the folder."""
    damage = None
    with Octets(path) as octets, Shares(folder, str(number), parts) as shares:
        segments = Segments(octets, piece)
        try:
            for rows in segments:
                shares.put(Batch(rows, segments.places(len(rows)), segments.told))
        except Damaged as found:
            damage = Damage(octets.name, found.what, found.offset)
    return Dissected(segments.counts, segments.passed, segments.late, damage)


def follow_share(path: str, policy: Policy, folder: str, ranges: int, part: int) -> Followed:
    """Follow what the ranges have of one part."""
    share, shapes, found = Share(path, folder, ranges, part), Shapes(), Collected()
    flows = Flows(policy, shapes)
    for rows, _ in share.visit():
        flows.take(rows)
        for plain in flows.given():
            found.take(plain)
    wrong = tell_rest(flows, policy, found, share.visit)
    return found.followed(shapes, wrong)


def _answers(executor: Executor, does: Callable[..., Answer], work: Iterable[tuple[Any, ...]]) -> Iterator[Answer]:
    """Yield what is done with each, in their order."""
    tasks = [executor.submit(does, *each) for each in work]
    try:
        for task in tasks:
            yield task.result()
    finally:
        for task in tasks:
            task.cancel()


def _joined(path: str, ranges: Iterable[Dissected], folder: str, parts: int) -> Tally:
    """Count what all ranges have together, and write what their fragments of IP make."""
    tally, late, dissector = Tally(), [], Dissector()
    tally.begin(path)
    for each in ranges:
        tally.join(each.counts)
        tally.passed.update(each.passed)
        tally.damage += [each.damage] if each.damage is not None else []
        late += each.late
    seen, rows = late_segments(late, dissector)
    tally.passed.update(dissector.passed)
    tally.counts.segments += sum(isinstance(each, Seen) for each in seen)
    with Shares(folder, LATE, parts) as shares:
        shares.put(Batch(rows, np.zeros(len(rows), PLACE), dict(enumerate(seen))))
    return tally


@contextmanager
def _folder(scratch: str | os.PathLike[str] | None) -> Iterator[str]:
    """Give a new folder, which is removed afterwards."""
    folder = tempfile.mkdtemp(prefix="tulpen-", dir=scratch)
    try:
        yield os.path.abspath(folder)  # noqa: PTH100 (workers may stand elsewhere)
    finally:
        _remove(folder)


def _remove(folder: str) -> None:
    """Remove a folder in which a task may just begin; who interrupts that has to wait for it."""
    interrupt = None
    for _ in range(TRIES):
        try:
            shutil.rmtree(folder, ignore_errors=True)
            if not Path(folder).exists():
                break
        except KeyboardInterrupt as again:
            interrupt = again
    if interrupt is not None:
        raise interrupt
