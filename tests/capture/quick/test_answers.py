"""What is told of plain connections at once, and what the exact reader tells of each."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

pytest.importorskip("numpy", reason="numpy is not installed")

import numpy as np

from tulpen.capture.conversation import Conversation
from tulpen.capture.quick.answers import Answers
from tulpen.capture.quick.canonical import Canonical
from tulpen.capture.quick.exact import halves, tags_of
from tulpen.capture.quick.layout import PLAIN
from tulpen.capture.quick.letters import RESET
from tulpen.capture.quick.shapes import NEVER, TOLD, Shapes
from tulpen.capture.rows import Told, told
from tulpen.capture.seen import Seen
from tulpen.capture.summary import Summary
from tulpen.capture.vantage import taken_at

FILES = [("one.pcap", 1), ("two.pcap", 5_000)]


@pytest.fixture(scope="module")
def shapes() -> Shapes:
    """Words of up to eight letters, without a RST."""
    known = Shapes()
    chance = random.Random(1)
    for _ in range(400):
        shape = chance.randrange(2)
        for _ in range(8):
            after = known.learn(shape, chance.randrange(RESET))
            shape = after if after != NEVER else shape
    return known


def conversation(word: tuple[int, ...], chance: random.Random, number: int) -> tuple[Conversation, list[Seen]]:
    """A connection of these letters, somewhere in a capture."""
    made, frame, when = Canonical(word[:1]), chance.randrange(1, 10_000), 10**18 + chance.randrange(10**12)
    six, layers = chance.random() < 0.3, chance.choice(("", "vlan 7", "vlan 3, vlan 9"))
    addresses = [bytes(15 if six else 3) + bytes((1 + side + 2 * (number % 3),)) for side in (0, 1)]
    talk, taken = None, []
    for letter in word[1:]:
        seg = made._segment(letter)
        assert seg is not None
        side = letter & 1
        frame += chance.randrange(1, 50)
        when += chance.choice((0, 1000, 40_000_000, 3_000_000_000))
        seg.src, seg.dst, seg.frame, seg.when = addresses[side], addresses[1 - side], frame, when
        seg.layers, seg.vlan, seg.ttl = layers, int(layers[-1:] or 0), chance.choice((64, 64, 57))
        talk = talk or Conversation(number, seg)
        talk.segment(seg)
        taken.append(seg)
    assert talk is not None
    return talk, taken


def row_of(talk: Conversation, taken: list[Seen], shape: int) -> Any:
    row = np.zeros((), PLAIN)
    place = taken_at(talk.ends)
    row["shape"], row["place"] = shape, -1 if place is None else place
    row["six"], row["vlan"], row["tags"] = len(talk.ends[0].address) == 16, talk.vlan, tags_of(talk.layers)
    row["first_frame"], row["last_frame"], row["start"] = talk.first_frame, talk.last_frame, talk.start
    row["last_when"], row["idle"] = talk.last_when, talk.fin_idle
    for side, end in enumerate(talk.ends):
        row["address"][side], row["port"][side] = halves(end.address), end.port
        row["packets"][side], row["bytes"][side], row["rtt"][side] = end.packets, end.bytes, end.rtt.least
    row["frame"][: len(taken)] = [seg.frame for seg in taken]
    row["when"][: len(taken)] = [seg.when for seg in taken]
    return row


@pytest.fixture(scope="module")
def both(shapes: Shapes) -> tuple[Answers, list[Told]]:
    """The same connections, told at once and one by one."""
    rows, exact, words, chance = [], [], {}, random.Random(2)
    for number, (shape, talk, taken) in enumerate(_plain(shapes, chance), 1):
        rows.append(row_of(talk, taken, shape))
        words[shape] = shapes.word(shape)
        each = told(talk)
        each.connection.file = FILES[talk.first_frame >= FILES[1][1]][0]
        each.connection.number = number
        for move in each.moves:
            move.connection = number
        exact.append(each)
    return Answers(np.array(rows), np.arange(1, len(rows) + 1), words, FILES), exact


def _plain(shapes: Shapes, chance: random.Random) -> Iterator[tuple[int, Conversation, list[Seen]]]:
    for shape in range(2, len(shapes)):
        if shapes.flags[shape] & TOLD:
            for _ in range(2):
                talk, taken = conversation(shapes.word(shape), chance, shape)
                if not talk.findings.found and not any(end.rtt_stamped.count for end in talk.ends):
                    yield shape, talk, taken


def test_rows(both: tuple[Answers, list[Told]]) -> None:
    answers, exact = both
    assert len(exact) > 100
    for here, there in zip(answers.told(), exact, strict=True):
        assert here == there


def test_some(both: tuple[Answers, list[Told]]) -> None:
    answers, exact = both
    at = np.array([7, 3, 50])
    assert list(answers.some(at).told()) == [exact[each] for each in at]
    assert list(answers.some(at[:0]).told()) == []


def test_counts(both: tuple[Answers, list[Told]]) -> None:
    answers, exact = both
    here, there = Summary(), Summary()
    answers.count(here)
    for each in exact:
        there.take(each.connection)
    for name in ("connections", "opened", "ended", "cause", "found", "weights"):
        assert getattr(here, name) == getattr(there, name)
    assert here.worst() == there.worst()
    assert len(here.worst()[0]) > 1


def test_tables(both: tuple[Answers, list[Told]]) -> None:
    pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    from tulpen.capture.arrow import arrow_columns, arrow_table

    answers, exact = both
    rows: dict[str, Sequence[object]] = {
        "connections": [each.connection for each in exact],
        "moves": [move for each in exact for move in each.moves],
        "findings": [],
    }
    for name, columns in answers.tables().items():
        assert arrow_columns(name, columns).equals(arrow_table(name, rows[name]))
