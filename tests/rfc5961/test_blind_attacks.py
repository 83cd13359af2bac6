"""RFC 5961: what a blind attacker sends, and the challenge ACKs that answer it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.rfc9293 import reach
from tests.rfc9293.cases import Case, case, check
from tests.rfc9293.notation import SECOND, End
from tulpen.tcp.state import CLOSED, ESTABLISHED, State
from tulpen.tcp.trace import Reason

ACK = [". seq=+0 ack=+0"]
SYNCHRONIZED = [State.ESTABLISHED, State.FIN_WAIT_1, State.FIN_WAIT_2, State.CLOSE_WAIT, State.CLOSING,
                State.LAST_ACK, State.TIME_WAIT]  # fmt: skip


@pytest.mark.parametrize(
    "row",
    [
        case("the RST that is expected resets", "R", [], CLOSED),
        case("one in the window is challenged", "R seq=+1", ACK, ESTABLISHED, Reason.RST_NOT_NEXT),
        case("the last in the window too", "R seq=+65534", ACK, ESTABLISHED, Reason.RST_NOT_NEXT),
        case("one right of it is dropped", "R seq=+65535", [], ESTABLISHED, Reason.RST_OUT_OF_WINDOW),
        case("one left of it is dropped", "R seq=-1", [], ESTABLISHED, Reason.RST_OUT_OF_WINDOW),
        case("text does not bring one into the window", "R seq=-3 len=10", [], ESTABLISHED, Reason.RST_OUT_OF_WINDOW),
        case("nor do much text and its end", "R seq=-1 len=1", [], ESTABLISHED, Reason.RST_OUT_OF_WINDOW),
        case("the expected one may have text", "R. len=100000", [], CLOSED, None, "SHLD-2"),
    ],
)
def test_section_3_rst(row: Case) -> None:
    check(reach.established(), row)


@pytest.mark.parametrize(
    "row",
    [
        case("a SYN in the window is challenged", "S", ACK, ESTABLISHED, Reason.SYN_IN_SYNCHRONIZED),
        case("one far out of it is acknowledged", "S seq=-100000", ACK, ESTABLISHED, Reason.OUT_OF_WINDOW),
        case("a SYN,ACK is challenged", "S. seq=+9", ACK, ESTABLISHED, Reason.SYN_IN_SYNCHRONIZED),
        case("its text is not taken", "S. seq=-1 data=abc", ACK, ESTABLISHED, Reason.OUT_OF_WINDOW),
        case("with RST it is a RST", "SR seq=+9", ACK, ESTABLISHED, Reason.RST_NOT_NEXT),
    ],
)
def test_section_4_syn(row: Case) -> None:
    end = reach.established()
    check(end, row)
    assert end.tcp.readable == 0


@pytest.mark.requirement("MAY-12")
@pytest.mark.parametrize(
    "row",
    [
        case("the last acknowledged is taken", "P. ack=+0 data=abc", [], ESTABLISHED),
        case("one before it too", "P. ack=-1 data=abc", [], ESTABLISHED),
        case("as far back as the largest window", "P. ack=-1000 data=abc", [], ESTABLISHED),
        case("further back is challenged", "P. ack=-1001 data=abc", ACK, ESTABLISHED, Reason.ACK_TOO_OLD),
        case("what was never sent is challenged", "P. ack=+1 data=abc", ACK, ESTABLISHED, Reason.ACK_OF_UNSENT),
        case("half of the sequence space away", "P. ack=+2147483647 data=abc", ACK, ESTABLISHED, Reason.ACK_OF_UNSENT),
    ],
)
def test_section_5_text(row: Case) -> None:
    end = reach.established("wnd=1000")
    for _ in range(3):
        end.send(bytes(1000))
        end.arrives(". ack=+0 wnd=1000")
    check(end, row)
    assert end.tcp.readable == (0 if row.reason else 3)


def test_the_window_of_section_5_is_the_largest_ever_seen() -> None:
    """MAX.SND.WND, in octets and not in units of the scale."""
    end = reach.established("mss=1460 ws=4 wnd=5000", tcp_window_scaling=True)
    for _ in range(20):
        end.send(bytes(1460))
        end.arrives(". ack=+0 wnd=1000")
    end.arrives(". wnd=1")
    assert end.arrives("P. ack=-16000 data=abc") == []
    assert end.arrives("P. ack=-16001 data=abc") == ACK


@pytest.mark.parametrize(("make", "before"), [(reach.syn_received, 1), (reach.syn_received_actively, 0)])
def test_nothing_before_our_syn_was_ever_acknowledged(make: Callable[[], End], before: int) -> None:
    """An attacker who guesses cannot count on the window of a young connection."""
    end = make()
    end.arrives(". ack=+0")
    end.send(bytes(100))
    end.arrives(". ack=+0")
    assert end.arrives(f"P. ack={before - 101} data=abc") == []
    assert end.arrives(f"P. ack={before - 102} data=abc") == ACK


@pytest.mark.parametrize(
    ("state", "text"),
    [
        (state, text)
        for state in SYNCHRONIZED
        for text in ("R seq=+5", "S", "S. seq=+7")
        if (state, text) != (State.TIME_WAIT, "S")  # RFC 6191: that one may reopen it
    ],
)
def test_challenges_in_every_synchronized_state(state: State, text: str) -> None:
    end = reach.REACH[state]()
    assert end.arrives(text) == ACK
    assert end.state is state


# §7


LIMITED: list[tuple[str, Callable[[End], list[str]]]] = [
    ("RST", lambda end: end.arrives("R seq=+5")),
    ("SYN", lambda end: end.arrives("S")),
    ("SYN out of the window", lambda end: end.arrives("S seq=-9")),
    ("ACK of what was never sent", lambda end: end.arrives(". ack=+9")),
    ("ACK out of the window", lambda end: end.arrives(". seq=-9")),
]


@pytest.mark.parametrize(("name", "attack"), LIMITED)
def test_a_connection_challenges_twice_a_second_at_most(name: str, attack: Callable[[End], list[str]]) -> None:
    """tcp_invalid_ratelimit, 500 ms by default: of all kinds together."""
    end = reach.established()
    assert attack(end) == ACK
    for _, other in LIMITED:
        assert other(end) == [], name
    assert end.reasons()[-1] is Reason.RATE_LIMITED
    end.wait(SECOND // 2)
    assert attack(end) == ACK


def test_text_out_of_the_window_is_always_acknowledged() -> None:
    """The answer may be the one that ends a retransmission."""
    end = reach.established()
    assert [end.arrives("P. seq=-3 data=abc") for _ in range(3)] == [ACK] * 3


def test_the_host_has_a_budget_too() -> None:
    end = reach.established(tcp_invalid_ratelimit=0, tcp_challenge_ack_limit=3)
    assert [end.arrives("R seq=+5") for _ in range(5)] == [ACK, ACK, ACK, [], []]
    end.wait(SECOND)
    assert end.arrives("R seq=+5") == ACK


def test_a_real_peer_answers_the_challenge_with_the_reset_that_is_expected() -> None:
    """§3.2: a peer that has lost its memory meets our ACK with a RST at SEG.ACK."""
    end = reach.established()
    assert end.arrives("R seq=+5") == ACK
    end.arrives("R")
    assert end.state is CLOSED
