"""Reductions taken back: by timestamps (RFC 3522, Eifel), by DSACK (RFC 3708); the response of RFC 4015."""

from __future__ import annotations

from tests.rfc9293 import reach
from tests.rfc9293.notation import MS, End
from tulpen.tcp.congestion import INFINITE
from tulpen.tcp.loss import Phase
from tulpen.tcp.negotiate import timestamp

FIRST = 101
RTT = 100 * MS
SEGMENT = 988


def clock(end: End) -> int:
    return timestamp(end.now, end.tcp.tcb.ts_offset)


def recovering(*, stamps: bool = False, segments: int = 8, more: int = 0) -> tuple[End, int]:
    """Fast recovery, begun by reports of all segments but the first; and the timestamp of these."""
    offer = "sackok ts=1/0" if stamps else "sackok"
    settings: dict[str, object] = {
        "tcp_sack": True, "tcp_recovery": 1, "tcp_timestamps": int(stamps), "tcp_initial_cwnd": segments,
    }  # fmt: skip
    end = reach.syn_sent(**settings)
    end.wait(RTT)
    end.arrives(f"S. seq={reach.IRS} mss={SEGMENT + 12 * stamps} {offer.replace('ts=1/0', f'ts=1/{clock(end)}')}")
    sent_at = clock(end)
    assert len(end.send(bytes(SEGMENT * segments + more))) == segments
    end.wait(RTT)
    for right in range(2, segments + 1):
        arrives(end, 0, (1, right), echo=sent_at if stamps else None)
        end.wait(MS)
    assert end.tcp.status().phase is Phase.RECOVERY
    assert end.stack.counters["RetransSegs"] == 1
    return end, sent_at


def arrives(end: End, una: int, *blocks: tuple[int, int], echo: int | None = None) -> list[str]:
    """An acknowledgment of ``una`` segments; blocks by the place of segments in the first flight."""
    reached = (end.tcp.status().snd_una - FIRST) // SEGMENT
    sacks = ",".join(f"{SEGMENT * (left - reached)}:{SEGMENT * (right - reached)}" for left, right in blocks)
    stamp = f" ts=2/{echo}" if echo is not None else ""
    return end.arrives(f". ack={FIRST + SEGMENT * una}{stamp}" + (f" sack={sacks}" if sacks else ""))


def restored(end: End, segments: int = 8) -> bool:
    status = end.tcp.status()
    return status.snd_cwnd >= segments * SEGMENT and status.snd_ssthresh == INFINITE


def test_the_echo_of_the_original_takes_recovery_back() -> None:
    """RFC 3522 §3.2, step 5: it is older than the retransmission."""
    end, sent_at = recovering(stamps=True)
    arrives(end, 8, echo=sent_at)
    assert end.stack.counters["TCPFullUndo"] == 1
    assert end.tcp.status().phase is Phase.OPEN
    assert restored(end)


def test_the_echo_of_the_retransmission_does_not() -> None:
    end, _ = recovering(stamps=True)
    arrives(end, 8, echo=clock(end))
    assert "TCPFullUndo" not in end.stack.counters
    assert end.tcp.status().snd_ssthresh == 4 * SEGMENT


def test_without_timestamps_nothing_tells_them_apart() -> None:
    end, _ = recovering()
    arrives(end, 8)
    assert "TCPFullUndo" not in end.stack.counters
    assert not restored(end)


def test_a_duplicate_reported_for_each_retransmission_does() -> None:
    """RFC 3708 §2; it may come when all is acknowledged."""
    end, _ = recovering()
    arrives(end, 8)
    assert not restored(end)
    arrives(end, 8, (0, 1))
    assert end.stack.counters["TCPDSACKUndo"] == 1
    assert restored(end)


def test_a_forged_duplicate_does_not() -> None:
    """More came twice than was ever sent again."""
    end, _ = recovering()
    arrives(end, 8)
    arrives(end, 8, (2, 6))
    assert "TCPDSACKUndo" not in end.stack.counters
    assert not restored(end)


def test_a_partial_acknowledgment_of_the_original_waits_for_the_retransmission() -> None:
    """No more is sent again while the retransmission is under way."""
    end = reach.syn_sent(tcp_sack=True, tcp_recovery=1, tcp_timestamps=1, tcp_initial_cwnd=8)
    end.wait(RTT)
    end.arrives(f"S. seq={reach.IRS} mss={SEGMENT + 12} sackok ts=1/{clock(end)}")
    sent_at = clock(end)
    end.send(bytes(SEGMENT * 8))
    end.wait(RTT)
    for right in (6, 7, 8):
        arrives(end, 0, (5, right), echo=sent_at)
    assert (end.tcp.status().phase, end.tcp.status().lost_segments) == (Phase.RECOVERY, 5)
    assert arrives(end, 1, (5, 8), echo=sent_at) == []
    assert end.stack.counters["TCPPartialUndo"] == 1
    assert (end.tcp.status().phase, end.tcp.status().lost_segments) == (Phase.DISORDER, 0)
    assert restored(end)
    sent = end.stack.counters["RetransSegs"]
    arrives(end, 2, (5, 8), echo=sent_at)  # what was taken back is not at once deemed lost again
    assert end.stack.counters["RetransSegs"] == sent


def test_a_timeout_is_taken_back_by_the_echo_of_the_original() -> None:
    end = reach.syn_sent(tcp_sack=True, tcp_recovery=1, tcp_timestamps=1, tcp_initial_cwnd=8)
    end.wait(RTT)
    end.arrives(f"S. seq={reach.IRS} mss={SEGMENT + 12} sackok ts=1/{clock(end)}")
    sent_at = clock(end)
    end.send(bytes(SEGMENT * 8))
    end.next_timeout()
    assert end.tcp.status().phase is Phase.LOSS
    end.wait(50 * MS)
    end.arrives(f". ack={FIRST + SEGMENT} ts=2/{sent_at}")
    assert end.stack.counters["TCPLossUndo"] == 1
    assert (end.tcp.status().phase, end.tcp.status().lost) == (Phase.OPEN, 0)
    assert "TCPSackRecovery" not in end.stack.counters
    assert restored(end)
