"""RFC 4821: what one connection does with probes, segment by segment."""

from __future__ import annotations

import pytest

from tests.rfc9293.notation import SECOND, End
from tests.rfc9293.reach import IRS, established, listen
from tulpen.tcp.state import ESTABLISHED

BASE = 500
#: Half way between BASE and 1460.
PROBE = 980


def searching(**sysctls: object) -> End:
    """An end that opened, and may have 12 segments in flight."""
    return established(
        **({"tcp_mtu_probing": 2, "tcp_base_mss": BASE, "tcp_initial_cwnd": 12, "tcp_nagle_small": False} | sysctls)
    )


def sizes(sent: list[str]) -> list[int]:
    return [int(text.partition("len=")[2]) for text in sent]


def get_through(end: End) -> int:
    """Send text, and acknowledge all of it; return the size of the first segment."""
    first = sizes(end.send(bytes(5000)))[0]
    while end.tcp.unacknowledged:
        end.arrives(".")
    return first


def test_the_search_begins_at_its_lower_end_and_probes_half_way_up() -> None:
    end = searching()
    assert end.tcp.status().snd_mss == BASE
    assert sizes(end.send(bytes(5000))) == [PROBE] + [BASE] * 8


def test_a_probe_that_arrives_raises_the_segment_size() -> None:
    end = searching()
    end.send(bytes(5000))
    end.arrives(f". ack=-{5000 - PROBE - 20}")
    assert end.tcp.status().snd_mss == PROBE
    assert end.stack.counters["TCPMTUPSuccess"] == 1


def test_step_by_step_up_to_what_the_peer_takes() -> None:
    end = searching(tcp_initial_cwnd=40, tcp_probe_threshold=8)
    for _ in range(8):
        end.send(bytes(20_000))
        end.arrives(".")
    assert 1460 - 8 < end.tcp.status().snd_mss <= 1460
    assert sizes(end.send(bytes(20_000)))[0] == end.tcp.status().snd_mss


def test_a_probe_that_alone_is_lost_is_no_congestion() -> None:
    """§7.6.2: it goes again in pieces of the old size, and search_high is less than it was."""
    end = searching()
    end.send(bytes(5000))
    cwnd = end.tcp.status().snd_cwnd
    ack = f". ack=-{5000 - 20}"
    assert (end.arrives(ack), end.arrives(ack)) == ([], [])
    assert sizes(end.arrives(ack))[:2] == [BASE, PROBE - BASE]
    assert end.stack.counters["TCPMTUPFail"] == 1
    assert end.tcp.status().snd_cwnd >= cwnd
    end.arrives(".")
    get_through(end)
    assert sizes(end.send(bytes(5000)))[0] == (BASE + PROBE - 1) // 2


def test_a_probe_counts_twice_against_the_congestion_window() -> None:
    end = searching()
    before = end.tcp.status().snd_cwnd
    end.send(bytes(5000))
    assert end.tcp.status().snd_cwnd == before - BASE


@pytest.mark.parametrize(
    ("octets", "cwnd", "window"), [(PROBE + 4 * BASE - 1, 12, 65_535), (5000, 10, 65_535), (5000, 12, PROBE + 1000)]
)
def test_no_probe_without_what_has_to_follow_it(octets: int, cwnd: int, window: int) -> None:
    """§7.4: enough text, and room for it in both windows."""
    end = searching(tcp_initial_cwnd=cwnd)
    end.arrives(f". wnd={window}")
    assert PROBE not in sizes(end.send(bytes(octets)))


def test_none_while_something_is_amiss() -> None:
    end = searching(tcp_initial_cwnd=30)
    end.arrives(". seq=+100 len=5")
    assert PROBE not in sizes(end.send(bytes(1000)))
    end = searching(tcp_initial_cwnd=30)
    end.send(bytes(2000))
    end.arrives(". ack=-2000")
    assert PROBE not in sizes(end.send(bytes(6000)))


def test_one_at_a_time() -> None:
    end = searching(tcp_initial_cwnd=40)
    assert sizes(end.send(bytes(4000)))[0] == PROBE
    assert PROBE not in sizes(end.send(bytes(4000)))


def test_what_waits_for_room_for_a_probe_is_not_sent_small() -> None:
    end = searching()
    end.arrives(". wnd=4000")
    assert sizes(end.send(bytes(2000))) == [BASE] * 4
    assert end.send(bytes(3900)) == []
    assert sizes(end.arrives(". wnd=4000"))[0] == PROBE


def test_whatever_is_sent_again_leaves_the_probe_without_a_result() -> None:
    """§7.6.4."""
    end = searching()
    end.send(bytes(5000))
    assert end.next_timeout()[1]
    end.arrives(f". ack=-{5000 - PROBE}")
    assert end.tcp.status().snd_mss == BASE


def test_who_accepts_begins_with_what_the_path_is_said_to_take() -> None:
    end = listen(tcp_mtu_probing=2, tcp_base_mss=BASE)
    end.arrives(f"S seq={IRS} mss=1460")
    end.arrives(". seq=+0 ack=+0")
    assert end.state is ESTABLISHED
    assert end.tcp.status().snd_mss == 1460


# §7.7: a path that swallows what is large, and says nothing


def timeouts(end: End, count: int) -> list[int]:
    """The size of what each timeout sends again."""
    return [sizes(end.next_timeout()[1])[0] for _ in range(count)]


def test_a_black_hole_is_met_when_r1_is() -> None:
    end = established(tcp_mtu_probing=1)
    end.send(bytes(1460))
    assert timeouts(end, 5) == [1460, 1460, 1460, 1024, 512]


def test_and_then_less_with_each_timeout() -> None:
    end = established(tcp_mtu_probing=1, tcp_mtu_probe_floor=100)
    end.send(bytes(1460))
    assert timeouts(end, 8)[3:] == [1024, 512, 256, 128, 100]


def test_without_probing_the_size_stays() -> None:
    end = established(tcp_mtu_probing=0)
    end.send(bytes(1460))
    assert timeouts(end, 6) == [1460] * 6


def test_from_the_black_hole_the_search_goes_up_again() -> None:
    end = established(tcp_mtu_probing=1, tcp_initial_cwnd=30, tcp_nagle_small=False)
    end.send(bytes(1460))
    timeouts(end, 4)
    end.arrives(".")
    for _ in range(6):
        end.send(bytes(40_000))
        while end.tcp.unacknowledged:
            end.arrives(".")
    assert end.tcp.status().snd_mss > 1024
    assert end.stack.counters["TCPMTUPSuccess"]


def lose_the_probe(end: End) -> int:
    """Send text, and acknowledge all but the probe at its head; return its size."""
    sent = sizes(end.send(bytes(5000)))
    for _ in range(3):
        end.arrives(f". ack=-{sum(sent)}")
    while end.tcp.unacknowledged:
        end.arrives(".")
    return sent[0]


def test_the_search_is_repeated_after_a_while() -> None:
    """§7.3: the path may take more by then."""
    end = searching(tcp_initial_cwnd=40, tcp_slow_start_after_idle=False, tcp_probe_threshold=300)
    assert [lose_the_probe(end) for _ in range(2)] == [980, 739]
    assert get_through(end) == BASE
    end.wait(598 * SECOND)
    assert get_through(end) == BASE
    end.wait(2 * SECOND)
    assert [get_through(end) for _ in range(2)] == [BASE, 980]
