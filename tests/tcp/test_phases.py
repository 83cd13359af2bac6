"""The phases of loss recovery: what leads from one to the next, and what a connection tells of them."""

from __future__ import annotations

import pytest

from tests.rfc9293 import reach
from tests.rfc9293.notation import MS, End
from tulpen.tcp import window
from tulpen.tcp.loss import Phase

FIRST = 101


def sending(segments: int = 10, more: int = 0, **sysctls: object) -> End:
    """So many segments are in flight on a path of 100 ms."""
    end = reach.syn_sent(**{"tcp_sack": True, "tcp_recovery": 1, "tcp_initial_cwnd": segments, **sysctls})
    end.wait(100 * MS)
    end.arrives(f"S. seq={reach.IRS} mss=1000 sackok")
    assert len(end.send(bytes(segments * 1000 + more))) == segments
    end.wait(100 * MS)
    return end


def ack(una: int, *blocks: tuple[int, int]) -> str:
    sacks = ",".join(f"{1000 * left}:{1000 * right}" for left, right in blocks)
    return f". ack={FIRST + 1000 * una}" + (f" sack={sacks}" if sacks else "")


def phase(end: End) -> Phase:
    return end.tcp.status().phase


def test_something_missing_is_disorder_until_it_comes() -> None:
    end = sending()
    assert phase(end) is Phase.OPEN
    end.arrives(ack(0, (1, 2)))
    assert phase(end) is Phase.DISORDER
    end.arrives(ack(2))
    assert phase(end) is Phase.OPEN


def test_something_lost_is_recovery_until_all_that_was_out_is_acknowledged() -> None:
    end = sending(more=5000)
    for right in (2, 3, 4):
        end.arrives(ack(0, (1, right)))
    assert phase(end) is Phase.RECOVERY
    end.arrives(ack(4))
    assert phase(end) is Phase.RECOVERY
    end.arrives(f". ack={end.tcp.status().snd_nxt}")
    assert phase(end) is Phase.OPEN


@pytest.mark.parametrize("before", [Phase.OPEN, Phase.DISORDER, Phase.RECOVERY, Phase.LOSS])
def test_a_timeout_is_loss_from_anywhere_and_sends(before: Phase) -> None:
    end = sending()
    for right in range(2, {Phase.DISORDER: 3, Phase.RECOVERY: 5}.get(before, 2)):
        end.arrives(ack(0, (1, right)))
    if before is Phase.LOSS:
        end.next_timeout()
    assert phase(end) is before
    sent: list[str] = []
    for _ in range(4):
        sent += end.next_timeout()[1]
    assert phase(end) is Phase.LOSS
    assert ". seq=+0 ack=+0 len=1000" in sent


def test_congestion_without_a_loss_reduces_once_a_window() -> None:
    """RFC 3168 §6.1.2, as what hears of it will call it."""
    end = sending(more=20_000)
    window.enter_cwr(end.tcp.tcb)
    window.enter_cwr(end.tcp.tcb)
    assert (phase(end), end.tcp.status().snd_ssthresh) == (Phase.CWR, 5000)
    for place in range(1, 12):
        end.arrives(ack(place))
    assert phase(end) is Phase.OPEN
    assert end.tcp.status().snd_ssthresh == 5000


def test_reordering_is_remembered_by_how_far_it_went() -> None:
    """tcpi_reordering: six segments late, and from then on no three reports are a loss."""
    end = sending()
    end.arrives(ack(0, (1, 2), (7, 8)))
    assert end.tcp.status().reordering == 3
    end.arrives(ack(0, (1, 3), (7, 8)))
    assert (end.tcp.status().reordering, end.tcp.status().reorderings) == (6, 1)
    assert end.stack.counters["TCPSACKReorder"] == 1


def test_it_is_remembered_up_to_a_limit() -> None:
    end = sending(tcp_max_reordering=4)
    end.arrives(ack(0, (1, 2), (9, 10)))
    end.arrives(ack(0, (1, 3), (9, 10)))
    assert end.tcp.status().reordering == 4


def test_segments_are_counted_by_what_is_known_of_them() -> None:
    end = sending()
    for right in (6, 7, 8):
        end.arrives(ack(0, (5, right)))
    status = end.tcp.status()
    counted = (status.unacked_segments, status.sacked_segments, status.lost_segments, status.resent_segments)
    assert counted == (10, 3, 5, 1)


def test_without_sack_duplicates_stand_for_what_arrived() -> None:
    end = reach.sending(8)
    end.arrives(ack(0))
    end.arrives(ack(0))
    assert end.tcp.status().sacked_segments == 2


def test_a_peer_that_reneges_is_timed_out_soon() -> None:
    """RFC 2018 §8: what was reported is not acknowledged when its turn comes."""
    end = sending()
    end.arrives(ack(0, (1, 3)))
    end.arrives(ack(1))
    elapsed, sent = end.next_timeout()
    assert elapsed < 100 * MS
    assert sent == [". seq=+0 ack=+0 len=1000"]
    assert end.stack.counters["TCPSACKReneging"] == 1


def test_what_is_sent_again_keeps_its_push_and_nothing_cut_from_it() -> None:
    end = reach.established("mss=1000 sackok", tcp_sack=True, tcp_recovery=1)
    end.tcp.tcb.gso_max = 65_000
    assert end.send(bytes(4000)) == ["P. seq=+0 ack=+0 len=4000"]
    assert end.next_timeout()[1] == [". seq=+0 ack=+0 len=1000"]
    end.arrives(ack(3))
    assert end.sent() == []
    assert end.next_timeout()[1] == ["P. seq=+0 ack=+0 len=1000"]
