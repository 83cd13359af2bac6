"""RFC 9293 §3.2, §3.7.1, as the connection sees them: options that agree on something, and all the others."""

from __future__ import annotations

import pytest

from tests.rfc9293 import reach
from tulpen.tcp.state import ESTABLISHED
from tulpen.wire.options import Options
from tulpen.wire.segment import ACK, Segment


@pytest.mark.parametrize(
    ("because", "told", "used"),
    [
        ("what the peer says", 1000, 1000),
        ("not more than the path takes", 65_535, 1460),
        ("tcp_min_snd_mss is the floor", 1, 48),
        ("zero is no figure", 0, 536),
    ],
)
def test_the_mss_of_the_peer(because: str, told: int, used: int) -> None:
    assert reach.established(f"mss={told}").tcp.status().snd_mss == used, because


@pytest.mark.requirement("MUST-65")
def test_what_only_a_syn_may_say_counts_for_nothing_later() -> None:
    end = reach.established("mss=1000", tcp_window_scaling=True, tcp_sack=True)
    end.arrives(". mss=100 ws=7 sackok wnd=2000")
    status = end.tcp.status()
    assert (status.snd_mss, status.snd_wnd, status.snd_wscale, status.sack) == (1000, 2000, 0, False)


@pytest.mark.requirement("MUST-5", "MUST-6")
@pytest.mark.parametrize(
    "options",
    [
        Options(others=((30, b"\0" * 18),)),
        Options(others=((253, b""), (254, b"abcdef"))),
        Options(malformed=True),
        Options(mss=5, others=((5, b""),), malformed=True),
    ],
    ids=repr,
)
def test_options_that_are_not_understood_change_nothing(options: Options) -> None:
    end = reach.established()
    end.tcp.segment_arrives(Segment(301, 101, ACK, 65_535, b"abc", options), end.now)
    assert end.state is ESTABLISHED
    assert bytes(end.tcp.receive(9)) == b"abc"
    assert end.reasons() == []


@pytest.mark.parametrize("state", list(reach.REACH), ids=lambda state: state.title)
def test_nor_do_they_in_any_state(state: object) -> None:
    plain, odd = reach.REACH[state](), reach.REACH[state]()  # type: ignore[index]
    for end, options in ((plain, Options()), (odd, Options(others=((30, b"xyz"),), malformed=True))):
        segment = end.arriving("P. data=abc")
        end.tcp.segment_arrives(
            Segment(segment.seq, segment.ack, segment.flags, segment.wnd, segment.data, options), end.now
        )
    assert plain.sent() == odd.sent()
    assert plain.state is odd.state


@pytest.mark.requirement("MAY-3", "SHLD-5")
def test_a_syn_ack_tells_what_can_be_received_too() -> None:
    end = reach.listen(mss=8960)
    end.tcp.segment_arrives(end.arriving("S seq=300 mss=1000"), end.now)
    (answer,) = end.tcp.segments_to_send(end.now)
    assert answer.options.mss == 8960


def test_a_syn_ack_says_nothing_that_the_syn_did_not() -> None:
    """RFC 7323 §1.3: middleboxes and old stacks may choke on it."""
    end = reach.listen(tcp_timestamps=1, tcp_sack=True, tcp_window_scaling=True)
    end.tcp.segment_arrives(end.arriving("S seq=300"), end.now)
    (answer,) = end.tcp.segments_to_send(end.now)
    assert answer.options == Options(mss=1460)


def test_crossing_syns_agree_on_what_both_have() -> None:
    end = reach.syn_sent(tcp_timestamps=1, tcp_sack=True, tcp_window_scaling=True)
    end.tcp.segment_arrives(end.arriving("S seq=300 mss=1000 sackok"), end.now)
    (answer,) = end.tcp.segments_to_send(end.now)
    assert (answer.options.sack_permitted, answer.options.wscale, answer.options.tsval) == (True, None, None)
