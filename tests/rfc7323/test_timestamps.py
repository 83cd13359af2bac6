"""RFC 7323 §3 to §5: timestamps, which of them is echoed, and PAWS."""

from __future__ import annotations

import errno

import pytest

from tests.rfc9293 import reach
from tests.rfc9293.notation import MS, SECOND, End
from tulpen.tcp.state import CLOSED, ESTABLISHED, SYN_RECEIVED
from tulpen.tcp.trace import Reason

DAY = 86_400 * SECOND
NEVER_SENT = 1 << 31


def stamped(offer: str = "ts=100/0", **given: object) -> End:
    """ESTABLISHED with a peer whose timestamps begin at 100."""
    return reach.established(f"mss=1460 {offer}", tcp_timestamps=1, **given)


def echoes(end: End, text: str) -> int:
    """TSecr of what answers an arrival, the delayed acknowledgment awaited."""
    end.tcp.segment_arrives(end.arriving(text), end.now)
    sent = end.tcp.segments_to_send(end.now)
    if not sent:
        end.now += 40 * MS
        end.tcp.timeout(end.now)
        sent = end.tcp.segments_to_send(end.now)
    return sent[-1].options.tsecr


# §3.2


@pytest.mark.parametrize(("ours", "theirs", "agreed"), [(1, "ts=9/0", True), (1, "", False), (0, "ts=9/0", False)])
def test_both_must_offer_it(ours: int, theirs: str, agreed: bool) -> None:
    end = reach.established(f"mss=1460 {theirs}", tcp_timestamps=ours, show="ts")
    assert end.tcp.status().timestamps is agreed
    assert ("ts=" in end.send(b"x")[0]) is agreed


