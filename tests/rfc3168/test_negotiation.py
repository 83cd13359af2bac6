"""RFC 3168 §6.1.1: who asks for ECN, who grants it, and what is done without."""

from __future__ import annotations

from typing import Any

import pytest

from tests.rfc9293.notation import End
from tulpen.tcp.state import ESTABLISHED


def asking(**settings: Any) -> End:
    end = End(show="ecn", tcp_ecn=1, **settings)
    end.tcp.open_active(end.now)
    return end


def listening(**settings: Any) -> End:
    end = End(show="ecn", **settings)
    end.tcp.open_passive(end.now)
    return end


def mode(end: End) -> int:
    return end.tcp.status().ecn_mode


@pytest.mark.parametrize(("setting", "syn"), [(0, "S"), (1, "SEW"), (2, "S"), (3, "SEWe"), (4, "SEW"), (5, "S")])
def test_tcp_ecn_says_what_our_syn_asks_for(setting: int, syn: str) -> None:
    end = End(tcp_ecn=setting)
    end.tcp.open_active(end.now)
    assert end.sent() == [f"{syn} seq=+0"]


@pytest.mark.parametrize("answer", ["S.", "S.EW", "S.W"])
def test_only_ece_without_cwr_grants_what_was_asked(answer: str) -> None:
    end = asking()
    end.sent()
    end.arrives(f"{answer} seq=300")
    assert mode(end) == 0
    assert end.send(b"text") == ["P. seq=+0 ack=+0 len=4"]


def test_text_says_ect_0_once_it_is_granted_and_the_last_ack_of_the_handshake_does_not() -> None:
    end = asking()
    assert end.sent() == ["SEW seq=+0"]
    assert end.arrives("S.E seq=300") == [". seq=+0 ack=+0"]
    assert end.send(b"text") == ["P. seq=+0 ack=+0 len=4 ecn=ect0"]
    assert mode(end) == 1


@pytest.mark.parametrize("setting", [1, 2, 3, 4, 5])
def test_a_listener_grants_it(setting: int) -> None:
    end = listening(tcp_ecn=setting)
    assert end.arrives("SEW seq=300") == ["S.E seq=+0 ack=+0"]
    end.arrives(".")
    assert end.send(b"text") == ["P. seq=+0 ack=+0 len=4 ecn=ect0"]


def test_a_listener_that_speaks_no_ecn_does_not_grant_it() -> None:
    end = listening(tcp_ecn=0)
    assert end.arrives("SEW seq=300") == ["S. seq=+0 ack=+0"]


@pytest.mark.parametrize("syn", ["SE", "SW", "SEW ecn=ect0", "SEW ecn=ce"])
def test_half_a_request_is_none_nor_is_one_that_bears_a_mark(syn: str) -> None:
    end = listening()
    assert end.arrives(f"{syn} seq=300") == ["S. seq=+0 ack=+0"]
    assert mode(end) == 0


def test_a_syn_sent_again_asks_no_more_and_then_there_is_no_ect_but_marks_are_echoed() -> None:
    end = asking()
    end.sent()
    assert end.wait(1_000_000_000) == ["S seq=+0"]
    end.arrives("S.E seq=300")
    assert end.state is ESTABLISHED
    assert end.send(b"text") == ["P. seq=+0 ack=+0 len=4"]
    end.arrives("P. len=1000 ecn=ce")
    assert end.send(b"more") == ["P.E seq=+0 ack=+0 len=4"]


def test_without_fallback_every_syn_asks() -> None:
    end = asking(tcp_ecn_fallback=False)
    end.sent()
    assert end.wait(1_000_000_000) == ["SEW seq=+0"]
    end.arrives("S.E seq=300")
    assert end.send(b"text") == ["P. seq=+0 ack=+0 len=4 ecn=ect0"]


def test_a_setting_lets_syns_sent_again_ask_for_longer() -> None:
    end = asking(tcp_ecn_syn_retries=1)
    end.sent()
    assert end.wait(1_000_000_000) == ["SEW seq=+0"]
    assert end.wait(2_000_000_000) == ["S seq=+0"]


def test_syns_that_cross_agree_where_both_ask() -> None:
    end = asking()
    end.sent()
    assert end.arrives("SEW seq=300") == ["S.E seq=+0 ack=+0"]
    end.arrives("S.E seq=300 ack=+0")
    assert end.send(b"text") == ["P. seq=+0 ack=+0 len=4 ecn=ect0"]


def test_a_syn_that_crosses_ours_and_does_not_ask_is_granted_nothing() -> None:
    end = asking()
    end.sent()
    assert end.arrives("S seq=300") == ["S. seq=+0 ack=+0"]
    assert mode(end) == 0
