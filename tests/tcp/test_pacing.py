"""What is paced leaves at a rate, and not in bursts: fq, SO_MAX_PACING_RATE."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from tests.rfc9293.notation import MS, End
from tests.rfc9293.reach import IRS, syn_sent
from tests.sim.pair import Pair, Recorder
from tulpen.sim.conversations import Sink, Source


def paced(rtt: int = 100 * MS, rate: int | None = None, **sysctls: object) -> End:
    """An end with an MSS of 1000 and a window of 20 segments, after one round trip."""
    settings: dict[str, object] = {"default_qdisc": "fq", "tcp_initial_cwnd": 20} | sysctls
    end = syn_sent(**settings)
    end.tcp.tcb.options.so_max_pacing_rate = rate
    end.wait(rtt)
    assert end.arrives(f"S. seq={IRS} mss=1000 sackok") == [". seq=+0 ack=+0"]
    return end


def departures(end: End, octets: int, during: int) -> list[tuple[float, int]]:
    """Send text; return when each segment left, in milliseconds, and where it begins."""
    begin = end.now
    left = [(0.0, text) for text in end.send(bytes(octets))]
    while (deadline := end.tcp.next_deadline()) is not None and deadline <= begin + during:
        left += [((end.now - begin) / MS, text) for text in end.wait(deadline - end.now)]
    return [(when, int(text.partition("seq=")[2].split()[0])) for when, text in left]


def test_ten_segments_leave_at_once_and_then_the_pace_counts() -> None:
    """20 segments in 100 ms, twice as fast in slow start: one each 2.5 ms."""
    left = departures(paced(), 13_000, 20 * MS)
    assert left == [(0.0, 1000 * n) for n in range(10)] + [(2.5, 10_000), (5.0, 11_000), (7.5, 12_000)]


@pytest.mark.parametrize(("ratio", "gap"), [(100, 5.0), (400, 1.25)])
def test_by_what_ratio(ratio: int, gap: float) -> None:
    left = departures(paced(tcp_pacing_ss_ratio=ratio), 11_000, 20 * MS)
    assert left[-1] == (gap, 10_000)


def test_in_congestion_avoidance_the_other_ratio_counts() -> None:
    end = paced(tcp_pacing_ca_ratio=50)
    end.tcp.tcb.cc.ssthresh = 10_000
    assert departures(end, 11_000, 20 * MS)[-1] == (10.0, 10_000)


def test_the_socket_sets_the_most() -> None:
    end = paced(rate=100_000, default_qdisc="pfifo_fast")
    assert end.tcp.status().pacing_rate == 100_000
    assert departures(end, 12_000, 50 * MS)[-2:] == [(10.0, 10_000), (20.0, 11_000)]


def test_a_rate_that_is_never_reached_changes_nothing() -> None:
    end = paced(rate=1 << 40)
    assert end.tcp.status().pacing_rate == 400_000


def test_otherwise_nothing_is_paced() -> None:
    assert len(departures(paced(default_qdisc="pfifo_fast"), 20_000, 0)) == 20


def test_what_leaves_late_is_made_up_for_by_half() -> None:
    end = paced()
    departures(end, 10_000, 0)
    end.wait(50 * MS)
    assert departures(end, 3000, 20 * MS) == [(0.0, 10_000), (1.25, 11_000), (3.75, 12_000)]


def test_acknowledgments_do_not_wait() -> None:
    end = paced()
    end.send(bytes(11_000))
    assert end.arrives(". len=3000") == [". seq=+0 ack=+0"]


def test_retransmissions_are_paced() -> None:
    end = paced(tcp_sack=True)
    departures(end, 20_000, 60 * MS)
    end.wait(10 * MS)
    again = end.arrives(". ack=-20000 sack=3000:20000")
    assert again == [". seq=+0 ack=+0 len=1000"]
    assert end.wait(50 * MS) == [". seq=+1000 ack=+0 len=1000", ". seq=+2000 ack=+0 len=1000"]


def bursts(**sysctls: Any) -> list[int]:
    """How many segments of a transfer leave at the same moment, the most first."""
    source = Source(500_000)
    pair = Pair(source, Sink, **sysctls)
    recorder = Recorder()
    pair.world.taps.append(recorder)
    pair.run()
    assert pair.served.received.digest == source.sent.digest
    text = [now for now, name, out, octets in recorder.seen if name == "client" and out and len(octets) > 1000]
    return sorted(Counter(text).values(), reverse=True)


def test_a_whole_transfer_is_spread_out() -> None:
    assert bursts(default_qdisc="fq")[:2] == [10, 1]
    assert bursts()[0] > 10
