"""The second visit: connections that are not plain, told by the exact reader from the frames of their names alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, final

import numpy as np
from numba import njit

from tulpen.capture.follower import Follower
from tulpen.capture.quick.layout import ICMP, ODD

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tulpen.capture.conversation import Conversation
    from tulpen.capture.hosts import Facts
    from tulpen.capture.policy import Policy
    from tulpen.capture.quick.segments import Segments

_EMPTY: Final = -1
_FACTOR: Final = np.uint64(0x9E3779B97F4A7C15)


@final
class Again:
    """The exact Follower, given what belongs to some names; ``keep`` says by first frames whose segments are kept."""

    __slots__ = ("_follower", "_odd", "_places", "_table", "_vlans")

    def __init__(
        self,
        odd: NDArray[Any],
        facts: Facts,
        policy: Policy,
        done: Callable[[Conversation], None],
        keep: Callable[[int], bool] | None = None,
    ) -> None:
        keeping = None if keep is None else lambda _, frame: keep(frame)
        self._follower = Follower(done, policy, keep=keeping, facts=facts)
        self._odd = np.array(odd, ODD)
        self._table = np.full(1 << max(2 * len(odd), 4).bit_length(), _EMPTY, np.int64)
        self._places = np.zeros(0, np.int64)
        self._vlans = policy.vlans
        _fill(self._table, self._odd)

    @property
    def wrong(self) -> int:
        """Wrong checksums that counted."""
        return self._follower.wrong

    def take(self, rows: NDArray[Any], segments: Segments) -> None:
        """Take the last array of ``segments``."""
        if len(rows) > len(self._places):
            self._places = np.zeros(len(rows), np.int64)
        count = _find(self._table, self._odd, rows, self._vlans, self._places)
        follow, seen = self._follower.take, segments.seen
        for at in self._places[:count].tolist():
            follow(seen(at))

    def finish(self) -> None:
        """No more comes."""
        self._follower.finish()


@njit(cache=True)
def _hash(high: int, low: int, port: int, high_2: int, low_2: int, port_2: int, vlan: int) -> Any:
    """Return the same for both directions of a name."""
    here = (np.uint64(high) ^ (np.uint64(low) * _FACTOR)) + np.uint64(port) * _FACTOR
    there = (np.uint64(high_2) ^ (np.uint64(low_2) * _FACTOR)) + np.uint64(port_2) * _FACTOR
    mixed = (here ^ (here >> np.uint64(29))) * _FACTOR + (there ^ (there >> np.uint64(29))) * _FACTOR
    mixed ^= np.uint64(vlan) * _FACTOR
    return (mixed ^ (mixed >> np.uint64(32))) * _FACTOR >> np.uint64(16)


@njit(cache=True)
def _fill(table: Any, odd: Any) -> None:
    mask = np.uint64(len(table) - 1)
    for at in range(len(odd)):
        name = odd[at]
        slot = _hash(
            name.address[0, 0], name.address[0, 1], name.port[0], name.address[1, 0], name.address[1, 1], name.port[1],
            name.vlan,
        ) & mask  # fmt: skip
        while table[slot] != _EMPTY:
            slot = (slot + np.uint64(1)) & mask
        table[slot] = at


@njit(cache=True)
def _find(table: Any, odd: Any, rows: Any, vlans: bool, places: Any) -> int:
    """Write the places of the rows whose names are in the table; return how many."""
    mask = np.uint64(len(table) - 1)
    count = 0
    for at in range(len(rows)):
        row = rows[at]
        vlan = row.vlan if vlans and not row.has & ICMP else 0
        slot = _hash(row.src[0], row.src[1], row.sport, row.dst[0], row.dst[1], row.dport, vlan) & mask
        while table[slot] != _EMPTY:
            name = odd[table[slot]]
            if name.six == row.six and name.vlan == vlan and (_is(name, row, 0) or _is(name, row, 1)):
                if row.frame >= name.frame:
                    places[count] = at
                    count += 1
                break
            slot = (slot + np.uint64(1)) & mask
    return count


@njit(cache=True)
def _is(name: Any, row: Any, side: int) -> Any:
    """Say whether side ``side`` of a name sent a segment to the other."""
    here, there = name.address[side], name.address[1 - side]
    return (
        name.port[side] == row.sport
        and name.port[1 - side] == row.dport
        and here[0] == row.src[0]
        and here[1] == row.src[1]
        and there[0] == row.dst[0]
        and there[1] == row.dst[1]
    )
