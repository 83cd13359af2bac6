"""TCP_DEFER_ACCEPT, in the timeouts of a SYN,ACK that Linux counts it in."""

from __future__ import annotations

import pytest

from tulpen.host.deferring import seconds_of, timeouts_within
from tulpen.tcp.config import Settings


@pytest.mark.parametrize(
    ("asked", "timeouts", "told"),
    [(0, 0, 0), (1, 1, 1), (2, 2, 3), (3, 2, 3), (4, 3, 7), (63, 6, 63), (64, 7, 127), (200, 8, 247), (300, 9, 367)],
)
def test_seconds_are_rounded_up_to_timeouts(asked: int, timeouts: int, told: int) -> None:
    """Each is twice as long as the one before, up to 120 s."""
    assert timeouts_within(asked, Settings()) == timeouts
    assert seconds_of(timeouts, Settings()) == told
