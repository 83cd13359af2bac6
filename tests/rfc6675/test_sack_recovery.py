"""RFC 6675: loss recovery by SACK, an arrival a line."""

from __future__ import annotations

import pytest

from tests.rfc9293 import reach
from tests.rfc9293.notation import End
from tulpen.tcp.config import SocketOptions

FIRST = 101


def ack(segments: int, *sacked: tuple[int, int]) -> str:
    """The acknowledgment of so many segments, and blocks of segments beyond."""
    blocks = ",".join(f"{1000 * left}:{1000 * right}" for left, right in sacked)
    return f". ack={FIRST + 1000 * segments}" + (f" sack={blocks}" if blocks else "")


def again(*places: int) -> list[str]:
    return [f". seq=+{1000 * place} ack=+0 len=1000" for place in places]


def sending(segments: int, more: int = 0) -> End:
    end = reach.sending(segments, more=more, offer="sackok", tcp_sack=True)
    assert end.tcp.status().sack
    return end


def block(end: End, left: int, right: int) -> list[str]:
    """A duplicate whose SACK names segments by their place in the first flight."""
    una = (end.tcp.status().snd_una - FIRST) // 1000
    return end.arrives(ack(una, (left - una, right - una)))


def state(end: End) -> tuple[int, int]:
    status = end.tcp.status()
    return status.snd_cwnd, status.snd_ssthresh


# §4, IsLost


@pytest.mark.parametrize(
    ("because", "blocks", "sent"),
    [
        ("two segments above are too few", [(1, 3)], []),
        ("more than two are enough", [(1, 4)], again(0)),
        ("three runs above are enough", [(1, 2), (3, 4), (5, 6)], again(0)),
        ("two runs are not, if they are small", [(2, 3), (4, 5)], []),
        ("it is the octets that count, not the order", [(4, 7)], again(0, 1, 2)),
    ],
)
def test_is_lost(because: str, blocks: list[tuple[int, int]], sent: list[str]) -> None:
    end = sending(8)
    assert end.arrives(ack(0, *blocks)) == sent, because


def test_segments_below_smss_are_lost_by_the_count_of_reports() -> None:
    """§5, step 1: 300 octets above prove nothing by IsLost."""
    end = reach.established("mss=1000 sackok", tcp_sack=True, options=SocketOptions(tcp_nodelay=True))
    for _ in range(4):
        end.send(bytes(100))
    assert end.arrives(". ack=101 sack=100:200") == []
    assert end.arrives(". ack=101 sack=100:300") == []
    assert end.arrives(". ack=101 sack=100:400") == ["P. seq=+0 ack=+0 len=100"]


def test_a_duplicate_without_news_counts_for_nothing() -> None:
    """§2: a duplicate acknowledgment is one that reports something new."""
    end = sending(8)
    for _ in range(6):
        assert end.arrives(ack(0, (1, 2))) == []
    for _ in range(6):
        assert end.arrives(ack(0)) == []


@pytest.mark.parametrize(
    ("because", "blocks"),
    [
        ("below SND.UNA", "-500:1000"),
        ("beyond SND.NXT", "5000:9000"),
        ("the wrong way round", "4000:1000"),
        ("empty", "1000:1000"),
        ("half the sequence space away", "2147483000:2147484000"),
    ],
)
def test_blocks_that_cannot_be(because: str, blocks: str) -> None:
    end = sending(8)
    for _ in range(5):
        assert end.arrives(f". ack={FIRST} sack={blocks}") == [], because
    assert end.tcp.status().sacked == 0


# §5, entering


def test_entering_recovery_halves_the_window_once() -> None:
    """By the end of it (RFC 9937 §6.2)."""
    end = sending(10)
    assert end.arrives(ack(0, (1, 2))) == end.arrives(ack(0, (1, 3))) == []
    assert end.arrives(ack(0, (1, 4))) == again(0)
    windows = [state(end)[0]]
    for right in range(5, 11):
        end.arrives(ack(0, (1, right)))
        windows.append(state(end)[0])
        assert state(end)[1] == 5000
    assert windows == sorted(windows, reverse=True)
    end.arrives(ack(10))
    assert state(end) == (5000, 5000)
    assert end.stack.counters["TCPSackRecovery"] == 1


def test_the_first_retransmission_waits_for_no_window() -> None:
    """§5, step 4.3: more than ssthresh is in the network."""
    end = sending(10)
    assert end.arrives(ack(0, (1, 4))) == again(0)
    status = end.tcp.status()
    assert status.unacked - status.sacked > status.snd_ssthresh


def test_limited_transmit() -> None:
    """§5, step 3: each report lets as much out as it takes from pipe."""
    end = sending(8, more=10_000)
    assert end.arrives(ack(0, (1, 2))) == again(8)
    assert end.arrives(ack(0, (1, 3))) == again(9)
    assert end.arrives(ack(0, (1, 4))) == again(0)
    assert state(end)[1] == 4000  # what Limited Transmit sent does not count


# §4, NextSeg


