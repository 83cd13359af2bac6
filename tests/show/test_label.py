"""The words on a rung."""

from __future__ import annotations

import pytest

from tests.show.drawn import LEFT, OFFER, RIGHT, empty, rung
from tulpen.show.label import fitted, flag_words, numbers, option_words, printable, span, wrapped
from tulpen.show.ladder import Fate
from tulpen.wire.options import Options
from tulpen.wire.segment import ACK, FIN, PSH, RST, SYN, URG


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (SYN, "SYN"), (SYN | ACK, "SYN,ACK"), (ACK, "ACK"), (PSH | ACK, "PSH"), (FIN | ACK, "FIN"), (RST, "RST"),
        (RST | ACK, "RST,ACK"), (FIN | PSH | ACK, "FIN,PSH"), (0, "no flags"), (SYN | FIN, "SYN,FIN"),
    ],
)  # fmt: skip
def test_flags(flags: int, words: str) -> None:
    assert flag_words(flags) == words


@pytest.mark.parametrize(
    ("flags", "data", "label"),
    [
        (SYN, 0, "SYN 9 win 65535"),
        (SYN | ACK, 0, "SYN,ACK 9 ack 5 win 65535"),
        (ACK, 0, "ACK 5 win 65535"),
        (ACK, 10, "9:19 ack 5 win 65535 len 10"),
        (PSH | ACK, 10, "PSH 9:19 ack 5 win 65535 len 10"),
        (FIN | ACK, 0, "FIN 9 ack 5 win 65535"),
        (FIN | ACK, 10, "FIN 9:19 ack 5 win 65535 len 10"),
        (RST, 0, "RST 9"),
        (RST | ACK, 0, "RST,ACK 9 ack 5"),
        (0, 0, "no flags 9 win 65535"),
        (ACK | URG, 1, "URG 9:10 ack 5 win 65535 urg 0 len 1"),
    ],
)
def test_numbers(flags: int, data: int, label: str) -> None:
    ladder = empty()
    assert " ".join(numbers(ladder, rung(ladder, LEFT, 0, flags, 9, 5, data))) == label


def test_a_refused_ack_shows_its_sequence_number() -> None:
    ladder = empty()
    refused = rung(ladder, LEFT, 0, ACK, 9, 5, fate=Fate.REFUSED, notes=("no octet of it falls in the window",))
    assert "seq 9" in numbers(ladder, refused)


def test_options() -> None:
    ladder = empty()
    offer = rung(ladder, LEFT, 0, SYN, 0, options=OFFER)
    assert option_words(ladder, offer) == ["mss 1460", "sackOK", "wscale 7", "TS"]
    assert option_words(ladder, offer, all_of_them=True)[-1] == "TS 77"
    odd = Options(user_timeout=30, others=((253, b"ab"),), malformed=True)
    assert option_words(ladder, rung(ladder, LEFT, 0, ACK, 1, 1, options=odd)) == [
        "user timeout 30 s", "option 253 (2)", "malformed options",
    ]  # fmt: skip


def test_a_repeated_syn_does_not_repeat_its_options() -> None:
    ladder = empty()
    assert not option_words(ladder, rung(ladder, LEFT, 0, SYN, 0, options=OFFER, notes=("retransmission",)))


def test_sack_counts_from_the_isn_of_the_end_it_is_about() -> None:
    ladder = empty()
    edge = (ladder.right.isn or 0) + 1449 & 0xFFFF_FFFF
    ack = rung(ladder, LEFT, 0, ACK, 1, 1, options=Options(sack=((edge, edge + 100),)))
    assert option_words(ladder, ack) == ["sack 1449:1549"]
    assert option_words(ladder, ack, absolute=True) == [f"sack {edge}:{edge + 100}"]
    assert RIGHT.other is LEFT


@pytest.mark.parametrize(
    ("ns", "words"),
    [
        (142_000, "142 us"), (1_500, "1.5 us"), (40_000_000, "40 ms"), (3_200_000_000, "3.2 s"),
        (60_000_000_000, "60 s"), (120_000_000_000, "2 min"), (7_200_000_000_000, "2 h"), (0, "0 us"),
    ],
)  # fmt: skip
def test_spans(ns: int, words: str) -> None:
    assert span(ns) == words


def test_foreign_words_stay_on_one_line() -> None:
    assert printable("a\n\x1b[1m\u2028\u200f§ü") == "a\\n\\x1b[1m\\u2028\\u200f§ü"


def test_parts_that_do_not_fit_are_left_out() -> None:
    assert fitted(["SYN 0", "ack 1", "win 65535"], 11) == "SYN 0 ack 1"
    assert fitted(["SYN 4294967295"], 3) == "SYN 4294967295"


def test_wrapping() -> None:
    assert wrapped("a bc def", 4) == ["a bc", "def"]
    assert wrapped("abcdefghij k", 4) == ["abcd", "efgh", "ij k"]
