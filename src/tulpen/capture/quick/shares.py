"""The segments of a capture on their way from those who read its ranges to those who follow its parts: in files.

A file has what one range holds of one part of the pairs of addresses; a last one what fragments of IP, which may lie in
different ranges, hold of it when put together.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final, NamedTuple, Self, final

import numpy as np

from tulpen.capture.dissect import Dissector
from tulpen.capture.frame import Frame
from tulpen.capture.quick.layout import PLACE, SEGMENT
from tulpen.capture.quick.pairs import parts_of
from tulpen.capture.seen import IcmpError, Seen
from tulpen.errors import TulpenError
from tulpen.wire.options import Options

if TYPE_CHECKING:
    from types import TracebackType

    from numpy.typing import NDArray

Exactly = Mapping[int, Seen | IcmpError]  # by rows

LATE: Final = "late"

# What there is of a ``Seen``, by position and by name, and of its options.
_SEGMENT: Final = ("frame", "when", "src", "dst", "sport", "dport", "seq", "ack", "flags", "wnd", "length")
_MORE: Final = ("urg", "ttl", "ident", "df", "ecn", "checksum", "layers", "vlan", "direction", "pieces")
_OPTIONS: Final = (
    "mss", "wscale", "sack_permitted", "tsval", "tsecr", "sack", "user_timeout", "fast_open", "fast_open_experimental",
    "acc_ecn", "others", "malformed", "md5", "authentication",
)  # fmt: skip


class Batch(NamedTuple):
    """Some rows in the order of their frames, and where these lie."""

    rows: NDArray[Any]  # SEGMENT
    places: NDArray[Any]  # PLACE
    told: Exactly  # of rows whose frames alone do not tell it


@final
class Shares:
    """Takes the rows of one range, and writes them to a file for each part.  Raises TulpenError where it cannot."""

    def __init__(self, folder: str, name: str, parts: int) -> None:
        with ExitStack() as opened, _refused(folder):
            self._files = [opened.enter_context(_file(folder, name, part).open("wb")) for part in range(parts)]
            self._closing = opened.pop_all()
        self._folder = folder

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with _refused(self._folder):
            self._closing.close()

    def put(self, batch: Batch) -> None:
        """Write what every part has of it."""
        which = parts_of(batch.rows, len(self._files))
        for part, file in enumerate(self._files):
            at = np.flatnonzero(which == part)
            if len(at):
                with _refused(self._folder):
                    _write(file, _some(batch, at))


@final
class Share:
    """What all ranges have of one part; ``visit`` gives it in the order of the frames, as often as is needed."""

    def __init__(self, path: str, folder: str, ranges: int, part: int) -> None:
        self._path = path
        self._files = [_file(folder, str(number), part) for number in range(ranges)]
        self._late = _file(folder, LATE, part)

    def visit(self) -> Iterator[tuple[NDArray[Any], Seer]]:
        """Yield arrays of SEGMENT, each with what sees its rows exactly until the next is asked for."""
        late = next(_batches(self._late), _none())
        with open(self._path, "rb") as capture:  # noqa: PTH123
            for batch in self._merged(late):
                yield batch.rows, Seer(capture, batch)

    def _merged(self, late: Batch) -> Iterator[Batch]:
        at, frames = 0, late.rows["frame"]
        for file in self._files:
            for batch in _batches(file):
                until = int(np.searchsorted(frames, batch.rows["frame"][-1]))
                yield _joined(batch, _some(late, np.arange(at, until))) if until > at else batch
                at = until
        if at < len(frames):
            yield _some(late, np.arange(at, len(frames)))


@final
class Seer:
    """Sees the rows of a batch as the exact Dissector does, from their frames in the capture."""

    __slots__ = ("_batch", "_capture", "_dissector")

    def __init__(self, capture: BinaryIO, batch: Batch) -> None:
        self._capture = capture
        self._batch = batch
        self._dissector = Dissector()

    def seen(self, at: int) -> Seen | IcmpError:
        """Return what is in row ``at``."""
        told = self._batch.told.get(at)
        if told is None:
            told = self._dissector.segment(self._frame(at))
            assert told is not None
        return told

    def _frame(self, at: int) -> Frame:
        row, place = self._batch.rows[at], self._batch.places[at]
        offset = int(row["offset"])
        self._capture.seek(offset)
        return Frame(
            int(row["frame"]), int(row["when"]), int(place["link"]), self._capture.read(int(place["size"])),
            int(place["length"]), offset, 0, int(place["interface"]),
        )  # fmt: skip


@contextmanager
def _refused(folder: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise TulpenError(
            f"segments cannot be written to {folder}: {error.strerror}",
            "give `scratch`, or TMPDIR where there is none, a folder with room that all workers see",
        ) from error


def _file(folder: str, name: str, part: int) -> Path:
    return Path(folder) / f"{name}.{part}"


def _write(file: BinaryIO, batch: Batch) -> None:
    told = {at: _packed(each) for at, each in batch.told.items()}
    pickle.dump((len(batch.rows), told), file, pickle.HIGHEST_PROTOCOL)
    file.write(batch.rows.view(np.uint8).data)
    file.write(batch.places.view(np.uint8).data)


def _batches(path: Path) -> Iterator[Batch]:
    with path.open("rb") as file:
        while file.peek(1):
            count, told = pickle.load(file)
            rows, places = np.empty(count, SEGMENT), np.empty(count, PLACE)
            file.readinto(rows.view(np.uint8).data)
            file.readinto(places.view(np.uint8).data)
            yield Batch(rows, places, {at: _unpacked(each) for at, each in told.items()})


def _packed(told: Seen | IcmpError) -> Any:
    """Return plain values, because what mypyc has compiled cannot be pickled."""
    if isinstance(told, IcmpError):
        return told
    return _values(told, _SEGMENT), _values(told, _MORE), _values(told.options, _OPTIONS)


def _values(record: Seen | Options, names: tuple[str, ...]) -> tuple[Any, ...]:
    return tuple(getattr(record, name) for name in names)


def _unpacked(packed: Any) -> Seen | IcmpError:
    if isinstance(packed, IcmpError):
        return packed
    segment, more, options = packed
    return Seen(*(*segment, Options(*options)), **dict(zip(_MORE, more, strict=True)))


def _none() -> Batch:
    return Batch(np.empty(0, SEGMENT), np.empty(0, PLACE), {})


def _some(batch: Batch, at: NDArray[Any]) -> Batch:
    told = batch.told and {new: batch.told[old] for new, old in enumerate(at.tolist()) if old in batch.told}
    return Batch(batch.rows[at], batch.places[at], told)


def _joined(one: Batch, other: Batch) -> Batch:
    """Return the rows of both in the order of their frames."""
    told = dict(one.told) | {len(one.rows) + at: seen for at, seen in other.told.items()}
    rows = np.concatenate([one.rows, other.rows])
    both = Batch(rows, np.concatenate([one.places, other.places]), told)
    return _some(both, np.argsort(rows["frame"], kind="stable"))
