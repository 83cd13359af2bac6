"""The retransmission queue's account of what is in the network (RFC 6675 §4)."""

from __future__ import annotations

import pytest

from tulpen.tcp.flight import Flight

pytestmark = pytest.mark.requirement("MUST-19")


def test_what_has_arrived_takes_no_room_when_it_is_sent_again() -> None:
    flight = Flight()
    flight.transmitted(0, 1000, 1000, now=0)
    flight.transmitted(1000, 2000, 1000, now=0)
    flight.sack(1000, 2000)
    flight.retransmitted(flight.sent[1], now=1)
    for piece in flight.sent:
        flight.deem_lost(piece)
    assert flight.pipe == 0
    assert flight.to_resend() is flight.sent[0]