def test_rule_1_what_is_lost_goes_first_as_pipe_allows() -> None:
    """0, 1 and 2 of ten were lost; cwnd is 5000."""
    end = sending(10, more=10_000)
    assert block(end, 3, 4) == again(10)
    assert block(end, 3, 5) == again(11)
    assert block(end, 3, 6) == again(0)  # 12 out, 3 reported, 3 lost, 1 again: 7 in the network
    assert block(end, 3, 7) == []
    assert block(end, 3, 8) == []
    assert block(end, 3, 9) == again(1)
    assert block(end, 3, 10) == again(2)


def test_rule_2_then_what_is_new() -> None:
    end = sending(10, more=10_000)
    sent = [end.arrives(ack(0, (1, right))) for right in range(2, 11)]
    # one for each two reported, as the window is to be half of what it was (RFC 9937 §6.2)
    assert sent == [again(10), again(11), again(0), [], again(12), [], again(13), [], []]


def test_rule_3_then_what_may_be_lost() -> None:
    """Nothing is new, and 5 has only two segments above it."""
    end = sending(8)
    assert block(end, 1, 4) == again(0)
    assert block(end, 4, 5) == []
    assert end.arrives(ack(0, (6, 8), (1, 5))) == again(5)
    assert end.arrives(ack(0, (6, 8), (1, 5))) == []


def test_rule_4_once_the_last_segment_to_keep_acknowledgments_coming() -> None:
    """The tail was lost too: nothing above it will report it."""
    end = sending(8)
    sent = [block(end, 2, right) for right in (3, 4, 5, 6)]
    assert sent == [[], [], again(0), again(1)]
    assert end.arrives(ack(1, (1, 5))) == []  # not before the first one sent again is acknowledged and more
    assert end.arrives(ack(6)) == ["P. seq=+1000 ack=+0 len=1000"]
    assert end.arrives(ack(6)) == []
    assert end.arrives(ack(8)) == []


# §5, steps A to C


def test_a_partial_acknowledgment_does_not_end_it() -> None:
    end = sending(10)
    for right in range(5, 11):
        end.arrives(ack(0, (2, 3), (4, right)))
    assert state(end) == (5000, 5000)
    end.arrives(ack(3, (1, 7)))
    end.arrives(ack(4))
    assert state(end) == (5000, 5000)


def test_an_acknowledgment_of_all_ends_it() -> None:
    end = sending(10, more=5000)
    for right in range(2, 11):
        end.arrives(ack(0, (1, right)))
    end.arrives(ack(11))
    assert end.tcp.status().snd_ssthresh == 5000
    end.arrives(ack(12))
    assert state(end) == (5000, 5000)
    # and a loss after it begins the next
    end.send(bytes(4000))
    end.arrives(ack(12, (1, 4)))
    assert end.stack.counters["TCPSackRecovery"] == 2


def test_every_second_segment_lost_is_mended_in_one_recovery() -> None:
    """Segments 0, 2, 4 and 6 of ten were lost."""
    end = sending(10)
    arrived = {1, 3, 5, 7, 8, 9}
    sent: list[str] = []
    for place in (1, 3, 5, 7, 8, 9):
        sent += block(end, place, place + 1)
    rounds = 0
    while len(arrived) < 10:
        rounds += 1
        assert rounds < 10
        una = (end.tcp.status().snd_una - FIRST) // 1000
        arrived |= {una + int(text.split("seq=+")[1].split()[0]) // 1000 for text in sent}
        reached = next(place for place in range(11) if place not in arrived)
        sent = end.arrives(ack(reached))
    assert end.tcp.status().unacked == 0
    assert end.stack.counters["RetransSegs"] == 4
    assert "TCPTimeouts" not in end.stack.counters


# §5.1


def test_a_timeout_in_recovery_begins_again_from_what_is_not_reported() -> None:
    end = sending(8)
    for right in (2, 3, 4):
        end.arrives(ack(0, (1, right)))
    assert end.next_timeout()[1] == again(0)
    assert state(end)[0] == 1000
    assert end.arrives(ack(4)) == again(0, 1)  # 4 and 5: 1 to 3 were reported and are not sent again


def test_after_a_timeout_no_recovery_begins_until_all_is_acknowledged() -> None:
    end = sending(8)
    end.next_timeout()
    for right in (2, 3, 4, 5):
        end.arrives(ack(0, (1, right)))
    assert "TCPSackRecovery" not in end.stack.counters
    end.arrives(ack(8))
    end.send(bytes(10_000))
    una = end.tcp.status().snd_una
    end.arrives(f". ack={una} sack=1000:2000")
    assert "TCPSackRecovery" not in end.stack.counters


def test_what_a_device_joined_is_reported_segment_by_segment() -> None:
    """Eight segments went out as two of 5000 and 3000 octets."""
    end = reach.established("mss=1000 sackok", tcp_sack=True)
    end.tcp.tcb.gso_max = 65_000
    assert end.send(bytes(8000)) == ["P. seq=+0 ack=+0 len=5000", "P. seq=+5000 ack=+0 len=3000"]
    assert end.arrives(ack(0, (1, 2))) == []
    assert end.arrives(ack(0, (1, 3))) == []
    assert end.arrives(ack(0, (1, 4))) == again(0)
    assert end.tcp.status().sacked == 3000
