"""RFC 9293 §3.7: the MSS option, the size of what is sent, the Nagle algorithm."""

from __future__ import annotations

import pytest

from tests.rfc9293 import reach
from tests.rfc9293.notation import End
from tulpen.tcp.config import SocketOptions
from tulpen.tcp.connection import Connection
from tulpen.tcp.stack import Stack


def established(offers: str = "mss=1460", **given: object) -> End:
    """An active open whose SYN,ACK has this MSS option."""
    end = reach.syn_sent(**given)
    assert end.arrives(f"S. seq={reach.IRS} {offers}") == [". seq=+0 ack=+0"]
    return end


def sizes(sent: list[str]) -> list[int]:
    return [int(text.rpartition("len=")[2]) for text in sent]


@pytest.mark.requirement("MUST-14", "MAY-3", "SHLD-5")
@pytest.mark.parametrize("mss", [536, 1220, 1460, 8960])
def test_the_syn_tells_what_can_be_received(mss: int) -> None:
    end = End(mss=mss)
    end.tcp.open_active(end.now)
    (syn,) = end.tcp.segments_to_send(end.now)
    assert syn.options.mss == mss


@pytest.mark.requirement("MUST-65")
def test_no_segment_without_syn_has_the_option() -> None:
    end = reach.established()
    end.tcp.send(bytes(5000), end.now)
    end.tcp.shutdown(end.now)
    sent = end.tcp.segments_to_send(end.now)
    assert sent
    assert all(segment.options.mss is None for segment in sent)


@pytest.mark.requirement("MUST-15")
@pytest.mark.parametrize(("ipv6", "default"), [(False, 536), (True, 1220)])
def test_without_the_option_a_default_is_assumed(ipv6: bool, default: int) -> None:
    end = End()
    end.tcp = Connection(Stack(end.stack.settings), iss=end.iss, mss=8000, ipv6=ipv6)
    end.tcp.open_active(end.now)
    end.sent()
    end.arrives(f"S. seq={reach.IRS}")
    assert max(sizes(end.send(bytes(2000)))) == default


@pytest.mark.requirement("MUST-14", "MUST-16")
@pytest.mark.parametrize(("theirs", "ours", "sent"), [(1000, 1460, 1000), (1460, 1000, 1000), (9000, 1460, 1460)])
def test_a_segment_is_no_longer_than_either_end_says(theirs: int, ours: int, sent: int) -> None:
    end = established(f"mss={theirs}", mss=ours)
    assert max(sizes(end.send(bytes(3000)))) == sent


@pytest.mark.requirement("MUST-16")
def test_timestamps_take_their_room() -> None:
    end = reach.syn_sent(tcp_timestamps=1)
    end.arrives(f"S. seq={reach.IRS} mss=1000 ts=1/0")
    assert max(sizes(end.send(bytes(3000)))) == 1000 - 12


@pytest.mark.requirement("MUST-16")
def test_a_narrower_path_makes_segments_shorter() -> None:
    end = established("mss=1460")
    end.tcp.path_mss(500, end.now)
    assert max(sizes(end.send(bytes(2000)))) == 500


@pytest.mark.requirement("SHLD-28")
def test_the_largest_segment_possible_is_sent() -> None:
    assert sizes(established("mss=1000").send(bytes(2000))) == [1000, 1000]


@pytest.mark.requirement("SHLD-7")
def test_nagle_holds_small_segments_while_something_is_unacknowledged() -> None:
    end = established()
    assert sizes(end.send(b"a")) == [1]
    assert end.send(b"b") == end.send(b"c") == []
    assert sizes(end.arrives(".")) == [2]


@pytest.mark.requirement("SHLD-7")
def test_nagle_lets_full_segments_pass() -> None:
    end = established("mss=1000")
    end.send(b"a")
    assert sizes(end.send(bytes(1500))) == [1000]


@pytest.mark.requirement("MUST-17")
def test_the_application_can_switch_nagle_off() -> None:
    end = established(options=SocketOptions(tcp_nodelay=True))
    assert [sizes(end.send(octet)) for octet in (b"a", b"b", b"c")] == [[1], [1], [1]]


@pytest.mark.requirement("MAY-15", "MAY-16", "SHLD-27")
def test_what_is_not_pushed_is_gathered_and_psh_ends_the_whole() -> None:
    end = established("mss=1000", options=SocketOptions(tcp_nodelay=True))
    assert end.send(b"a" * 400, push=False) == []
    assert end.send(b"b" * 400, push=False) == []
    assert end.send(b"c" * 400, push=True) == [". seq=+0 ack=+0 len=1000", "P. seq=+1000 ack=+0 len=200"]
