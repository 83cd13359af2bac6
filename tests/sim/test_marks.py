"""Queues that mark instead of dropping, and boxes that write marks of their own."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sim.packets import packet
from tests.sim.pair import MS, Pair, both, short
from tulpen.sim.chance import Chance
from tulpen.sim.conversations import Sink, Source
from tulpen.sim.filters import Delay, Marks, Remark
from tulpen.sim.rate import Rate
from tulpen.sim.rewrite import marked
from tulpen.wire.segment import CE, ECT_0, NOT_ECT, Segment

OCTETS = 2_000_000


def test_what_says_ect_is_marked_and_what_does_not_is_lost() -> None:
    always = Marks(Chance(1), 1.0)
    assert always(packet(), 0) == []
    ((_, out),) = always(marked(packet(), ECT_0), 0)
    assert isinstance(out.payload, Segment)
    assert (out.tos, out.payload.ecn, always.marked) == (CE, CE, 1)


def test_a_link_marks_what_finds_a_long_queue() -> None:
    link = Rate(1_000_000, marks=1500)
    thousand = marked(packet(bytes(960)), ECT_0)
    assert [link(thousand, 0)[0][1].tos for _ in range(4)] == [ECT_0, ECT_0, CE, CE]
    assert link(packet(bytes(960)), 0)[0][1].tos == NOT_ECT
    assert (link.marked, link.longest) == (2, 5000)


def transfer(marks: int | None, **settings: Any) -> tuple[Pair, Rate]:
    link = Rate(20_000_000, octets=60_000, marks=marks)
    pair = Pair(Source(OCTETS), Sink, there=both(lambda c: link, lambda c: Delay(10 * MS)), **settings).run()
    assert pair.served.received.octets == OCTETS
    return pair, link


@pytest.mark.parametrize("tcp_ecn", [1, 3])
def test_with_marks_nothing_is_lost_and_the_queue_is_shorter(tcp_ecn: int) -> None:
    lossy, dropping = transfer(None, tcp_ecn=0)
    pair, marking = transfer(15_000, tcp_ecn=tcp_ecn)
    assert (dropping.dropped > 0, lossy.counter("RetransSegs") > 0) == (True, True)
    assert (marking.dropped, pair.counter("RetransSegs")) == (0, 0)
    assert marking.marked > 0
    assert pair.counter("InCEPkts") == marking.marked
    assert marking.longest < dropping.longest


@pytest.mark.parametrize("tcp_ecn", [1, 3])
@pytest.mark.parametrize("mark", [NOT_ECT, ECT_0, CE])
def test_a_box_that_writes_its_own_marks_does_not_stop_a_transfer(mark: int, tcp_ecn: int) -> None:
    pair = Pair(Source(200_000), Sink, there=both(lambda c: Remark(mark), short), tcp_ecn=tcp_ecn).run()
    assert pair.served.received.octets == 200_000
