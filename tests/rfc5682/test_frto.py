"""F-RTO (RFC 5682 §2.1, §3.1): whether a retransmission timeout was spurious, found out by new text."""

from __future__ import annotations

import pytest

from tests.rfc9293 import reach
from tests.rfc9293.notation import MS, End
from tulpen.tcp.loss import Phase

FIRST = 101
RESENT = ". seq=+0 ack=+0 len=1000"


def timed_out(*, sack: bool, segments: int = 6, more: int = 20_000, **sysctls: object) -> End:
    """All of ``segments`` are late, and the first went out again."""
    offer = "sackok" if sack else ""
    end = reach.sending(segments, more=more, offer=offer, **({"tcp_sack": sack, "tcp_frto": 2} | sysctls))
    assert end.next_timeout()[1] == [RESENT]
    assert end.tcp.status().phase is Phase.LOSS
    end.wait(10 * MS)
    return end


def ack(segments: int) -> str:
    return f". ack={FIRST + 1000 * segments}"


@pytest.mark.parametrize("sack", [True, False])
def test_the_first_acknowledgment_sends_two_new_segments(sack: bool) -> None:
    """Step 2b: instead of what was lost, if it was."""
    end = timed_out(sack=sack)
    assert end.arrives(ack(1)) == [". seq=+5000 ack=+0 len=1000", ". seq=+6000 ack=+0 len=1000"]


@pytest.mark.parametrize("sack", [True, False])
def test_the_second_proves_that_nothing_was_lost(sack: bool) -> None:
    """Step 3b: it acknowledges what was not sent again."""
    end = timed_out(sack=sack)
    end.arrives(ack(1))
    end.arrives(ack(2))
    assert end.stack.counters["TCPSpuriousRTOs"] == end.stack.counters["TCPLossUndo"] == 1
    status = end.tcp.status()
    assert (status.phase, status.lost) == (Phase.OPEN, 0)
    assert status.snd_cwnd >= 6000
    assert status.snd_ssthresh > 6000
    assert end.stack.counters["RetransSegs"] == 1


def test_a_duplicate_proves_the_loss() -> None:
    """Step 3a: what was deemed lost goes out again."""
    end = timed_out(sack=False)
    end.arrives(ack(1))
    assert end.arrives(ack(1)) == [RESENT]
    assert "TCPSpuriousRTOs" not in end.stack.counters


def test_so_does_what_is_reported_of_the_new_text() -> None:
    end = timed_out(sack=True)
    end.arrives(ack(1))
    assert RESENT in end.arrives(f"{ack(1)} sack=5000:6000")
    end.arrives(f"{ack(1)} sack=5000:7000")
    assert "TCPSpuriousRTOs" not in end.stack.counters


def test_sack_of_what_was_never_sent_again_is_enough() -> None:
    """§3.1: before anything new is acknowledged."""
    end = timed_out(sack=True)
    end.arrives(f"{ack(0)} sack=1000:2000")
    assert end.stack.counters["TCPSpuriousRTOs"] == 1


def test_without_new_text_what_was_lost_goes_out() -> None:
    """Step 2b, where there is nothing to send."""
    end = timed_out(sack=True, more=0)
    assert end.arrives(ack(1)) == [RESENT, ". seq=+1000 ack=+0 len=1000"]


def test_nor_where_the_peer_has_no_room_for_it() -> None:
    end = timed_out(sack=True)
    assert end.arrives(f"{ack(1)} wnd=5000") == [RESENT, ". seq=+1000 ack=+0 len=1000"]


def test_all_acknowledged_at_once_decides_nothing() -> None:
    """Step 2a, without SACK: what was sent again may have filled the only hole."""
    end = timed_out(sack=False)
    end.arrives(ack(6))
    assert "TCPSpuriousRTOs" not in end.stack.counters
    assert end.tcp.status().snd_ssthresh == 3000


def test_it_can_be_switched_off() -> None:
    end = timed_out(sack=True, tcp_frto=0)
    assert end.arrives(ack(1)) == [RESENT, ". seq=+1000 ack=+0 len=1000"]


def test_a_second_timeout_asks_again() -> None:
    """§2.1, step 1: the retransmission was late as well."""
    end = timed_out(sack=True)
    assert end.next_timeout()[1] == [RESENT]
    end.arrives(ack(1))
    end.arrives(ack(2))
    assert end.stack.counters["TCPSpuriousRTOs"] == 1


def test_the_timeout_that_waits_for_new_text_still_comes() -> None:
    """The new text is lost: what was sent first goes out again, whatever was held back."""
    end = timed_out(sack=True)
    end.arrives(ack(1))
    assert end.next_timeout()[1] == [RESENT]
