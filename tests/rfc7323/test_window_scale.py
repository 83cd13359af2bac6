"""RFC 7323 §2: window scaling, and the retraction it may seem to cause."""

from __future__ import annotations

import pytest

from tests.rfc9293 import reach
from tests.rfc9293.notation import End
from tulpen.wire.segment import Segment


def syn_of(end: End) -> Segment:
    end.tcp.open_active(end.now)
    (syn,) = end.tcp.segments_to_send(end.now)
    return syn


def scaled(buffer: int, most: int = 6_291_456, **sysctls: object) -> End:
    """Both ends scale; ``buffer`` octets to receive into, ``most`` decide the shift."""
    return reach.established(
        "mss=1460 ws=3", tcp_window_scaling=True, tcp_rmem=(4096, buffer, most), show="wnd", **sysctls
    )


@pytest.mark.parametrize(
    ("most", "shift"), [(65_535, 0), (65_536, 1), (6_291_456, 7), (1 << 30, 14), (1 << 40, 14)]
)  # fmt: skip
def test_the_shift_lets_the_largest_buffer_be_told(most: int, shift: int) -> None:
    end = End(tcp_window_scaling=True, tcp_rmem=(65_536, 131_072, most))
    assert syn_of(end).options.wscale == shift


@pytest.mark.parametrize(("ours", "theirs"), [(True, ""), (False, "ws=3"), (False, "")])
def test_one_side_alone_scales_nothing(ours: bool, theirs: str) -> None:
    """§2.2: both must send the option."""
    end = reach.established(f"mss=1460 {theirs}", tcp_window_scaling=ours, show="wnd")
    end.arrives(". wnd=1000")
    assert end.tcp.status().snd_wnd == 1000
    end.arrives("P. data=x")
    assert end.tcp.receive(1)
    assert end.wait(10**9) == [". seq=+0 ack=+0 wnd=65534"]


@pytest.mark.parametrize(("told", "used"), [(0, 0), (14, 14), (15, 14), (255, 14)])
def test_a_shift_beyond_fourteen_counts_as_fourteen(told: int, used: int) -> None:
    """§2.3."""
    end = reach.established(f"mss=1460 ws={told}", tcp_window_scaling=True)
    assert end.tcp.status().snd_wscale == used
    end.arrives(". wnd=65535")
    assert end.tcp.status().snd_wnd == 65_535 << used


def test_the_window_of_a_syn_is_not_scaled() -> None:
    """§2.2, either way."""
    end = reach.closed(tcp_window_scaling=True)
    assert syn_of(end).wnd == 65_535
    end.arrives("S. seq=300 ws=3 wnd=1000")
    assert end.tcp.status().snd_wnd == 1000
    passive = reach.listen(tcp_window_scaling=True)
    passive.tcp.segment_arrives(passive.arriving("S seq=300 ws=3"), passive.now)
    (answer,) = passive.tcp.segments_to_send(passive.now)
    assert (answer.wnd, answer.options.wscale) == (65_535, 7)


def test_nor_is_it_where_it_is_sent_again_after_a_close() -> None:
    """FIN-WAIT-1 straight from SYN-RECEIVED: the SYN is still not acknowledged."""
    end = reach.listen(tcp_window_scaling=True)
    end.tcp.segment_arrives(end.arriving("S seq=300 ws=3"), end.now)
    end.tcp.segments_to_send(end.now)
    end.shutdown()
    end.now = end.tcp.next_deadline() or 0
    end.tcp.timeout(end.now)
    again = end.tcp.segments_to_send(end.now)[0]
    assert (again.wnd, again.options.wscale) == (65_535, 7)


def test_what_is_sent_is_scaled() -> None:
    end = scaled(131_072)
    assert end.arrives("F.") == [f". seq=+0 ack=+0 wnd={131_072 >> 7}"]


@pytest.mark.requirement("SHLD-14")
def test_reading_keeps_the_edge_where_it_was_or_further() -> None:
    """An odd number of octets at a time, all of them read: the window is rounded up."""
    end = scaled(131_072)
    end.send(b"x")
    edge = 0
    for _ in range(50):
        sent = end.arrives(". len=1447") + end.arrives(". len=1447")
        end.tcp.receive(1 << 20)
        sent += end.sent()
        for text in sent:
            right = end.tcp.status().rcv_nxt + (int(text.rpartition("wnd=")[2]) << 7)
            assert right >= edge
            edge = right


def test_a_reader_that_stops_is_not_overrun() -> None:
    """§2.4: rounded up at each small segment, the window would never close."""
    end = scaled(20_000)
    taken = 0
    while "wnd=0" not in (sent := end.arrives(". len=100") + end.wait(10**9))[-1]:
        taken += 100
        assert sent
        assert taken <= 20_000
    assert end.tcp.readable <= 20_000
    assert end.reasons() == []


@pytest.mark.requirement("SHLD-14")
def test_what_was_once_offered_is_taken_although_less_was_told_since() -> None:
    """§2.4: a receiver honours all that any of its acknowledgments offered; the case of appendix F."""
    end = scaled(20_000)
    offered = end.tcp.status().rcv_wnd
    (told,) = end.arrives(". len=100") + end.wait(10**9)
    assert int(told.rpartition("wnd=")[2]) << 7 < offered - 100
    for _ in range(13):
        end.arrives(". len=1460")
    end.arrives(f". len={offered - 100 - 13 * 1460}")
    assert end.tcp.readable == offered
    assert end.reasons() == []


def test_a_window_that_cannot_be_told_opens_all_the_same() -> None:
    """A unit of the window is half of the buffer."""
    end = scaled(65_536, 1 << 30)
    assert end.tcp.status().rcv_wscale <= 12
    for _ in range(300):
        if end.tcp.status().rcv_wnd >= 1460:
            end.arrives(". len=1460")
        end.tcp.receive(1460)
        end.wait(10**9)
    assert end.tcp.status().rcv_wnd > 0
    assert end.tcp.status().rcv_nxt > 301 + 200 * 1460


def test_a_peer_that_retracts_a_unit_is_put_up_with() -> None:
    """§2.4, the sender's side: what was in the window when it was sent is sent again."""
    end = reach.sending(4, offer="ws=7", tcp_window_scaling=True)
    assert end.arrives(". ack=101 wnd=31") == []  # 3968 octets, and 4000 are out
    _, sent = end.next_timeout()
    assert sent == [". seq=+0 ack=+0 len=1000"]
