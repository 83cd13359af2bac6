"""RFC 6582: NewReno, fast recovery by partial acknowledgments where there is no SACK."""

from __future__ import annotations

from tests.rfc9293 import reach
from tests.rfc9293.notation import MS, SECOND, End

FIRST = 101  # the first octet in flight
DUPLICATE = f". ack={FIRST}"
AGAIN = ". seq=+0 ack=+0 len=1000"


def ack(segments: int) -> str:
    return f". ack={FIRST + 1000 * segments}"


def state(end: End) -> tuple[int, int]:
    status = end.tcp.status()
    return status.snd_cwnd, status.snd_ssthresh


def recovering(segments: int, duplicates: int, more: int = 0) -> End:
    """The first segment was lost; so many duplicates came back."""
    end = reach.sending(segments, more=more)
    sent = [end.arrives(DUPLICATE) for _ in range(duplicates)]
    assert AGAIN in sent[2]
    return end


def test_a_partial_acknowledgment_sends_the_next_segment_again() -> None:
    """§3.2, step 3: the first, third and fifth of eight were lost."""
    end = recovering(8, 5)
    assert end.arrives(ack(2)) == [AGAIN]
    assert end.arrives(ack(4)) == [AGAIN]
    assert end.arrives(ack(8)) == []
    assert state(end) == (4000, 4000)
    assert end.stack.counters["TCPRenoRecovery"] == 1


def test_it_deflates_the_window_by_what_it_acknowledges_less_a_segment() -> None:
    """Five segments are acknowledged; the one sent again takes the place that is left."""
    end = recovering(8, 6, more=20_000)
    before = end.tcp.status().unacked
    sent = end.arrives(ack(5))
    assert sent[0] == AGAIN
    assert end.tcp.status().unacked - (before - 5000) <= 2000


def test_each_partial_acknowledgment_restarts_the_timer() -> None:
    """§4, the slow-but-steady variant, as Linux has it."""
    end = recovering(8, 5)
    for segments in (2, 4, 6):
        end.wait(100 * MS)
        end.arrives(ack(segments))
        assert end.tcp.status().timer_at == end.now + end.tcp.status().rto


def test_the_end_of_recovery_restarts_it_for_what_is_new() -> None:
    end = recovering(8, 9, more=20_000)
    end.arrives(ack(2))
    end.wait(100 * MS)
    end.arrives(ack(4))
    before = end.tcp.status().timer_at
    end.wait(50 * MS)
    end.arrives(ack(13))
    assert end.tcp.status().unacked > 0
    assert end.tcp.status().timer_at > before


def test_a_timeout_in_fast_recovery_ends_it() -> None:
    """§3.2, step 4."""
    end = recovering(8, 5)
    assert end.next_timeout()[1] == [AGAIN]
    assert state(end)[0] == 1000
    assert end.arrives(ack(2)) == [AGAIN, ". seq=+1000 ack=+0 len=1000", ". seq=+2000 ack=+0 len=1000"]


def test_duplicates_below_recover_start_no_second_fast_retransmit() -> None:
    """§3.2, step 2: three segments sent again needlessly come back as three duplicates."""
    end = recovering(8, 7)
    end.arrives(ack(8))
    end.send(bytes(4000))
    assert state(end) == (4000, 4000)
    for _ in range(4):
        assert AGAIN not in end.arrives(ack(8))
    assert state(end) == (4000, 4000)


def test_duplicates_beyond_it_do() -> None:
    end = recovering(8, 7)
    end.arrives(ack(8))
    end.send(bytes(5000))
    end.arrives(ack(9))
    sent = [end.arrives(ack(9)) for _ in range(3)]
    assert AGAIN in sent[2]


def test_duplicates_after_a_timeout_start_none_until_all_is_acknowledged() -> None:
    """§4."""
    end = reach.sending(8)
    end.next_timeout()
    end.arrives(ack(3))
    for _ in range(4):
        assert end.arrives(ack(3)) == []
    end.arrives(ack(8))
    end.send(bytes(3000))
    for _ in range(4):
        assert AGAIN not in end.arrives(ack(8))


def test_a_handshake_that_took_a_retransmission_starts_at_iss() -> None:
    """§3.2, step 1: the first segment of all may be lost."""
    end = reach.sending(4)
    assert [end.arrives(DUPLICATE) for _ in range(3)][2] == [AGAIN]


def test_every_segment_of_a_window_lost_but_the_last() -> None:
    """One duplicate only: the timeout, and then slow start over all that is missing."""
    end = reach.sending(8)
    assert end.arrives(DUPLICATE) == []
    elapsed, sent = end.next_timeout()
    assert (elapsed <= 3 * SECOND, sent) == (True, [AGAIN])
    assert [len(end.arrives(ack(arrived))) for arrived in range(1, 7)] == [2, 2, 2, 1, 0, 0]
    assert end.arrives(ack(8)) == []
    assert end.tcp.status().unacked == 0
