"""RFC 5681 §4.2: when an acknowledgment is sent."""

from __future__ import annotations

import pytest

from tests.rfc9293 import reach
from tests.rfc9293.notation import MS
from tulpen.tcp.config import SocketOptions

ACK = [". seq=+0 ack=+0"]


@pytest.mark.requirement("SHLD-19")
def test_every_second_full_segment() -> None:
    end = reach.established()
    assert [end.arrives(". len=1460") for _ in range(6)] == [[], ACK] * 3


@pytest.mark.requirement("SHLD-19")
def test_timestamps_make_a_full_segment_smaller() -> None:
    end = reach.established("mss=1460 ts=1/0", tcp_timestamps=1)
    assert [end.arrives(". len=1448 ts=1/0") for _ in range(4)] == [[], ACK] * 2


@pytest.mark.requirement("SHLD-19")
def test_twice_the_mss_in_smaller_segments() -> None:
    end = reach.established()
    assert [end.arrives(". len=500") for _ in range(6)] == [[], [], [], [], [], ACK]


def test_a_segment_of_a_device_that_joined_many_is_acknowledged_at_once() -> None:
    assert reach.established().arrives(". len=14600") == ACK


@pytest.mark.requirement("MUST-40", "SHLD-18")
def test_the_first_waits_forty_milliseconds() -> None:
    end = reach.established()
    assert end.arrives("P. len=100") == []
    end.wait(20 * MS)
    assert end.arrives("P. len=100") == []
    assert end.next_timeout() == (20 * MS, ACK)
    assert end.tcp.next_deadline() is None


def test_text_that_goes_out_takes_it_along() -> None:
    end = reach.established()
    end.arrives("P. len=100")
    assert end.send(b"abc") == ["P. seq=+0 ack=+0 len=3"]
    end.arrives(".")
    assert end.tcp.next_deadline() is None


def test_quickack_waits_for_nothing() -> None:
    assert reach.established(options=SocketOptions(tcp_quickack=True)).arrives("P. len=1") == ACK


@pytest.mark.requirement("MAY-13")
@pytest.mark.parametrize("sack", [False, True])
def test_out_of_order_at_once(sack: bool) -> None:
    end = reach.established("mss=1460 sackok", tcp_sack=sack)
    assert end.arrives(". seq=+1460 len=1460") == ACK
    assert end.arrives(". seq=+2920 len=1460") == ACK


def test_a_segment_that_fills_a_hole_or_part_of_one_at_once() -> None:
    end = reach.established()
    end.arrives(". seq=+2000 len=100")
    assert end.arrives(". len=10") == ACK
    assert end.arrives(". len=1990") == ACK
    assert end.arrives(". len=10") == []


def test_without_sack_each_segment_beyond_a_hole_is_one_duplicate() -> None:
    """Several that come in at once too: the sender counts them."""
    end = reach.established()
    for place in (2000, 3000, 4000):
        end.tcp.segment_arrives(end.arriving(f". seq={301 + place} len=1000"), end.now)
    assert end.sent() == ACK * 3


def test_with_sack_one_acknowledgment_says_it_all() -> None:
    end = reach.established("mss=1460 sackok", tcp_sack=True, show="sack")
    for place in (2000, 4000, 6000):
        end.tcp.segment_arrives(end.arriving(f". seq={301 + place} len=1000"), end.now)
    assert end.sent() == [". seq=+0 ack=+0 sack=6000:7000,4000:5000,2000:3000"]


def test_what_was_received_before_is_acknowledged_at_once() -> None:
    end = reach.established()
    end.arrives(". len=1000")
    end.wait(50 * MS)
    assert end.arrives(". seq=-1000 len=1000") == ACK
