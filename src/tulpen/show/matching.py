"""Which of the segments that one end sent is which of those that the other end received."""

from __future__ import annotations

from collections import defaultdict, deque
from typing import Final, NamedTuple, TypeVar

from tulpen.wire.segment import CWR, FIN, PSH, SYN, Segment

Key = tuple[int, int, int, int, int, int | None]
T = TypeVar("T")

LAST_ONLY: Final = FIN | PSH  # flags that only the last piece of a cut segment bears


class Timed(NamedTuple):
    """A segment, when it left or arrived, and where it stands in its list."""

    now: int
    seg: Segment
    place: int


class Pair(NamedTuple):
    """A departure, its arrival, or both; ``again`` where another copy of it had arrived before."""

    left: Timed | None
    arrived: Timed | None
    again: bool = False


def match(departures: list[Timed], arrivals: list[Timed]) -> list[Pair]:
    """Pair every departure with its arrival.  What is the same object is the same segment; else numbers decide."""
    coming = _Coming(arrivals)
    pairs: list[Pair] = []
    lost: list[Timed] = []
    for left in departures:
        same = coming.take_same(left)
        pairs += [Pair(left, arrived, again=i > 0) for i, arrived in enumerate(same)]
        if not same:
            lost.append(left)
    known = {_key(left.seg): left for left in departures}
    pairs += _by_numbers(lost, coming)
    # An arrival that is left over is a copy of a known segment, or nobody here sent it.
    for arrived in coming.rest():
        original = known.get(_key(arrived.seg))
        pairs.append(Pair(original, arrived, again=True) if original is not None else Pair(None, arrived))
    return pairs


def pieces(left: Timed) -> list[Timed]:
    """Return what a device made of a segment larger than the MSS: one departure for each packet."""
    seg, size = left.seg, left.seg.gso_size
    if not size or len(seg.data) <= size:
        return [left]
    cut = []
    view = memoryview(seg.data)
    for start in range(0, len(view), size):
        flags = seg.flags
        if start + size < len(view):
            flags &= ~LAST_ONLY
        if start:
            flags &= ~CWR
        data = view[start : start + size]
        piece = Segment(seg.seq + start & 0xFFFF_FFFF, seg.ack, flags, seg.wnd, data, seg.options, urg=seg.urg)
        cut.append(Timed(left.now, piece, left.place))
    return cut


class _Coming:
    """The arrivals that have no departure yet."""

    def __init__(self, arrivals: list[Timed]) -> None:
        self._same: dict[int, list[Timed]] = defaultdict(list)
        self._waiting: dict[int, Timed] = {}
        for arrived in arrivals:
            self._same[id(arrived.seg)].append(arrived)
            self._waiting[arrived.place] = arrived
        self._alike: dict[Key, deque[Timed]] | None = None

    def take_same(self, left: Timed) -> list[Timed]:
        """Take the arrivals of this very object."""
        found = [each for each in self._same.get(id(left.seg), ()) if each.place in self._waiting]
        for each in found:
            del self._waiting[each.place]
        return found

    def take_alike(self, key: Key, earliest: int, latest: int | None) -> Timed | None:
        """Take the first arrival with these numbers from ``earliest`` on and, where given, before ``latest``."""
        if self._alike is None:
            self._alike = defaultdict(deque)
            for each in self.rest():
                self._alike[_key(each.seg)].append(each)
        for each in self._alike.get(key, ()):
            if each.now >= earliest and (latest is None or each.now < latest):
                self._alike[key].remove(each)
                del self._waiting[each.place]
                return each
        return None

    def rest(self) -> list[Timed]:
        """Return those still without a departure."""
        return list(self._waiting.values())


def _by_numbers(lost: list[Timed], coming: _Coming) -> list[Pair]:
    pairs: list[Pair] = []
    again = _times_sent(lost)
    for left in lost:
        key = _key(left.seg)
        # What was sent again with the same numbers arrived before that if it arrived at all: what came after is
        # the repetition's.  Pure ACKs repeat themselves in flight, so for them the first come is the first sent.
        later = [when for when in again[key] if when > left.now]
        latest = later[0] if later and (len(left.seg.data) or left.seg.flags & (SYN | FIN)) else None
        arrived = coming.take_alike(key, left.now, latest)
        if arrived is None:
            pairs += _cut_ones(left, coming)
        else:
            pairs.append(Pair(left, arrived))
    return pairs


def _cut_ones(left: Timed, coming: _Coming) -> list[Pair]:
    # A lost one that a device had cut is one loss; of one that came in part, each piece is told of.
    cut = pieces(left)
    if len(cut) > 1:
        found = [Pair(piece, coming.take_alike(_key(piece.seg), piece.now, None)) for piece in cut]
        if any(pair.arrived is not None for pair in found):
            return found
    return [Pair(left, None)]


def _times_sent(departures: list[Timed]) -> dict[Key, list[int]]:
    times: dict[Key, list[int]] = defaultdict(list)
    for left in departures:
        times[_key(left.seg)].append(left.now)
    return times


def _key(seg: Segment) -> Key:
    return seg.flags, seg.seq, seg.ack, seg.wnd, len(seg.data), seg.options.tsval
