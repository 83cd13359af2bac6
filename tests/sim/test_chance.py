from __future__ import annotations

from tulpen.sim.chance import Chance


def test_a_seed_gives_the_same_numbers() -> None:
    one, other = Chance(7), Chance(7)
    assert [one.between(0, 99) for _ in range(50)] == [other.between(0, 99) for _ in range(50)]
    assert one.octets(20) == other.octets(20)
    assert one.octets(20) != Chance(8).octets(20)


def test_the_numbers_are_those_of_every_python() -> None:
    chance = Chance(1)
    assert [chance.between(1, 6) for _ in range(8)] == [5, 4, 3, 6, 1, 6, 3, 5]
    assert chance.octets(4).hex() == "b4237df5"


def test_one_more_consumer_shifts_no_other() -> None:
    before = Chance(3).split("loss").octets(8)
    busy = Chance(3)
    busy.octets(100)
    busy.split("jitter").octets(100)
    assert busy.split("loss").octets(8) == before
    assert busy.split("loss").split("a").octets(8) != busy.split("loss").split("b").octets(8)


def test_between_reaches_both_ends() -> None:
    chance = Chance(0)
    assert {chance.between(3, 5) for _ in range(100)} == {3, 4, 5}
    assert {chance.choice("ab") for _ in range(100)} == {"a", "b"}


def test_happens_as_often_as_it_should() -> None:
    chance = Chance(0)
    assert 2300 < sum(chance.happens(0.25) for _ in range(10_000)) < 2700
    assert not any(chance.happens(0) for _ in range(1000))
    assert all(chance.happens(1) for _ in range(1000))
