"""Segments longer than the MSS, either way: a device joins and cuts them (segmentation offload)."""

from __future__ import annotations

import pytest

from tests.rfc9293 import reach
from tests.rfc9293.notation import End
from tulpen.tcp.config import SocketOptions
from tulpen.wire.segment import PSH, Segment


def offloading(offer: str = "mss=1000", cwnd: int = 100, **given: object) -> End:
    """A device that takes up to 65,000 octets at a time."""
    end = reach.established(offer, tcp_initial_cwnd=cwnd, **given)
    end.tcp.tcb.gso_max = 65_000
    return end


def sent(end: End, octets: int) -> list[Segment]:
    end.tcp.send(bytes(octets), end.now)
    return end.tcp.segments_to_send(end.now)


# sending


def test_a_long_text_is_one_segment_with_the_size_to_cut_it_to() -> None:
    (segment,) = sent(offloading(), 30_000)
    assert (len(segment.data), segment.gso_size) == (30_000, 1000)


def test_what_fits_in_one_segment_is_not_cut() -> None:
    (segment,) = sent(offloading(), 1000)
    assert segment.gso_size == 0


def test_the_last_piece_may_be_short_while_nothing_is_in_flight() -> None:
    """Nagle: nothing is unacknowledged yet."""
    end = offloading()
    assert [len(segment.data) for segment in sent(end, 2500)] == [2500]
    assert [len(segment.data) for segment in sent(end, 2500)] == [2000]


@pytest.mark.parametrize(("window", "size"), [(2500, 1000), (40_000, 20_000), (65_535, 32_000)])
def test_the_peers_window_limits_it(window: int, size: int) -> None:
    """Whole segments within half of it, so that an ACK of one half lets out the next."""
    assert len(sent(offloading(f"mss=1000 wnd={window}"), 100_000)[0].data) == size


def test_the_congestion_window_limits_it() -> None:
    assert [len(segment.data) for segment in sent(offloading(cwnd=7), 100_000)] == [3000, 3000, 1000]


def test_an_acknowledgment_inside_it() -> None:
    end = offloading()
    sent(end, 10_000)
    end.arrives(". ack=4101")
    status = end.tcp.status()
    assert (status.snd_una, status.unacked, status.send_queue) == (4101, 6000, 6000)
    end.arrives(". ack=4111")
    assert end.tcp.status().unacked == 5990


def test_only_its_first_segment_is_sent_again_by_a_timeout() -> None:
    end = offloading()
    sent(end, 10_000)
    assert end.next_timeout()[1] == [". seq=+0 ack=+0 len=1000"]
    assert end.arrives(". ack=1101") == ["P. seq=+0 ack=+0 len=2000"]  # two segments, and slow start


def test_only_its_first_segment_is_sent_again_by_duplicates() -> None:
    end = offloading()
    sent(end, 10_000)
    assert [end.arrives(". ack=101") for _ in range(3)][2] == [". seq=+0 ack=+0 len=1000"]


def test_what_was_cut_from_it_is_sent_again_alone_where_sack_says_so() -> None:
    end = offloading("mss=1000 sackok", tcp_sack=True)
    sent(end, 10_000)
    assert end.arrives(". ack=101 sack=1000:2000,3000:10000") == [
        ". seq=+0 ack=+0 len=1000", ". seq=+2000 ack=+0 len=1000",
    ]  # fmt: skip


def test_a_path_that_narrows_cuts_it_anew() -> None:
    end = offloading()
    sent(end, 4000)
    end.tcp.path_mss(500, end.now)
    again = end.tcp.segments_to_send(end.now)
    assert again
    assert all(segment.gso_size in (0, 500) for segment in again)
    assert sum(len(segment.data) for segment in again) <= 4000
    assert len(again[0].data) == 500 or again[0].gso_size == 500


def test_the_fin_and_the_push_stand_in_the_last_one() -> None:
    end = offloading(options=SocketOptions(tcp_nodelay=True))
    end.tcp.send(bytes(70_000), end.now)
    end.tcp.shutdown(end.now)
    end.arrives(". ack=+0 wnd=65535")
    segments = end.tcp.segments_to_send(end.now)
    texts = [end.written(segment) for segment in segments]
    assert not any("P" in text.split()[0] for text in texts[:-1])


# receiving


@pytest.mark.parametrize("length", [2920, 10_000, 65_000])
def test_what_a_device_joined_is_taken(length: int) -> None:
    end = reach.established()
    assert end.arrives(f"P. len={length}") == [". seq=+0 ack=+0"]
    assert end.tcp.readable == length


def test_beyond_the_window_it_is_cut() -> None:
    end = reach.established(tcp_rmem=(4096, 8000, 8000))
    assert end.arrives("P. len=65000") == [". seq=+0 ack=+0"]
    assert end.tcp.readable == 8000


def test_both_of_its_ends_may_overlap_what_is_there() -> None:
    end = reach.established()
    end.arrives("P. data=abc")
    end.arrives("P. seq=+7 data=klm")
    assert end.arrives("P. seq=-2 data=bcdefghijklmnop") == [". seq=+0 ack=+0"]
    assert bytes(end.tcp.receive(99)) == b"abcdefghijklmnop"


def test_out_of_order_it_is_one_sack_block() -> None:
    end = reach.established("mss=1460 sackok", tcp_sack=True, show="sack")
    assert end.arrives("P. seq=+1000 len=20000") == [". seq=+0 ack=+0 sack=1000:21000"]


def test_push_and_fin_of_a_joined_segment() -> None:
    end = reach.established()
    assert end.arrives("FP. len=20000") == [". seq=+0 ack=+0"]
    assert end.tcp.readable == 20_000
    assert end.state.name == "CLOSE_WAIT"


def test_psh_is_set_where_the_text_ends() -> None:
    (segment,) = sent(offloading(), 5000)
    assert segment.flags & PSH
