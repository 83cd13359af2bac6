"""Eff.snd.MSS: text makes room for the options beside it (RFC 9293 §3.7.1 MUST-16, RFC 6691)."""

from __future__ import annotations

import pytest

from tulpen.tcp.config import MS, Settings
from tulpen.tcp.connection import Connection
from tulpen.tcp.stack import Stack
from tulpen.wire.options import Options, build_options
from tulpen.wire.segment import ACK, SYN, Segment


def with_holes(mss: int, holes: int, *, timestamps: bool) -> Connection:
    """A connection to a peer of this MSS, with so many gaps in what it has received."""
    settings = Settings(tcp_min_snd_mss=1, tcp_timestamps=int(timestamps), tcp_nagle_small=False)
    connection = Connection(Stack(settings), iss=0, mss=mss)
    stamp = 1 if timestamps else None
    connection.open_passive(0)
    connection.segment_arrives(
        Segment(100, 0, SYN, 60_000, options=Options(mss=mss, sack_permitted=True, tsval=stamp)), 0
    )
    connection.segments_to_send(0)
    plain = Options(tsval=stamp)
    connection.segment_arrives(Segment(101, 1, ACK, 60_000, options=plain), 0)
    for hole in range(holes):
        connection.segment_arrives(Segment(111 + 20 * hole, 1, ACK, 60_000, b"x", plain), 0)
    connection.segments_to_send(0)
    return connection


@pytest.mark.requirement("MUST-16")
@pytest.mark.parametrize("timestamps", [False, True])
@pytest.mark.parametrize("holes", [0, 1, 3, 4])
def test_no_segment_is_longer_than_the_mss_with_its_options(holes: int, timestamps: bool) -> None:
    connection = with_holes(1000, holes, timestamps=timestamps)
    connection.send(bytes(10_000), 0)
    first = connection.segments_to_send(0)
    connection.timeout(connection.next_deadline() or 5_000 * MS)
    again = connection.segments_to_send(5_000 * MS)
    assert again
    for segment in (*first, *again):
        blocks = min(holes, 3 if timestamps else 4)
        assert len(segment.options.sack) == blocks
        assert len(segment.data) + len(build_options(segment.options)) <= 1000
    assert len(first[0].data) + len(build_options(first[0].options)) == 1000


@pytest.mark.parametrize("mss", [1, 10, 30, 48])
def test_where_the_mss_is_tiny_text_comes_first(mss: int) -> None:
    connection = with_holes(mss, 4, timestamps=False)
    connection.send(bytes(100), 0)
    for segment in connection.segments_to_send(0):
        assert len(segment.data) >= mss // 2
        assert len(segment.data) + len(build_options(segment.options)) <= mss
