"""Words of letters, and what is told of them."""

from __future__ import annotations

import pytest

pytest.importorskip("numpy", reason="numpy is not installed")

from tulpen.capture.quick.layout import MOST_LETTERS
from tulpen.capture.quick.letters import (
    ANSWERS,
    BEFORE,
    OF_FIN,
    OPENING,
    RESET,
    SIDE,
    WITH_ACK,
    WITH_FIN,
    WITH_SYN,
    WITH_TEXT,
)  # fmt: skip
from tulpen.capture.quick.shapes import NEVER, OVER, REFUSES, TOLD, Shapes

HANDSHAKE = [WITH_SYN, SIDE | WITH_SYN | WITH_ACK, WITH_ACK]
CLOSE = [WITH_ACK | WITH_FIN, SIDE | WITH_ACK | OF_FIN, SIDE | WITH_ACK | WITH_FIN | OF_FIN, WITH_ACK | OF_FIN]


def spell(shapes: Shapes, letters: list[int]) -> int:
    shape = 0
    for letter in letters:
        shape = shapes.learn(shape, letter)
    return shape


def test_a_connection_that_is_closed_has_its_template() -> None:
    shapes = Shapes()
    shape = spell(shapes, HANDSHAKE + CLOSE)
    template = shapes.template(shape)
    row = template.row
    assert (row.opened, row.ended, row.by, row.time_wait) == ("normal", "closed", "client", "client")
    assert row.server_path == "LISTEN? > SYN-RECEIVED > ESTABLISHED > CLOSE-WAIT > LAST-ACK > CLOSED?"
    assert (template.opened_at, template.ended_at, template.idle) == (0, 3, True)
    assert all(move.frame < len(template.word) - 1 for move in template.moves)
    assert shapes.flags[shape] == OVER | TOLD


def test_what_moves_nothing_leaves_the_shape() -> None:
    shapes = Shapes()
    shape = spell(shapes, HANDSHAKE)
    assert shapes.learn(shape, WITH_ACK | WITH_TEXT) == shape
    heard = shapes.learn(shape, SIDE | WITH_ACK)  # which shows that it is ESTABLISHED
    assert heard != shape
    assert shapes.learn(heard, SIDE | WITH_ACK | WITH_TEXT) == heard
    assert shapes.next[heard, SIDE | WITH_ACK | WITH_TEXT] == heard


def test_what_is_not_plain_never_is() -> None:
    shapes = Shapes()
    shape = spell(shapes, HANDSHAKE)
    assert shapes.learn(shape, WITH_ACK | OF_FIN) == NEVER  # there was no FIN
    assert shapes.learn(shape, WITH_FIN) == NEVER
    over = spell(shapes, HANDSHAKE + CLOSE)
    reset = shapes.learn(over, RESET | BEFORE)
    assert reset == NEVER or not shapes.flags[reset] & TOLD  # a RST after both closed
    assert not shapes.flags[spell(shapes, HANDSHAKE + CLOSE[:3])] & TOLD  # the last FIN was not acknowledged


def test_a_refused_syn() -> None:
    shapes = Shapes()
    shape = spell(shapes, HANDSHAKE[:1])
    assert shapes.flags[shape] == REFUSES << 1 | TOLD
    refused = shapes.learn(shape, RESET | SIDE | WITH_ACK | ANSWERS | OPENING * BEFORE)
    row = shapes.template(refused).row
    assert (row.ended, row.by, row.cause) == ("refused", "server", "closed-port")
    assert shapes.flags[refused] & OVER


def test_another_process_knows_a_shape_by_its_word() -> None:
    here, there = Shapes(), Shapes()
    shape = spell(here, HANDSHAKE + CLOSE)
    assert there.word(there.number(here.word(shape))) == here.word(shape)
    assert there.template(there.number(here.word(shape))).row == here.template(shape).row


def test_words_are_no_longer_than_a_row_holds() -> None:
    shapes = Shapes()
    for shape in range(40):
        if shape < len(shapes):
            for letter in range(RESET):
                shapes.learn(shape, letter)
    assert max(len(shapes.word(shape)) for shape in range(len(shapes))) <= MOST_LETTERS + 1
