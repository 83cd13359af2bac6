"""RFC 2018: what a receiver reports, and what a sender may do with it."""

from __future__ import annotations

import pytest

from tests.rfc9293 import reach
from tests.rfc9293.notation import End


def receiving(timestamps: int = 0) -> End:
    offer = "mss=1460 sackok" + (" ts=1/0" if timestamps else "")
    return reach.established(offer, tcp_sack=True, tcp_timestamps=timestamps, show="sack")


def arrives(end: End, place: int, length: int = 100) -> list[str]:
    """``length`` octets that lie ``place`` beyond 301, the first one expected."""
    stamp = " ts=1/0" if end.tcp.status().timestamps else ""
    return end.arrives(f". seq={301 + place} len={length}{stamp}")


def blocks(sent: list[str]) -> str:
    return sent[-1].rpartition("sack=")[2] if "sack=" in sent[-1] else ""


# §2, the option of a SYN


@pytest.mark.parametrize("sack", [True, False])
def test_it_is_offered_where_the_settings_say_so(sack: bool) -> None:
    end = reach.closed(tcp_sack=sack)
    end.tcp.open_active(end.now)
    (syn,) = end.tcp.segments_to_send(end.now)
    assert syn.options.sack_permitted is sack


@pytest.mark.parametrize(("offered", "answered"), [(" sackok", True), ("", False)])
def test_it_is_accepted_where_it_was_offered(offered: str, answered: bool) -> None:
    end = reach.listen(tcp_sack=True)
    end.tcp.segment_arrives(end.arriving("S seq=300" + offered), end.now)
    (answer,) = end.tcp.segments_to_send(end.now)
    assert answer.options.sack_permitted is answered
    assert end.tcp.status().sack is answered


@pytest.mark.parametrize(("offer", "ours"), [("", True), ("sackok", False)])
def test_without_both_there_is_none(offer: str, ours: bool) -> None:
    end = reach.established(f"mss=1460 {offer}", tcp_sack=ours, show="sack")
    assert arrives(end, 1000) == [". seq=+0 ack=+0"]
    end = reach.sending(8, offer=offer, tcp_sack=ours)
    end.arrives(". ack=101 sack=1000:5000")
    assert end.tcp.status().sacked == 0


# §4, the receiver


def test_the_first_block_holds_the_segment_that_has_just_come() -> None:
    """The examples of §7, where every second segment of 500 octets is lost."""
    end = receiving()
    assert blocks(arrives(end, 500, 500)) == "500:1000"
    assert blocks(arrives(end, 1500, 500)) == "1500:2000,500:1000"
    assert blocks(arrives(end, 2500, 500)) == "2500:3000,1500:2000,500:1000"


def test_a_block_is_as_long_as_can_be() -> None:
    """§7, case 2: the first of eight is lost."""
    end = receiving()
    for right in range(1000, 4500, 500):
        assert blocks(arrives(end, right - 500, 500)) == f"500:{right}"


def test_segments_that_join_two_blocks() -> None:
    end = receiving()
    arrives(end, 500, 100)
    arrives(end, 700, 100)
    arrives(end, 2000, 100)
    assert blocks(arrives(end, 600, 100)) == "500:800,2000:2100"


def test_a_segment_that_came_before_brings_its_block_to_the_front() -> None:
    """Where duplicates are not reported apart (RFC 2883)."""
    end = receiving()
    end.stack.settings.tcp_dsack = False
    arrives(end, 500)
    arrives(end, 1000)
    assert blocks(arrives(end, 500)) == "500:600,1000:1100"


@pytest.mark.parametrize(("timestamps", "most"), [(0, 4), (1, 3)])
def test_there_is_room_for_so_many(timestamps: int, most: int) -> None:
    end = receiving(timestamps)
    for place in range(1000, 7000, 1000):
        sent = arrives(end, place)
    assert len(blocks(sent).split(",")) == most
    assert blocks(sent).startswith("6000:6100,5000:5100")


def test_what_the_acknowledgment_covers_is_no_longer_reported() -> None:
    end = receiving()
    arrives(end, 500, 500)
    arrives(end, 1500, 500)
    assert blocks(arrives(end, 0, 500)) == "500:1000"  # 1000 to 1500 is missing still
    assert blocks(arrives(end, 1000, 500)) == ""


def test_text_carries_it_too() -> None:
    end = receiving()
    arrives(end, 500, 500)
    assert end.send(b"abc") == ["P. seq=+0 ack=+0 len=3 sack=500:1000"]


def test_what_is_not_kept_is_not_reported() -> None:
    """The buffer may be full of pieces: those that are dropped then must not be named."""
    end = reach.established("mss=1460 sackok", tcp_sack=True, show="sack", tcp_rmem=(4096, 4096, 4096))
    reported = set()
    for place in range(2, 4000, 2):
        sent = arrives(end, place, 1)
        if blocks(sent).startswith(f"{place}:"):
            reported.add(place)
    assert 0 < len(reported) < 1999
    for place in range(4000):
        if place not in reported:
            end.tcp.segment_arrives(end.arriving(f". seq={301 + place} data={'y'}"), end.now)
            end.tcp.segments_to_send(end.now)
    assert bytes(end.tcp.receive(4000)) == bytes(b"xy"[place not in reported] for place in range(4000))


# §5 and §8, the sender


def test_what_was_reported_is_kept_until_it_is_acknowledged() -> None:
    end = reach.sending(4, offer="sackok", tcp_sack=True)
    end.arrives(". ack=101 sack=1000:4000")
    assert end.tcp.unacknowledged == 4000


def test_a_receiver_that_reneged_gets_it_all_again() -> None:
    """The timeout finds the oldest segment reported and not acknowledged."""
    end = reach.sending(4, offer="sackok", tcp_sack=True)
    assert end.arrives(". ack=101 sack=1000:4000") == [". seq=+0 ack=+0 len=1000"]
    assert end.arrives(". ack=1101") == []  # the rest was reported; but then it is not acknowledged
    _, sent = end.next_timeout()
    assert sent == [". seq=+0 ack=+0 len=1000"]
    assert end.tcp.status().sacked == 0
    assert end.arrives(". ack=2101") == [". seq=+0 ack=+0 len=1000", "P. seq=+1000 ack=+0 len=1000"]
    end.arrives(". ack=4101")
    assert end.tcp.unacknowledged == 0
