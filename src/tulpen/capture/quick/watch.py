"""The second visit: which segments the exact reader has to see, and whose clocks tell it something."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple, final

import numpy as np

from tulpen.capture.hosts import CLOCK
from tulpen.capture.policy import Checksums, Policy
from tulpen.capture.quick.compiled import compiled
from tulpen.capture.quick.layout import ICMP, STAMP
from tulpen.capture.quick.names import end_hash, mixed, name_hash
from tulpen.capture.quick.numbers import before
from tulpen.capture.seen import Sum
from tulpen.wire.segment import ACK, RST, SYN

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tulpen.capture.hosts import Facts

_ONE: Final = np.uint64(1)
_NONE: Final = np.uint64(0)
_WRONG: Final = int(Sum.WRONG)

#: An odd name where it is found, and a pair with the clock of its source.
_NAME: Final = np.dtype(
    [
        ("address", np.uint64, (2, 2)), ("hash", np.uint64), ("frame", np.int64), ("port", np.uint16, 2),
        ("vlan", np.uint16), ("six", np.uint8),
    ],
    align=True,
)  # fmt: skip
_CLOCK: Final = np.dtype(
    [
        ("src", np.uint64, 2), ("dst", np.uint64, 2), ("hash", np.uint64), ("when", np.int64), ("tsval", np.uint32),
        ("seq", np.uint32), ("sport", np.uint16), ("dport", np.uint16), ("six", np.uint8), ("ticks", np.bool_),
    ],
    align=True,
)  # fmt: skip


class Left(NamedTuple):
    """What ``Flows`` leaves to the exact reader."""

    odd: NDArray[Any]  # ODD: names, some more than once, that it has to tell of from those frames on
    pairs: NDArray[Any]  # PAIR: of segments from one to the other all clocks matter to it
    facts: Facts  # of these, ``behind`` comes of the clocks


@final
class Watch:
    """Looks at every segment of a capture once more, after ``Flows`` has seen all."""

    __slots__ = ("_clocks", "_facts", "_key", "_names", "_trusts", "_vlans")

    def __init__(self, left: Left, policy: Policy) -> None:
        self._facts = left.facts
        self._vlans = policy.vlans
        self._trusts = policy.checksums is Checksums.IGNORE
        self._key = 0
        odd, pairs = left.odd, left.pairs
        self._names = np.zeros(_room(len(odd)), _NAME)
        self._clocks = np.zeros(_room(len(pairs)), _CLOCK)
        _put_names(self._names, odd, self._key)
        _put_pairs(self._clocks, pairs, self._key)

    def take(self, segments: NDArray[Any]) -> NDArray[np.bool_]:
        """Say of each segment whether the exact reader has to see it; add to the facts what their clocks tell."""
        chosen = np.zeros(len(segments), np.bool_)
        behind = np.zeros(len(segments), np.bool_)
        _choose(segments, self._names, self._vlans, self._key, chosen)
        if self._clocks["hash"].any():
            _tick(segments, self._clocks, self._key, self._trusts, behind)
            self._facts.behind.update(segments["frame"][behind & chosen].tolist())
        return chosen


def _room(count: int) -> int:
    return 1 << (2 * count + 1).bit_length()


@compiled
def _put_names(table: Any, odd: Any, key: int) -> None:
    mask = np.uint64(len(table) - 1)
    for n in range(len(odd)):
        row = odd[n]
        here = end_hash(row.address[0, 0], row.address[0, 1], row.port[0], key)
        there = end_hash(row.address[1, 0], row.address[1, 1], row.port[1], key)
        code = mixed(here + there + np.uint64(row.vlan)) | _ONE
        at = code & mask
        while table[at].hash != _NONE and not (table[at].hash == code and _is_same(table[at], row)):
            at = (at + _ONE) & mask
        put = table[at]
        if put.hash == _NONE or row.frame < put.frame:
            put.frame = row.frame
        put.hash = code
        put.vlan = row.vlan
        put.six = row.six
        for side in range(2):
            put.port[side] = row.port[side]
            put.address[side, 0] = row.address[side, 0]
            put.address[side, 1] = row.address[side, 1]


@compiled
def _is_same(one: Any, other: Any) -> Any:
    if one.vlan != other.vlan or one.six != other.six:
        return False
    straight, crossed = True, True
    for side in range(2):
        straight = straight and _is_end(one, side, other, side)
        crossed = crossed and _is_end(one, side, other, 1 - side)
    return straight or crossed


@compiled
def _is_end(one: Any, here: int, other: Any, there: int) -> Any:
    return (
        one.port[here] == other.port[there]
        and one.address[here, 0] == other.address[there, 0]
        and one.address[here, 1] == other.address[there, 1]
    )


@compiled
def _is_name_of(row: Any, s: Any, vlan: int) -> Any:
    if row.vlan != vlan or row.six != s.six:
        return False
    for side in range(2):
        if (
            row.port[side] == s.sport and row.address[side, 0] == s.src[0] and row.address[side, 1] == s.src[1]
            and row.port[1 - side] == s.dport and row.address[1 - side, 0] == s.dst[0]
            and row.address[1 - side, 1] == s.dst[1]
        ):  # fmt: skip
            return True
    return False


@compiled
def _choose(segments: Any, table: Any, vlans: bool, key: int, chosen: Any) -> None:
    mask = np.uint64(len(table) - 1)
    for n in range(len(segments)):
        s = segments[n]
        vlan = np.int64(s.vlan) if vlans else 0
        code = name_hash(s, vlan, key)
        at = code & mask
        while table[at].hash != _NONE:
            if table[at].hash == code and _is_name_of(table[at], s, vlan):
                chosen[n] = s.frame >= table[at].frame
                break
            at = (at + _ONE) & mask


@compiled
def _pair_hash(row: Any, key: int) -> Any:
    here = end_hash(row.src[0], row.src[1], 0, key)
    return mixed(here + end_hash(row.dst[0], row.dst[1], 0, key) * np.uint64(3)) | _ONE


@compiled
def _is_pair(clock: Any, row: Any) -> Any:
    return (
        clock.six == row.six and clock.src[0] == row.src[0] and clock.src[1] == row.src[1]
        and clock.dst[0] == row.dst[0] and clock.dst[1] == row.dst[1]
    )  # fmt: skip


@compiled
def _put_pairs(table: Any, pairs: Any, key: int) -> None:
    mask = np.uint64(len(table) - 1)
    for n in range(len(pairs)):
        row = pairs[n]
        code = _pair_hash(row, key)
        at = code & mask
        while table[at].hash != _NONE and not (table[at].hash == code and _is_pair(table[at], row)):
            at = (at + _ONE) & mask
        put = table[at]
        put.hash = code
        put.six = row.six
        for half in range(2):
            put.src[half] = row.src[half]
            put.dst[half] = row.dst[half]


@compiled
def _tick(segments: Any, table: Any, key: int, trusts: bool, behind: Any) -> None:
    # hosts.Hosts._clock
    mask = np.uint64(len(table) - 1)
    for n in range(len(segments)):
        s = segments[n]
        if not s.has & STAMP or s.has & ICMP or (s.checksum == _WRONG and not trusts):
            continue
        code = _pair_hash(s, key)
        at = code & mask
        while table[at].hash != _NONE and not (table[at].hash == code and _is_pair(table[at], s)):
            at = (at + _ONE) & mask
        clock = table[at]
        if clock.hash == _NONE:
            continue
        if clock.ticks and s.when - clock.when < CLOCK and before(s.tsval, clock.tsval):
            own = clock.sport == s.sport and clock.dport == s.dport and clock.seq == s.seq
            behind[n] = s.flags & (SYN | ACK | RST) == SYN and not own
            continue
        clock.ticks = True
        clock.tsval = s.tsval
        clock.when = s.when
        clock.sport = s.sport
        clock.dport = s.dport
        clock.seq = s.seq
