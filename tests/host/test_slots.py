"""The table of small records: what a dict in order of arrival would do, in fewer octets."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tulpen.host.slots import SLOTS, SlotTable

NUMBERS = st.integers(1, 40)
STEPS = st.lists(st.tuples(st.sampled_from(["put", "replace", "remove", "first"]), NUMBERS), max_size=200)


def _key(number: int) -> bytes:
    return number.to_bytes(3, "big")


@given(STEPS)
def test_it_is_a_dict_in_order_of_arrival(steps: list[tuple[str, int]]) -> None:
    table, model = SlotTable(3, 2), dict[bytes, bytes]()
    for turn, (what, number) in enumerate(steps):
        key, value = _key(number), turn.to_bytes(2, "big")
        if what == "put":
            model.pop(key, None)
            model[key] = value
            table.put(key, value)
        elif what == "replace" and key in model:
            model[key] = value
            table.replace(key, value)
        elif what == "remove":
            model.pop(key, None)
            table.remove(key)
        elif what == "first" and (first := table.first()) is not None:
            table.remove(first[0])
            del model[next(iter(model))]
        assert (len(table), list(table), table.get(key)) == (len(model), list(model.items()), model.get(key))


@pytest.mark.parametrize("seed", range(3))
def test_many_come_and_go(seed: int) -> None:
    chance = Random(seed)
    table, model = SlotTable(3, 2), dict[bytes, bytes]()
    for turn in range(12 * SLOTS):
        key, value = _key(chance.randrange(1, 1 << 24)), (turn & 0xFFFF).to_bytes(2, "big")
        if chance.random() < (0.8 if turn < 6 * SLOTS else 0.2) or not model:
            model.pop(key, None)
            model[key] = value
            table.put(key, value)
        else:
            gone = chance.choice(list(model)) if chance.random() < 0.3 else next(iter(model))
            del model[gone]
            table.remove(gone)
    assert list(table) == list(model.items())
    assert all(table.get(key) == value for key, value in model.items())
    for key in list(model):
        table.remove(key)
    assert (len(table), table.first(), table.get(_key(1))) == (0, None, None)


def test_what_is_renewed_again_and_again_takes_no_more_room() -> None:
    table = SlotTable(3, 2)
    for number in range(1, 11):
        table.put(_key(number), b"..")
    for turn in range(100 * SLOTS):
        table.put(_key(turn % 9 + 1), b"!!")
    assert table.octets < 5 * 4 * SLOTS
    assert next(iter(table)) == (_key(10), b"..")
