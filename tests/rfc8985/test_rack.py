"""RACK-TLP (RFC 8985): losses found by time, and a probe for the tail."""

from __future__ import annotations

from tests.rfc9293.notation import MS, End
from tests.rfc9293.reach import IRS, syn_sent

RTT = 100 * MS
SEGMENT = 1000


def established(**sysctls: object) -> End:
    settings: dict[str, object] = {"tcp_sack": True, "tcp_recovery": 1, "tcp_early_retrans": 3, **sysctls}
    end = syn_sent(**settings)
    end.wait(RTT)
    assert end.arrives(f"S. seq={IRS} mss={SEGMENT} sackok") == [". seq=+0 ack=+0"]
    return end


def sent(end: End, segments: int) -> None:
    assert len(end.send(b"x" * SEGMENT * segments)) == segments
    end.wait(RTT)


def sack(end: End, first: int, last: int) -> list[str]:
    """Segments ``first`` to ``last`` are reported, counted from SND.UNA as 0."""
    unacknowledged = end.tcp.status().unacked
    return end.arrives(f". ack=-{unacknowledged} sack={first * SEGMENT}:{(last + 1) * SEGMENT}")


def test_one_report_is_enough_once_the_reordering_window_has_passed() -> None:
    """§6.2 step 5: a quarter of the least round trip; no three duplicates are waited for."""
    end = established()
    sent(end, 4)
    assert sack(end, 1, 1) == []
    assert end.wait(26 * MS) == []
    assert end.wait(2 * MS) == ["P. seq=+0 ack=+0 len=1000"] or end.stack.counters["TCPSackRecovery"] == 1


def test_three_segments_reported_leave_no_window() -> None:
    """§6.2 step 4, as DupThresh was reached."""
    end = established()
    sent(end, 5)
    assert [text[-8:] for text in sack(end, 1, 3)] == ["len=1000"]
    assert end.stack.counters["TCPSackRecovery"] == 1


def test_nor_do_they_if_the_same_acknowledgment_moves_on() -> None:
    """What it acknowledges lies below what it reports, and is no reordering for that."""
    end = established()
    sent(end, 6)
    again = end.arrives(f". ack=-{5 * SEGMENT} sack={2 * SEGMENT}:{5 * SEGMENT}")
    assert [text[-8:] for text in again] == ["len=1000"]
    assert "TCPSACKReorder" not in end.stack.counters


def test_a_retransmission_that_was_lost_is_sent_again() -> None:
    """What RFC 6675 leaves to the timeout: what was sent after it has arrived."""
    end = established()
    sent(end, 10)
    assert sack(end, 1, 3) != []
    end.send(b"y" * 4 * SEGMENT)
    end.wait(RTT // 2)
    assert len(sack(end, 1, 9)) == 3
    end.wait(RTT)
    assert end.stack.counters["RetransSegs"] == 1
    sack(end, 1, 12)
    assert end.stack.counters["RetransSegs"] == 2
    assert "TCPTimeouts" not in end.stack.counters


def test_reordering_that_heals_in_time_costs_nothing() -> None:
    end = established()
    sent(end, 4)
    sack(end, 1, 1)
    end.wait(10 * MS)
    assert end.arrives(". ack=-2000") == []
    assert end.wait(50 * MS) == []
    assert "RetransSegs" not in end.stack.counters
    assert end.stack.counters["TCPSACKReorder"] == 1


def test_the_tail_is_probed_after_two_round_trips() -> None:
    """§7.2, §7.3: the last segment again."""
    end = established()
    end.send(b"x" * SEGMENT * 3)
    assert end.next_timeout() == (202 * MS, ["P. seq=+2000 ack=+0 len=1000"])
    assert end.stack.counters["TCPLossProbes"] == 1


def test_one_segment_alone_is_given_time_for_a_delayed_ack() -> None:
    end = established()
    end.send(b"x" * SEGMENT)
    elapsed, probe = end.next_timeout()
    assert elapsed <= 400 * MS
    assert probe == ["P. seq=+0 ack=+0 len=1000"]


def test_new_text_is_the_better_probe() -> None:
    end = established(tcp_initial_cwnd=2)
    assert len(end.send(b"x" * SEGMENT * 3)) == 2
    assert end.next_timeout()[1] == ["P. seq=+2000 ack=+0 len=1000"]
    assert "RetransSegs" not in end.stack.counters


def test_only_one_probe_is_out() -> None:
    end = established()
    end.send(b"x" * SEGMENT * 3)
    end.next_timeout()
    end.next_timeout()
    assert (end.stack.counters["TCPLossProbes"], end.stack.counters["TCPTimeouts"]) == (1, 1)


def test_a_loss_that_the_probe_repaired_reduces_the_window() -> None:
    """§7.4.2: everything is acknowledged, more was sent since, and no DSACK came."""
    end = established()
    end.send(b"x" * SEGMENT * 3)
    end.next_timeout()
    before = end.tcp.status().snd_cwnd
    end.send(b"y" * SEGMENT)
    end.arrives(".")
    assert end.stack.counters["TCPLossProbeRecovery"] == 1
    assert end.tcp.status().snd_cwnd < before


def test_a_probe_that_was_a_duplicate_does_not() -> None:
    end = established()
    end.send(b"x" * SEGMENT * 3)
    end.next_timeout()
    before = end.tcp.status().snd_cwnd
    end.arrives(". sack=2000:3000")
    assert end.stack.counters["TCPDSACKRecv"] == 1
    end.send(b"y" * SEGMENT)
    end.arrives(".")
    assert "TCPLossProbeRecovery" not in end.stack.counters
    assert end.tcp.status().snd_cwnd >= before


def test_both_can_be_switched_off() -> None:
    end = established(tcp_recovery=0, tcp_early_retrans=0)
    sent(end, 4)
    assert sack(end, 1, 1) == []
    end.wait(150 * MS)
    assert "RetransSegs" not in end.stack.counters
