"""What a device gets to cut at a time."""

from __future__ import annotations

import pytest

from tests.rfc9293.notation import MS, End
from tests.rfc9293.reach import IRS, syn_sent


def with_device(round_trip: int = 0, **sysctls: object) -> End:
    end = syn_sent(**sysctls)
    end.wait(round_trip)
    end.arrives(f"S. seq={IRS} mss=1460")
    end.tcp.tcb.gso_max = 65_000
    return end


def sizes(sent: list[str]) -> list[int]:
    return [int(text.partition("len=")[2]) for text in sent]


def test_half_the_congestion_window_at_most() -> None:
    end = with_device()
    assert sizes(end.send(b"x" * 14_600)) == [7300, 7300]


def test_each_is_pushed() -> None:
    """Nothing is to wait for more of them."""
    end = with_device()
    assert [text[:2] for text in end.send(b"x" * 14_600, push=False)] == ["P.", "P."]


def test_what_leaves_at_once_leaves_in_one_piece_however_far_the_peer() -> None:
    end = with_device(100 * MS)
    assert sizes(end.send(b"x" * 14_600)) == [7300, 7300]


@pytest.mark.parametrize("sysctls", [{"tcp_tso_autosize": True}, {"default_qdisc": "fq"}])
def test_a_far_peer_gets_less_at_a_time(sysctls: dict[str, object]) -> None:
    end = with_device(100 * MS, **sysctls)
    assert sizes(end.send(b"x" * 14_600)) == [2920] * 5


def test_as_many_segments_as_asked_for() -> None:
    end = with_device(100 * MS, tcp_tso_autosize=True, tcp_min_tso_segs=4)
    assert sizes(end.send(b"x" * 14_600)) == [5840, 5840, 2920]


def test_none_where_it_is_not_wanted() -> None:
    end = with_device(tcp_min_tso_segs=0)
    assert sizes(end.send(b"x" * 14_600)) == [1460] * 10
