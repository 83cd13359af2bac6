"""RFC 9768 §3.1: table 2, and what remains of it when SYNs or their flags are lost on the way."""

from __future__ import annotations

from typing import Any

import pytest

from tests.rfc9293.notation import SECOND, End

COUNTERS = "acc=174:1,0,1"


def asking(**settings: Any) -> End:
    end = End(show="ecn acc", tcp_ecn=3, **settings)
    end.tcp.open_active(end.now)
    end.sent()
    return end


def listening(**settings: Any) -> End:
    end = End(show="ecn acc", tcp_ecn=3, **settings)
    end.tcp.open_passive(end.now)
    return end


def mode(end: End) -> int:
    return end.tcp.status().ecn_mode


@pytest.mark.parametrize(("mark", "flags"), [("", "W"), (" ecn=ect1", "EW"), (" ecn=ect0", "e"), (" ecn=ce", "We")])
def test_each_end_tells_the_other_what_mark_its_syn_bore(mark: str, flags: str) -> None:
    server = listening()
    assert server.arrives(f"SEWe seq=300{mark}") == [f"S.{flags} seq=+0 ack=+0 {COUNTERS}"]
    client = asking()
    assert client.arrives(f"S.W seq=300{mark}") == [f".{flags} seq=+0 ack=+0 ecn=ect0"]


@pytest.mark.parametrize(
    ("flags", "expected"), [("", 0), ("E", 1), ("W", 2), ("EW", 2), ("e", 2), ("Ee", 2), ("We", 2), ("EWe", 0)]
)
def test_the_answer_decides(flags: str, expected: int) -> None:
    end = asking()
    end.arrives(f"S.{flags} seq=300")
    assert mode(end) == expected


@pytest.mark.parametrize("flags", ["E", "W", "e", "Ee", "We", "EWe"])
def test_any_request_but_none_and_the_classic_one_is_for_accecn(flags: str) -> None:
    end = listening()
    assert end.arrives(f"S{flags} seq=300") == [f"S.W seq=+0 ack=+0 {COUNTERS}"]
    assert mode(end) == 2


def test_a_host_of_classic_ecn_sees_the_classic_request() -> None:
    end = End(show="ecn acc", tcp_ecn=1)
    end.tcp.open_passive(end.now)
    assert end.arrives("SEWe seq=300") == ["S.E seq=+0 ack=+0"]
    assert mode(end) == 1


def test_the_second_syn_asks_too_and_the_third_no_more() -> None:
    end = asking()
    assert end.wait(SECOND) == ["SEWe seq=+0"]
    assert end.wait(2 * SECOND) == ["S seq=+0"]
    end.arrives("S.W seq=300")
    assert mode(end) == 2  # the answer was to one that asked


def test_a_syn_ack_sent_again_has_no_option_and_at_last_no_flags() -> None:
    end = listening()
    end.arrives("SEWe seq=300")
    assert end.wait(SECOND) == ["S.W seq=+0 ack=+0"]
    assert end.wait(2 * SECOND) == ["S. seq=+0 ack=+0"]


def test_a_syn_sent_again_is_answered_with_the_mark_of_the_later() -> None:
    end = listening()
    end.arrives("SEWe seq=300 ecn=ect0")
    assert end.arrives("SEWe seq=300") == ["S.W seq=+0 ack=+0"]


def test_a_syn_sent_again_without_flags_makes_us_send_without_ect() -> None:
    end = listening()
    end.arrives("SEWe seq=300 ecn=ect0")
    assert end.arrives("S seq=300") == ["S.W seq=+0 ack=+0"]
    end.arrives(".W")
    assert end.send(b"text") == ["P.Ee seq=+0 ack=+0 len=4"]


@pytest.mark.parametrize("flags", ["", "EW", "e", "We"])
def test_a_last_ack_that_was_zeroed_or_tells_of_a_mark_we_did_not_set_ends_ect(flags: str) -> None:
    end = listening()
    end.arrives("SEWe seq=300")
    end.arrives(f".{flags}")
    assert end.send(b"text") == ["P.Ee seq=+0 ack=+0 len=4"]
    assert end.tcp.status().accecn_fail_mode == 2


@pytest.mark.parametrize("flags", ["E", "W", "Ee", "EWe"])
def test_a_last_ack_that_says_what_it_may_is_the_begin_of_ect_on_everything(flags: str) -> None:
    end = listening()
    end.arrives("SEWe seq=300")
    end.arrives(f".{flags}")
    assert end.send(b"text") == ["P.Ee seq=+0 ack=+0 len=4 ecn=ect0"]
    assert end.next_timeout()[1] == ["P.Ee seq=+0 ack=+0 len=4 ecn=ect0"]


def test_a_mark_on_our_syn_ack_counts_where_nobody_checks() -> None:
    end = listening(tcp_ecn_fallback=False)
    end.arrives("SEWe seq=300")
    end.arrives(".We")
    assert end.tcp.status().delivered_ce == 1


def test_an_answer_that_tells_of_a_mark_on_our_syn_ends_ect() -> None:
    end = asking()
    assert end.arrives("S.e seq=300") == [".W seq=+0 ack=+0"]
    assert end.tcp.status().accecn_fail_mode == 2


def test_a_marked_syn_ack_is_counted() -> None:
    end = asking()
    assert end.arrives(f"S.W seq=300 ecn=ce {COUNTERS}") == [f".We seq=+0 ack=+0 ecn=ect0 {COUNTERS}"]
    assert end.send(b"text") == [f"P.We seq=+0 ack=+0 len=4 ecn=ect0 {COUNTERS}"]
    assert end.tcp.status().received_ce == 1


def test_a_syn_ack_sent_again_is_answered_as_the_first_was() -> None:
    end = asking()
    end.arrives("S.W seq=300")
    assert end.arrives("S.W seq=-1 ack=+0 ecn=ect0") == [".e seq=+0 ack=+0 ecn=ect0"]
    assert end.send(b"text") == ["P.Ee seq=+0 ack=+0 len=4 ecn=ect0"]


def test_a_zeroed_field_in_the_first_feedback_ends_ect() -> None:
    end = asking()
    end.arrives("S.W seq=300")
    end.send(b"text")
    end.arrives(".")
    assert end.send(b"more") == ["P.Ee seq=+0 ack=+0 len=4"]
