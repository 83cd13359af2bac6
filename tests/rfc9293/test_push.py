"""RFC 9293 §3.9.1.2: the PUSH flag, and when text goes out (§3.7.4, §3.8.6.2.1)."""

from __future__ import annotations

import pytest

from tests.rfc9293 import reach
from tests.rfc9293.notation import SECOND, End
from tulpen.tcp.config import SocketOptions
from tulpen.wire.segment import PSH

NODELAY = SocketOptions(tcp_nodelay=True)


def nodelay(**given: object) -> End:
    return reach.established("mss=1000", options=NODELAY, **given)


@pytest.mark.requirement("MAY-15")
def test_a_pushed_text_goes_at_once_with_psh() -> None:
    assert reach.established().send(b"abc") == ["P. seq=+0 ack=+0 len=3"]


@pytest.mark.requirement("SHLD-27", "SHLD-28")
def test_psh_bits_are_collapsed() -> None:
    """Many pushed SENDs in one window: full segments, and one PSH at the end of them."""
    end = reach.established("mss=1000", tcp_nagle_small=False)
    end.send(bytes(1000))
    for _ in range(40):
        end.tcp.send(bytes(60), end.now)
    assert end.sent() == [". seq=+1000 ack=+0 len=1000", ". seq=+2000 ack=+0 len=1000"]
    assert end.arrives(". ack=+0") == ["P. seq=+0 ack=+0 len=400"]


@pytest.mark.requirement("MAY-16")
def test_text_that_is_not_pushed_is_gathered() -> None:
    end = nodelay()
    assert [end.send(bytes(300), push=False) for _ in range(3)] == [[], [], []]
    assert end.send(bytes(300), push=False) == [". seq=+0 ack=+0 len=1000"]


def test_but_not_for_ever() -> None:
    """The override timer of §3.8.6.2.1."""
    end = nodelay()
    assert end.send(b"abc", push=False) == []
    wait, sent = end.next_timeout()
    assert (wait <= SECOND, sent) == (True, ["P. seq=+0 ack=+0 len=3"])


def test_and_half_of_the_largest_window_is_enough() -> None:
    """§3.8.6.2.1, rule 3: the peer has never had room for a segment."""
    end = reach.established("mss=1000 wnd=600", options=NODELAY)
    assert end.send(bytes(299), push=False) == []
    assert end.send(bytes(1), push=False) == [". seq=+0 ack=+0 len=300"]


def test_what_was_pushed_takes_along_what_was_not() -> None:
    end = reach.established()
    end.send(b"a")
    end.tcp.send(b"b", end.now)
    end.tcp.send(b"c", end.now, push=False)
    assert end.sent() == []
    assert end.arrives(".") == [". seq=+0 ack=+0 len=2"]


def test_a_push_without_text_pushes_what_waits() -> None:
    end = nodelay()
    end.send(b"abc", push=False)
    end.tcp.send(b"", end.now)
    assert end.sent() == ["P. seq=+0 ack=+0 len=3"]


def test_psh_stands_where_the_push_did() -> None:
    end = reach.established("mss=1000")
    end.send(bytes(500), push=True)
    assert end.send(bytes(1500), push=False) == [". seq=+500 ack=+0 len=1000"]
    end.tcp.send(bytes(500), end.now, push=True)
    assert end.sent() == ["P. seq=+1500 ack=+0 len=1000"]


def test_text_that_follows_takes_the_push_along() -> None:
    """What ends a stretch is pushed, if anything is; a SEND that fills it up says so for all of it."""
    end = reach.established("mss=1000")
    end.tcp.send(bytes(500), end.now, push=True)
    end.tcp.send(bytes(1500), end.now, push=False)
    assert end.sent() == [". seq=+0 ack=+0 len=1000", ". seq=+1000 ack=+0 len=1000"]


@pytest.mark.requirement("SHLD-28")
def test_each_half_of_the_largest_window_is_pushed_while_more_is_written() -> None:
    """A receiver that waits for a push is not to wait with half of its buffer full."""
    end = reach.established("mss=1000 wnd=8000")
    flags = [text[:2] for text in end.send(bytes(8000), push=False)]
    assert flags == [". ", ". ", ". ", ". ", ". ", ". ", ". ", "P."]


def test_psh_again_where_it_is_sent_again() -> None:
    end = reach.established()
    end.send(b"abc")
    assert end.next_timeout()[1] == ["P. seq=+0 ack=+0 len=3"]


def test_fin_pushes() -> None:
    end = nodelay()
    end.tcp.send(b"abc", end.now, push=False)
    assert end.shutdown() == ["FP. seq=+0 ack=+0 len=3"]


def test_a_fin_alone_has_nothing_to_push() -> None:
    assert reach.established().shutdown() == ["F. seq=+0 ack=+0"]


def test_cork_holds_even_what_is_pushed() -> None:
    end = reach.established("mss=1000", options=SocketOptions(tcp_cork=True))
    assert end.send(bytes(1500)) == [". seq=+0 ack=+0 len=1000"]
    end.arrives(".")
    assert end.tcp.status().unacked == 0
    end.tcp.tcb.options.tcp_cork = False
    assert end.sent() == ["P. seq=+0 ack=+0 len=500"]


@pytest.mark.parametrize("flags", ["P.", "."])
def test_what_is_received_is_told_at_once_pushed_or_not(flags: str) -> None:
    """§3.9.1.3: a PSH is not passed on, and none is waited for."""
    end = reach.established()
    end.arrives(f"{flags} data=abc")
    assert end.tcp.readable == 3


def test_only_text_has_psh() -> None:
    end = reach.established()
    end.tcp.segment_arrives(end.arriving("F."), end.now)
    end.tcp.shutdown(end.now)
    assert not any(segment.flags & PSH for segment in end.tcp.segments_to_send(end.now))
