"""Timestamps of resets, and of SYN,ACKs (RFC 7323 §3.2)."""

from __future__ import annotations

import pytest

from tulpen.tcp.config import Settings
from tulpen.tcp.connection import Connection
from tulpen.tcp.stack import Stack
from tulpen.tcp.state import ESTABLISHED, SYN_SENT
from tulpen.wire.options import Options
from tulpen.wire.segment import ACK, RST, SYN, Segment

NOW = 10**12


@pytest.mark.parametrize("wanted", [False, True])
def test_a_reset_carries_one_where_that_is_asked_for(wanted: bool) -> None:
    closed = Connection(Stack(Settings(tcp_reset_timestamps=wanted)), iss=1)
    closed.segment_arrives(Segment(5, 6, ACK, 0, options=Options(tsval=7)), NOW)
    (reset,) = closed.segments_to_send(NOW)
    assert (reset.flags, reset.options.tsval is not None) == (RST, wanted)


@pytest.mark.parametrize(("late", "taken"), [(-1, False), (0, True), (10, True), (11, False)])
def test_a_syn_ack_has_to_echo_a_timestamp_of_ours(late: int, taken: bool) -> None:
    here = Connection(iss=1)
    here.open_active(NOW)
    (syn,) = here.segments_to_send(NOW)
    assert syn.options.tsval is not None
    options = Options(mss=1460, tsval=1, tsecr=syn.options.tsval + late)
    here.segment_arrives(Segment(900, 2, SYN | ACK, 1000, options=options), NOW + 10_000_000)
    assert here.state is (ESTABLISHED if taken else SYN_SENT)
    assert bool(here.segments_to_send(NOW + 10_000_000)[0].flags & RST) is not taken
