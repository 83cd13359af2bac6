"""What becomes one line, what two, and what is folded away."""

from __future__ import annotations

from tests.show.drawn import LEFT, RIGHT, download, empty, every_fate, rung, seen
from tulpen.show.ladder import Arrow, Fate
from tulpen.show.moments import Fold, Moment, Part, fold, moments
from tulpen.tcp.state import State
from tulpen.wire.segment import ACK, FIN, SYN


def parts(lines: list[Moment]) -> list[tuple[str, Part]]:
    return [(line.rung.letters, line.part) for line in lines if isinstance(line.rung, Arrow)]


def test_a_segment_that_nothing_crosses_is_one_line() -> None:
    ladder = empty()
    rung(ladder, LEFT, 0, SYN, 0, arrived=50, left=seen(State.SYN_SENT), right=seen(State.SYN_RECEIVED))
    rung(ladder, RIGHT, 50, SYN | ACK, 0, 1, arrived=100, left=seen(State.ESTABLISHED))
    assert parts(moments(ladder)) == [("S", Part.WHOLE), ("S.", Part.WHOLE)]


def test_a_segment_during_whose_flight_the_receiver_moves_is_two() -> None:
    lines = moments(every_fate())
    assert parts(lines)[:3] == [("S", Part.DEPARTURE), ("S", Part.WHOLE), ("S.", Part.DEPARTURE)]
    states = [standing.state for line in lines for standing in line.path(RIGHT)]
    assert states[:3] == [State.SYN_SENT, State.SYN_RECEIVED, State.ESTABLISHED]


def test_each_end_takes_its_states_at_its_own_half() -> None:
    departure = next(line for line in moments(every_fate()) if line.part is Part.DEPARTURE)
    arrival = next(line for line in moments(every_fate()) if line.part is Part.ARRIVAL)
    assert departure.path(LEFT) == seen(State.SYN_SENT)
    assert departure.path(RIGHT) == ()
    assert arrival.path(LEFT) == ()
    assert arrival.path(RIGHT) == seen(State.SYN_RECEIVED)


def test_what_was_overtaken_is_two_lines() -> None:
    lines = [line for line in moments(every_fate()) if isinstance(line.rung, Arrow)]
    overtaken = [line for line in lines if isinstance(line.rung, Arrow) and line.rung.fate is Fate.OUT_OF_ORDER]
    assert [line.part for line in overtaken] == [Part.DEPARTURE, Part.ARRIVAL]
    assert [line.now for line in overtaken] == [261_000_000, 300_000_000]


def test_arrows_behind_a_split_one_do_not_pass_it() -> None:
    # A FIN is delayed by the receiver's own move; what the sender sends after it must not seem to come first.
    ladder = empty()
    rung(ladder, LEFT, 0, FIN | ACK, 1, 1, arrived=20, left=seen(State.FIN_WAIT_1), right=seen(State.CLOSING))
    rung(ladder, LEFT, 1, ACK, 2, 1, arrived=21, notes=("a note",))
    rung(ladder, RIGHT, 5, FIN | ACK, 1, 1, arrived=30, right=seen(State.FIN_WAIT_1))
    assert parts(moments(ladder)) == [
        ("F.", Part.DEPARTURE), (".", Part.DEPARTURE), ("F.", Part.WHOLE), ("F.", Part.ARRIVAL), (".", Part.ARRIVAL),
    ]  # fmt: skip


def test_long_data_is_folded() -> None:
    lines = fold(moments(download(400)))
    (gap,) = [line for line in lines if isinstance(line, Fold)]
    assert 395 * 1448 < gap.traffic[RIGHT].octets < 400 * 1448
    assert gap.traffic[RIGHT].octets == gap.traffic[RIGHT].segments * 1448
    assert 190 < gap.traffic[LEFT].acks < 200
    assert gap.troubles == 0
    assert len(lines) < 16


def test_folding_loses_nothing() -> None:
    ladder = download(400)
    lines = fold(moments(ladder))
    gaps = [line for line in lines if isinstance(line, Fold)]
    shown = [line.rung for line in lines if isinstance(line, Moment)]
    octets = sum(each.length for each in shown if isinstance(each, Arrow))
    assert octets + sum(way.octets for gap in gaps for way in gap.traffic.values()) == 400 * 1448 + 83
    assert len(shown) + sum(gap.rungs for gap in gaps) == len(ladder.rungs)


def test_little_data_is_not_folded() -> None:
    assert not [line for line in fold(moments(download(3))) if isinstance(line, Fold)]


def test_what_is_noted_stands_out_of_the_fold() -> None:
    ladder = download(400)
    lost = next(each for each in ladder.rungs if isinstance(each, Arrow) and each.length == 1448 and each.sent > 2e6)
    lost.fate = Fate.LOST
    lines = fold(moments(ladder))
    assert len([line for line in lines if isinstance(line, Fold)]) == 2
    assert any(isinstance(line, Moment) and line.rung is lost for line in lines)


def test_too_many_losses_are_folded_too_and_counted() -> None:
    ladder = download(4000)
    for i, each in enumerate(ladder.rungs):
        if isinstance(each, Arrow) and each.length == 1448 and i % 10 == 0:
            each.fate = Fate.LOST
    lines = fold(moments(ladder), limit=100)
    (gap,) = [line for line in lines if isinstance(line, Fold)]
    assert gap.troubles > 100
    assert len(lines) < 20


def test_a_copy_stands_where_it_arrives() -> None:
    ladder = empty()
    rung(ladder, LEFT, 0, FIN | ACK, 1, 1, arrived=5, left=seen(State.FIN_WAIT_1), right=seen(State.CLOSE_WAIT))
    rung(ladder, LEFT, 0, FIN | ACK, 1, 1, arrived=40, fate=Fate.DUPLICATED)
    rung(ladder, RIGHT, 20, FIN | ACK, 1, 2, arrived=25, right=seen(State.LAST_ACK))
    lines = moments(ladder)
    assert [line.part for line in lines] == [Part.WHOLE] * 3
    assert [line.now for line in lines] == [0, 20_000_000, 40_000_000]
