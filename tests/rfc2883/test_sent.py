"""What came twice is reported first in SACK (RFC 2883 §4)."""

from __future__ import annotations

from tests.rfc9293.notation import End
from tests.rfc9293.reach import IRS, syn_sent

FIRST = IRS + 1


def established(**sysctls: object) -> End:
    end = syn_sent(tcp_sack=True, **sysctls)
    assert end.arrives(f"S. seq={IRS} mss=1460 sackok") == [". seq=+0 ack=+0"]
    return end


def reported(end: End, text: str) -> list[tuple[int, int]]:
    """The blocks of the one ACK that goes out for ``text``."""
    end.tcp.segment_arrives(end.arriving(text), end.now)
    (segment,) = end.tcp.segments_to_send(end.now)
    return [(left - FIRST, right - FIRST) for left, right in segment.options.sack]


def test_a_segment_below_the_window() -> None:
    end = established(tcp_quick_acks=16)
    assert reported(end, f". seq={FIRST} len=1000") == []
    assert reported(end, f". seq={FIRST} len=1000") == [(0, 1000)]
    assert end.stack.counters["TCPDSACKOldSent"] == 1


def test_it_is_reported_once() -> None:
    end = established(tcp_quick_acks=16)
    end.arrives(f". seq={FIRST} len=1000")
    assert reported(end, f". seq={FIRST} len=1000") == [(0, 1000)]
    assert reported(end, f". seq={FIRST + 1000} len=1000") == []


def test_the_part_that_came_before() -> None:
    """§4.2: partial duplicate segments."""
    end = established(tcp_quick_acks=16)
    end.arrives(f". seq={FIRST} len=1000")
    assert reported(end, f". seq={FIRST + 500} len=1000") == [(500, 1000)]


def test_beyond_a_hole_the_range_that_holds_it_follows() -> None:
    """§4.1.2."""
    end = established()
    assert reported(end, f". seq={FIRST + 1000} len=1000") == [(1000, 2000)]
    assert reported(end, f". seq={FIRST + 3000} len=1000") == [(3000, 4000), (1000, 2000)]
    assert reported(end, f". seq={FIRST + 1000} len=1000") == [(1000, 2000), (1000, 2000), (3000, 4000)]
    assert reported(end, f". seq={FIRST + 4000} len=1000") == [(3000, 5000), (1000, 2000)]


def test_switched_off() -> None:
    end = established(tcp_dsack=False)
    end.arrives(f". seq={FIRST} len=1000")
    assert reported(end, f". seq={FIRST} len=1000") == []
    assert reported(end, f". seq={FIRST + 2000} len=1000") == [(2000, 3000)]
    assert reported(end, f". seq={FIRST + 2000} len=1000") == [(2000, 3000)]


def test_no_sack_no_report() -> None:
    end = syn_sent()
    end.arrives(f"S. seq={IRS} mss=1460")
    end.arrives(f". seq={FIRST} len=1000")
    assert reported(end, f". seq={FIRST} len=1000") == []