def test_a_syn_echoes_nothing_and_a_syn_ack_the_syn() -> None:
    active = reach.closed(tcp_timestamps=1)
    active.tcp.open_active(active.now)
    (syn,) = active.tcp.segments_to_send(active.now)
    assert (syn.options.tsval, syn.options.tsecr) == (active.now // MS, 0)
    passive = reach.listen(tcp_timestamps=1)
    passive.tcp.segment_arrives(passive.arriving("S seq=300 ts=77/0"), passive.now)
    (answer,) = passive.tcp.segments_to_send(passive.now)
    assert answer.options.tsecr == 77


def test_every_segment_carries_it() -> None:
    end = stamped()
    sent = []
    end.tcp.send(bytes(4000), end.now)
    sent += end.tcp.segments_to_send(end.now)
    end.tcp.segment_arrives(end.arriving("P. seq=+5 data=x ts=101/1"), end.now)
    sent += end.tcp.segments_to_send(end.now)
    end.tcp.abort(end.now)
    sent += end.tcp.segments_to_send(end.now)
    assert len(sent) >= 4
    assert all(segment.options.tsval is not None for segment in sent)


@pytest.mark.parametrize("text", [".", "P. data=abc", "F.", ". seq=-1"])
def test_a_segment_that_lacks_it_is_dropped_in_silence(text: str) -> None:
    end = stamped()
    assert end.arrives(text) == []
    assert (end.state, end.tcp.readable) == (ESTABLISHED, 0)
    assert end.reasons() == [Reason.NO_TIMESTAMP]


def test_a_reset_may_lack_it() -> None:
    end = stamped()
    end.arrives("R")
    assert end.tcp.error == errno.ECONNRESET


def test_so_may_the_syn_of_a_peer_that_has_restarted() -> None:
    assert stamped().arrives("S seq=9000") == [". seq=+0 ack=+0"]


def test_where_it_was_not_agreed_it_is_ignored() -> None:
    end = reach.established("mss=1460", tcp_timestamps=1)
    end.arrives("P. data=abc ts=100/1")
    end.arrives("P. data=def ts=1/1")
    assert bytes(end.tcp.receive(9)) == b"abcdef"


def test_an_offset_of_its_own_for_each_connection() -> None:
    """§5.4: so that the host's clock is not told."""
    end = reach.closed(tcp_timestamps=1)
    end.tcp.tcb.ts_offset = (1 << 32) - 5
    end.tcp.open_active(end.now)
    (syn,) = end.tcp.segments_to_send(end.now)
    assert syn.options.tsval == end.now // MS - 5


# §4.3


def test_delayed_acknowledgments_echo_the_first_they_stand_for() -> None:
    end = stamped()
    end.arrives(". data=A ts=101/1")
    end.arrives(". data=B ts=102/1")
    assert echoes(end, ". data=C ts=103/1") == 101


def test_the_sequence_of_the_rfc() -> None:
    """The second example: segments out of order, each acknowledged."""
    end = stamped()
    start = 301
    rows = [("A", 0, 101, 101), ("C", 2, 103, 101), ("B", 1, 102, 102), ("E", 4, 105, 102), ("D", 3, 104, 104)]
    for letter, place, tsval, recent in rows:
        assert echoes(end, f". seq={start + place} data={letter} ts={tsval}/1") == recent, letter
    assert bytes(end.tcp.receive(9)) == b"ABCDE"


def test_a_segment_that_repeats_old_text_before_the_new_counts_by_its_beginning() -> None:
    """SEG.SEQ =< Last.ACK.sent: as it came, not as it was trimmed."""
    end = stamped()
    end.arrives(". data=A ts=101/1")
    assert echoes(end, ". seq=-1 data=AB ts=107/1") == 107


# §5.2, §5.3


@pytest.mark.parametrize(
    ("because", "arrives", "replies"),
    [
        ("old text is acknowledged and dropped", "P. data=abc ts=99/1", [". seq=+0 ack=+0"]),
        ("an old acknowledgment too", ". ts=99/1", [". seq=+0 ack=+0"]),
        ("an old FIN too", "F. ts=99/1", [". seq=+0 ack=+0"]),
        ("a SYN too: the peer may have restarted", "S seq=9 ts=99/1", [". seq=+0 ack=+0"]),
        ("half the clock ahead is behind", ". ts=2147483748/1", [". seq=+0 ack=+0"]),
    ],
)
def test_paws(because: str, arrives: str, replies: list[str]) -> None:
    end = stamped()
    assert end.arrives(arrives) == replies, because
    assert (end.state, end.tcp.readable) == (ESTABLISHED, 0)
    assert end.reasons() == [Reason.PAWS]


@pytest.mark.parametrize("tsval", [100, 101, 100 + (1 << 31) - 1])
def test_what_is_not_older_passes(tsval: int) -> None:
    end = stamped()
    end.arrives(f"P. data=abc ts={tsval}/1")
    assert end.tcp.readable == 3


def test_the_clock_may_wrap() -> None:
    end = stamped("ts=4294967295/0")
    end.arrives("P. data=abc ts=3/1")
    end.arrives("P. data=xyz ts=4294967295/1")
    assert bytes(end.tcp.receive(9)) == b"abc"


def test_old_acknowledgments_are_answered_at_a_limited_rate() -> None:
    end = stamped()
    assert end.arrives(". ts=99/1") == [". seq=+0 ack=+0"]
    assert end.arrives(". ts=99/1") == []
    assert end.arrives("P. data=x ts=99/1") == [". seq=+0 ack=+0"]


def sparing() -> End:
    """A peer of which three octets and then an ACK came, with a timestamp of 110, where mere ACKs are spared."""
    end = stamped(tcp_paws_spares_acks=True)
    end.arrives("P. data=abc ts=109/1")
    end.wait(50 * MS)
    end.arrives(". ts=110/1")
    return end


def test_an_acknowledgment_that_was_overtaken_does_no_harm() -> None:
    end = sparing()
    assert end.arrives(". ts=105/1") == []
    assert end.reasons() == []
    assert echoes(end, "P. data=d ts=111/1") == 111


@pytest.mark.parametrize(
    ("because", "arrives"),
    [
        ("text", "P. data=d ts=105/1"),
        ("a FIN", "F. ts=105/1"),
        ("it changes the window", ". wnd=0 ts=105/1"),
        ("it is far too old for that", ". ts=4294960000/1"),
    ],
)
def test_no_other_is_spared(because: str, arrives: str) -> None:
    end = sparing()
    end.wait(5 * SECOND)
    assert end.arrives(arrives) == [". seq=+0 ack=+0"], because
    assert end.reasons() == [Reason.PAWS]


def test_one_from_before_what_has_come_since_is_left_unanswered() -> None:
    end = sparing()
    assert end.arrives(". seq=-3 ts=105/1") == []
    assert end.reasons() == [Reason.PAWS_OLD_ACK]


def test_paws_goes_before_the_sequence_number() -> None:
    end = stamped()
    end.arrives(". seq=-5 ts=99/1")
    assert end.reasons()[0] is Reason.PAWS


def test_what_lies_outside_the_window_leaves_no_timestamp() -> None:
    end = stamped()
    end.arrives("P. seq=-5 data=abc ts=5000/1")
    assert echoes(end, "P. data=abc ts=101/1") == 101


def test_what_acknowledges_the_unsent_leaves_none_either() -> None:
    end = stamped()
    end.arrives("F. ack=+9999 ts=5000/1")
    assert end.reasons() == [Reason.ACK_OF_UNSENT]
    assert echoes(end, "P. data=abc ts=101/1") == 101


def test_a_reset_is_not_subjected_to_it_and_leaves_none() -> None:
    """§5.2."""
    end = stamped()
    end.arrives("R seq=+1 ts=99/0")
    assert end.reasons() == [Reason.RST_NOT_NEXT]
    end.arrives("R seq=+1 ts=5000/0")
    assert echoes(end, "P. data=abc ts=101/1") == 101
    end.arrives("R ts=50/0")
    assert end.state is CLOSED


def test_resets_for_no_connection_echo_the_timestamp() -> None:
    """§5.2: TSecr from the segment that is refused, TSval zero."""
    for text in (". seq=5 ack=700 ts=55/1", "S seq=5 ts=55/0"):
        end = reach.closed()
        end.tcp.segment_arrives(end.arriving(text), end.now)
        (reset,) = end.tcp.segments_to_send(end.now)
        assert (reset.options.tsval, reset.options.tsecr) == (0, 55)


# §5.5


def test_after_24_days_the_timestamp_is_outdated() -> None:
    end = stamped()
    end.wait(25 * DAY)
    end.arrives("P. data=abc ts=99/1")
    assert end.tcp.readable == 3


def test_and_the_one_that_comes_then_takes_its_place() -> None:
    end = stamped()
    end.wait(25 * DAY)
    assert echoes(end, "P. data=abc ts=50/1") == 50
    end.arrives("P. data=def ts=49/1")
    assert end.reasons() == [Reason.PAWS]


def test_before_that_it_is_not() -> None:
    end = stamped()
    end.wait(23 * DAY)
    end.arrives("P. data=abc ts=99/1")
    assert end.tcp.readable == 0


def test_while_the_syn_is_acknowledged_too() -> None:
    end = reach.listen(tcp_timestamps=1)
    end.arrives("S seq=300 ts=100/0")
    end.arrives(". ts=99/0")
    assert end.state is SYN_RECEIVED
    end.arrives(". ts=100/0")
    assert end.state is ESTABLISHED
