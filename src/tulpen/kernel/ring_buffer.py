"""The pages of ftrace's ring buffer (``per_cpu/cpuN/trace_pipe_raw``), many at a time.

A page has a time, the length of what it holds, and events one after another, each with a
word of five bits of length and 27 of time since the one before (``events/header_event``).
Pages are independent of each other: with numpy the n-th events of all of them are found
at once, without it one after another.
"""

from __future__ import annotations

import struct
import sys
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tulpen.kernel.event_format import Field

    Longs = NDArray[np.int64]

_LARGEST: Final = 28  # type_len: up to here it is the length in words
_PADDING: Final = 29
_TIME_EXTEND: Final = 30
_TIME_STAMP: Final = 31
_DELTA_BITS: Final = 27
_POSITIVE: Final = (1 << 63) - 1  # what numpy's 64 bits take
_EPOCH: Final = ~((1 << 59) - 1)  # an absolute time has 59 bits; the others are the page's

_COMMIT: Final = (1 << 27) - 1
_MISSED: Final = 1 << 31  # events were lost before this page
_MISSED_STORED: Final = 1 << 30  # and their number stands behind the last event


class PageLayout(NamedTuple):
    """Where things stand in a page (``events/header_page``), and how large it is."""

    size: int
    time: int
    commit: int
    data: int


def page_layout(header: dict[str, Field], size: int) -> PageLayout:
    """Return the layout that the fields of ``header_page`` say; raises KeyError where one is missing."""
    return PageLayout(size, header["timestamp"].offset, header["commit"].offset, header["data"].offset)


def walk(view: memoryview, layout: PageLayout) -> tuple[list[int], list[int], int]:
    """Return the times and the offsets of all events of whole pages, in the order of the pages, and the number missed.

    An event's offset is that of its first field.  What is damaged ends its page.
    """
    times: list[int] = []
    offsets: list[int] = []
    missed = 0
    for start in range(0, len(view) - layout.size + 1, layout.size):
        missed += _walk_page(view, start, layout, times, offsets)
    return times, offsets, missed


def _walk_page(view: memoryview, start: int, layout: PageLayout, times: list[int], offsets: list[int]) -> int:
    now = _u64(view, start + layout.time)[0] & _POSITIVE
    (commit,) = _u32(view, start + layout.commit)
    at = start + layout.data
    end = min(at + (commit & _COMMIT), start + layout.size)
    missed = _missed(view, commit, end, start + layout.size)
    while at + 4 <= end:
        (header,) = _u32(view, at)
        kind, delta = _split(header)
        if 1 <= kind <= _LARGEST:
            now += delta
            times.append(now)
            offsets.append(at + 4)
            at += 4 + 4 * kind
            if at > end:
                del times[-1], offsets[-1]
            continue
        if at + 8 > end:
            break
        (array,) = _u32(view, at + 4)
        if kind == _TIME_EXTEND:
            now += (array << _DELTA_BITS) + delta
            now &= _POSITIVE
            at += 8
        elif kind == _TIME_STAMP:
            now = (now & _EPOCH & _POSITIVE) | (array << _DELTA_BITS) + delta
            at += 8
        else:
            if kind == _PADDING and not delta:
                break
            now += delta
            if kind == 0 and array >= 4 and at + 4 + array <= end:
                times.append(now)
                offsets.append(at + 8)
            at += 4 + max(array, 4)
            at = (at + 3) & ~3
    return missed


def _missed(view: memoryview, commit: int, end: int, limit: int) -> int:
    """Return how many events were lost before the page; 1 where it does not say."""
    if not commit & _MISSED:
        return 0
    if commit & _MISSED_STORED and end + 8 <= limit:
        return int(_u64(view, end)[0])
    return 1


def walk_bulk(pages: memoryview, layout: PageLayout) -> tuple[Longs, Longs]:
    """Do what ``walk`` does with numpy, and count no loss."""
    import numpy as np

    words = np.frombuffer(pages, np.uint32)
    base = np.arange(0, len(pages) - layout.size + 1, layout.size, dtype=np.int64)
    low, high = (0, 1) if sys.byteorder == "little" else (1, 0)
    stamp = (base + layout.time) >> 2
    now = (words[stamp + low].astype(np.int64) | words[stamp + high].astype(np.int64) << 32) & _POSITIVE
    at = base + layout.data
    end = np.minimum(at + (words[(base + layout.commit) >> 2] & _COMMIT), base + layout.size)
    last = len(words) - 1
    found = []
    page = np.arange(len(base))
    while True:
        live = at + 4 <= end
        if not live.all():
            at, end, now, page = at[live], end[live], now[live], page[live]
        if not len(at):
            break
        index = at >> 2
        header = words[index].astype(np.int64)
        if sys.byteorder == "little":
            kind, delta = header & 31, header >> 5
        else:
            kind, delta = header >> _DELTA_BITS, header & ((1 << _DELTA_BITS) - 1)
        now = now + delta
        usual = (kind >= 1) & (kind <= _LARGEST)
        if usual.all():
            here = at + 4
            at = here + 4 * kind
            good = at <= end
        else:
            array = words[np.minimum(index + 1, last)].astype(np.int64)
            long = kind == 0
            here = at + np.where(long, 8, 4)
            stamped = kind >= _TIME_EXTEND
            absolute = ((now - delta) & _EPOCH & _POSITIVE) | ((array << _DELTA_BITS) + delta)
            now = (now + np.where(kind == _TIME_EXTEND, array << _DELTA_BITS, 0)) & _POSITIVE
            now = np.where(kind == _TIME_STAMP, absolute, now)
            length = np.where(usual, 4 * kind, np.where(stamped, 4, (np.maximum(array, 4) + 3) & ~3))
            ended = (kind == _PADDING) & (delta == 0) | ~usual & (at + 8 > end)
            at = np.where(ended, end, at + 4 + length)
            good = (usual | long & (array >= 4)) & ~ended & (np.where(long, here - 4 + array, at) <= end)
        if good.all():
            found.append((now, here, page))
        else:
            found.append((now[good], here[good], page[good]))
    if not found:
        return base[:0], base[:0]
    times, offsets, pages_of = (np.concatenate(column) for column in zip(*found, strict=True))
    order = np.argsort(pages_of, kind="stable")
    return times[order], offsets[order]


_u32: Final = struct.Struct("=I").unpack_from
_u64: Final = struct.Struct("=Q").unpack_from


def _split(header: int) -> tuple[int, int]:
    """Return type_len and time_delta of an event's word: C's bit fields follow the byte order."""
    if sys.byteorder == "little":
        return header & 31, header >> 5
    return header >> _DELTA_BITS, header & ((1 << _DELTA_BITS) - 1)
