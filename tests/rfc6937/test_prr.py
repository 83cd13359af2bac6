"""Proportional Rate Reduction (RFC 6937; RFC 9937): how the window gets down to ssthresh, and no lower."""

from __future__ import annotations

from tests.rfc9293 import reach
from tests.rfc9293.notation import MS, End

FIRST = 101
SEGMENT = 1000


def sending(segments: int, more: int = 0, **sysctls: object) -> End:
    settings: dict[str, object] = {"tcp_sack": True, "tcp_recovery": 1, "tcp_congestion_control": "cubic", **sysctls}
    end = reach.syn_sent(**{"tcp_initial_cwnd": segments, **settings})
    end.wait(100 * MS)
    end.arrives(f"S. seq={reach.IRS} mss={SEGMENT} sackok")
    assert len(end.send(bytes(segments * SEGMENT + more))) == segments
    end.wait(100 * MS)
    return end


def block(end: End, left: int, right: int, una: int = 0) -> list[str]:
    """The acknowledgment of ``una`` segments, and a block of those from ``left`` up to ``right``."""
    blocks = f" sack={SEGMENT * (left - una)}:{SEGMENT * (right - una)}" if right > left else ""
    before = (end.tcp.status().snd_una - FIRST) // SEGMENT
    shifted = f" sack={SEGMENT * (left - before)}:{SEGMENT * (right - before)}" if blocks else ""
    return end.arrives(f". ack={FIRST + SEGMENT * una}{shifted}")


def windows(end: End) -> tuple[int, int]:
    status = end.tcp.status()
    return status.snd_cwnd // SEGMENT, status.snd_ssthresh // SEGMENT


def test_one_goes_out_at_once_and_then_in_proportion() -> None:
    """§3: seven tenths of what is delivered goes out, until that is what is in the network."""
    end = sending(10, more=20 * SEGMENT)
    sent = [len(block(end, 1, right)) for right in range(2, 11)]
    assert sent[2] == 1  # the retransmission, by the first report that counts
    assert sum(sent[2:]) == 5
    assert windows(end)[1] == 7


def test_at_its_end_the_window_is_ssthresh() -> None:
    end = sending(10)
    for right in range(2, 11):
        block(end, 1, right)
    block(end, 10, 10, una=10)
    assert windows(end) == (7, 7)


def test_below_ssthresh_each_delivery_lets_as_much_out() -> None:
    """The conservation bound: six of ten lost, nothing new acknowledged."""
    end = sending(10, more=20 * SEGMENT)
    assert block(end, 6, 7) == [". seq=+10000 ack=+0 len=1000"]
    block(end, 6, 8)
    assert len(block(end, 6, 9)) == 1
    assert len(block(end, 6, 10)) == 1


def test_progress_without_further_loss_lets_one_more_out() -> None:
    """§3, SSRB: the hole is filled, so slow start up to ssthresh."""
    end = sending(10, more=20 * SEGMENT)
    for right in (8, 9, 10):
        block(end, 6, right)
    assert len(block(end, 6, 10, una=1)) == 2


def test_a_further_loss_does_not() -> None:
    end = sending(10, more=20 * SEGMENT, tcp_recovery=0)
    block(end, 3, 4)
    block(end, 3, 5)
    assert block(end, 3, 6) == [". seq=+0 ack=+0 len=1000"]
    assert len(block(end, 3, 6, una=1)) <= 1


def test_what_came_twice_has_left_the_network_too() -> None:
    """RFC 9937 §6.2: a DSACK makes room for as much as it reports."""
    end = sending(10, more=20 * SEGMENT)
    for right in (8, 9, 10):
        block(end, 6, right)
    before = end.tcp.status().delivered
    end.arrives(f". ack={FIRST + SEGMENT} sack=0:1000,6000:10000")
    assert end.tcp.status().delivered == before + 2


def test_it_never_reaches_zero() -> None:
    """A window of less than a segment would send nothing."""
    end = sending(4)
    for right in (2, 3, 4):
        block(end, 1, right)
    assert end.tcp.status().snd_cwnd >= SEGMENT
