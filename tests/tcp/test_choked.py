"""A device that takes nothing: new text waits, and is tried again."""

from __future__ import annotations

from tests.rfc9293.notation import MS, SECOND, End
from tests.rfc9293.reach import established
from tulpen.tcp.config import SocketOptions
from tulpen.tcp.state import CLOSED, ESTABLISHED


def choked(**given: object) -> End:
    end = established("mss=1000", **given)
    end.stack.choked = True
    assert end.send(b"abc") == []
    return end


def test_it_is_tried_again_without_a_probe() -> None:
    end = choked()
    waits = [end.next_timeout() for _ in range(4)]
    assert [sent for _, sent in waits] == [[]] * 4
    assert [wait for wait, _ in waits[1:]] == [500 * MS] * 3
    assert (end.tcp.status().probes, end.tcp.status().backoff) == (4, 0)


def test_and_goes_once_the_device_takes_it() -> None:
    end = choked()
    end.next_timeout()
    end.stack.choked = False
    assert end.next_timeout()[1] == ["P. seq=+0 ack=+0 len=3"]
    assert end.state is ESTABLISHED


def test_the_user_timeout_ends_that() -> None:
    end = choked(options=SocketOptions(tcp_user_timeout=3000))
    end.next_timeout()
    begun = end.now
    while end.state is ESTABLISHED:
        end.next_timeout()
    assert (end.state, end.now - begun, end.tcp.status().probes) == (CLOSED, 3 * SECOND, 6)
