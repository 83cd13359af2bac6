"""Where a capture was taken: at one end, or between them.

At an end, that end's packets still have the TTL they were given, are larger than any link takes, or lack the checksum
that the device computes; and its answers take no time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tulpen.capture.end import End

INITIAL: Final = (32, 64, 128, 255)  # TTLs that systems begin with
NEAR: Final = 20  # how many times as long the other half of the way takes


def taken_at(ends: Sequence[End]) -> int | None:
    """Return the side that the capture was taken at, 2 for between them; None where nothing tells."""
    raw = [end.unfinished > 0 for end in ends]
    if raw[0] != raw[1]:
        return raw.index(True)
    hops = [_hops(end) for end in ends]
    if None in hops:
        return None
    if (hops[0] == 0) != (hops[1] == 0):
        return hops.index(0)
    if hops[0] == 0:  # both ends are on one link
        return _by_time(ends)
    return 2


def _hops(end: End) -> int | None:
    if not end.ttls:
        return None
    usual = max(end.ttls, key=end.ttls.__getitem__)
    return next((first - usual for first in INITIAL if usual <= first), None)


def _by_time(ends: Sequence[End]) -> int | None:
    # ends[0].rtt: from here to end 1 and back.
    there, here = ends[0].rtt.least, ends[1].rtt.least
    if not there or not here:
        return None
    if there > NEAR * here:
        return 0
    return 1 if here > NEAR * there else None
