"""Departures and arrivals find each other, by identity where there is one and by numbers where not."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tulpen.show.matching import Pair, Timed, match, pieces
from tulpen.wire.options import Options
from tulpen.wire.segment import ACK, FIN, PSH, SYN, Segment


def timed(*segments: tuple[int, Segment]) -> list[Timed]:
    return [Timed(now, seg, i) for i, (now, seg) in enumerate(segments)]


def data(seq: int, length: int = 10, tsval: int | None = None) -> Segment:
    return Segment(seq, 1, PSH | ACK, 100, bytes(length), Options(tsval=tsval))


def ack(number: int) -> Segment:
    return Segment(1, number, ACK, 100)


def told(pairs: list[Pair]) -> list[tuple[int | None, int | None, bool]]:
    return sorted(
        ((p.left.now if p.left else None, p.arrived.now if p.arrived else None, p.again) for p in pairs),
        key=lambda each: (each[0] is None, each[0] or 0, each[1] or 0),
    )


def test_the_same_object() -> None:
    one, two = data(1), data(11)
    assert told(match(timed((0, one), (1, two)), timed((5, two), (6, one)))) == [(0, 6, False), (1, 5, False)]


def test_the_same_object_twice_is_a_copy() -> None:
    one = data(1)
    assert told(match(timed((0, one)), timed((5, one), (6, one)))) == [(0, 5, False), (0, 6, True)]


def test_equal_numbers() -> None:
    assert told(match(timed((0, data(1)), (1, data(11))), timed((5, data(1)), (6, data(11))))) == [
        (0, 5, False), (1, 6, False),
    ]  # fmt: skip


def test_a_repetition_is_what_arrived_after_it() -> None:
    pairs = match(timed((0, data(1)), (100, data(1))), timed((105, data(1))))
    assert told(pairs) == [(0, None, False), (100, 105, False)]


def test_timestamps_tell_repetitions_apart() -> None:
    pairs = match(timed((0, data(1, tsval=1)), (100, data(1, tsval=2))), timed((105, data(1, tsval=1))))
    assert told(pairs) == [(0, 105, False), (100, None, False)]


def test_duplicate_acks_keep_their_order() -> None:
    pairs = match(timed((0, ack(5)), (1, ack(5)), (2, ack(5))), timed((10, ack(5)), (11, ack(5)), (12, ack(5))))
    assert told(pairs) == [(0, 10, False), (1, 11, False), (2, 12, False)]


def test_an_equal_copy_made_on_the_way() -> None:
    assert told(match(timed((0, data(1))), timed((5, data(1)), (6, data(1))))) == [(0, 5, False), (0, 6, True)]


def test_what_nobody_sent() -> None:
    assert told(match([], timed((5, data(1))))) == [(None, 5, False)]


def test_a_segment_that_a_device_cut() -> None:
    big = Segment(0xFFFF_FF00, 1, PSH | ACK | FIN, 100, bytes(700), gso_size=300)
    cut = pieces(Timed(0, big, 0))
    assert [(each.seg.seq, len(each.seg.data), each.seg.flags) for each in cut] == [
        (0xFFFF_FF00, 300, ACK), (0x2C, 300, ACK), (0x158, 100, PSH | ACK | FIN),
    ]  # fmt: skip
    arrivals = [(9, Segment(each.seg.seq, 1, each.seg.flags, 100, bytes(each.seg.data))) for each in cut]
    assert told(match(timed((0, big)), timed(*arrivals))) == [(0, 9, False)] * 3
    assert told(match(timed((0, big)), timed(arrivals[0], arrivals[2]))) == [
        (0, None, False), (0, 9, False), (0, 9, False),
    ]  # fmt: skip
    assert told(match(timed((0, big)), [])) == [(0, None, False)]


segments = st.builds(
    Segment, st.integers(0, 3), st.integers(0, 2), st.sampled_from([ACK, SYN, PSH | ACK]), st.just(1),
    st.sampled_from([b"", b"x"]),
)  # fmt: skip
trips = st.lists(st.tuples(st.integers(0, 20), segments), max_size=12)


@given(trips, trips)
def test_every_one_of_them_is_told_of(left: list[tuple[int, Segment]], right: list[tuple[int, Segment]]) -> None:
    departures = timed(*sorted(left, key=lambda each: each[0]))
    arrivals = timed(*sorted(right, key=lambda each: each[0]))
    pairs = match(departures, arrivals)
    assert sorted(p.arrived.place for p in pairs if p.arrived) == list(range(len(arrivals)))
    assert {p.left.place for p in pairs if p.left} == set(range(len(departures)))
    assert all(p.arrived.now >= p.left.now for p in pairs if p.left and p.arrived and not p.again)
