"""Many captures, each by itself: tasks on an executor, and one answer whoever did them.

What one capture says depends on nothing but its octets, and the answers are put together in the order of the files.  So
neither the number of workers nor which of them is quicker changes anything.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tulpen.capture import pcap, pcapng
from tulpen.capture.frame import Damaged
from tulpen.capture.octets import Octets
from tulpen.capture.reading import Reading, read
from tulpen.capture.record import Damage
from tulpen.errors import TulpenError

if TYPE_CHECKING:
    from concurrent.futures import Executor, Future

    from tulpen.capture.policy import Policy
    from tulpen.capture.reader import Progress
    from tulpen.capture.reading import Sink
    from tulpen.show.ladder import Ladder

AHEAD: Final = 32  # tasks that may be done before the first of them is


def read_each(
    *sources: str | os.PathLike[str],
    executor: Executor | None = None,
    policy: Policy | None = None,
    progress: Progress | None = None,
    into: Sink | None = None,
) -> Reading:
    """Read every capture by itself, those of directories too, as tasks on ``executor`` (None: one after another).

    Connections are numbered through all files, in the order of their names; frames count in each file from 1.
    ``progress`` and ``into`` are as for ``read``.  A file that cannot be read is told of in ``Reading.damage``; what
    lies in a directory and is no capture is passed over.  Raises TulpenError where there is no capture at all.
    """
    files = captures(sources)
    if not files:
        raise TulpenError(f"there is no capture in {', '.join(os.fspath(source) for source in sources)}")
    reading = Reading(into)
    answers = map(one, files, [policy] * len(files)) if executor is None else _tasks(executor, files, policy)
    for answer in answers:
        reading.join(answer)
        if progress is not None:
            progress(reading.counts.frames, reading.counts.octets)
    return reading


def captures(sources: Iterable[str | os.PathLike[str]]) -> list[str]:
    """Return the files that are named, and the captures in and under the directories that are; each once."""
    found: dict[str, None] = {}
    for source in (os.fspath(each) for each in sources):
        inside = sorted(map(str, Path(source).rglob("*"))) if Path(source).is_dir() else None
        found.update(dict.fromkeys([source] if inside is None else filter(_is_capture, inside)))
    return list(found)


def one(file: str, policy: Policy | None = None) -> Reading:
    """Read one capture; what hinders that is a damage at its beginning."""
    try:
        return read(file, policy=policy)
    except (OSError, TulpenError) as error:
        reading = Reading()
        reading.begin(file)
        words = str(error.strerror if isinstance(error, OSError) and error.strerror else error)
        words = words.removeprefix(f"{file} ").removesuffix(", at byte 0")
        reading.damage.append(Damage(reading.names[0], words, 0))
        return reading


def draw(reading: Reading, numbers: Iterable[int], policy: Policy | None = None) -> dict[int, Ladder]:
    """Read the files of some connections again, and return their ladders by their numbers."""
    wanted: dict[str, dict[int, int]] = {}  # of each file: from its own numbers to those of the reading
    for number in numbers:
        file, own = reading.place(number)
        wanted.setdefault(file, {})[own] = number
    ladders = {}
    for file, named in wanted.items():
        again = read(file, policy=policy, ladders=named)
        ladders.update({named[own]: drawn for own, drawn in again.ladders.items()})
    return ladders


def _tasks(executor: Executor, files: list[str], policy: Policy | None) -> Iterator[Reading]:
    left = iter(files)
    waiting: deque[Future[Reading]] = deque(executor.submit(one, file, policy) for file in islice(left, AHEAD))
    try:
        while waiting:
            answer = waiting.popleft().result()
            waiting.extend(executor.submit(one, file, policy) for file in islice(left, 1))
            yield answer
    finally:
        for task in waiting:
            task.cancel()


def _is_capture(path: str) -> bool:
    if not Path(path).is_file():
        return False
    try:
        with Octets(path) as octets:
            magic = octets.take(4)
    except (OSError, Damaged, TulpenError):
        return path.endswith((".pcap", ".pcapng", ".cap"))  # then it is told what is wrong with it
    return magic == pcapng.MAGIC or bool(pcap.order_of(magic))
