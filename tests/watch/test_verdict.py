from __future__ import annotations

import pytest

from tulpen.kernel import tcp_codes as codes
from tulpen.show.path import path_text
from tulpen.tcp.state import State
from tulpen.watch.verdict import Ending, Opened, judge

RESET = codes.REASONS.index


def word(text: str) -> bytes:
    """Transitions as hexadecimal octets; a reset's reason by name."""
    return b"".join(
        bytes([codes.RESET_SENT + RESET(each)]) if "_" in each else bytes.fromhex(each) for each in text.split()
    )


def spelt(path: str) -> str:
    """Write short names of states in full."""
    names = {
        "SS": "SYN-SENT", "SR": "SYN-RECEIVED", "EST": "ESTABLISHED", "FW1": "FIN-WAIT-1", "FW2": "FIN-WAIT-2",
        "CW": "CLOSE-WAIT", "LA": "LAST-ACK", "TW": "TIME-WAIT",
    }  # fmt: skip
    return " > ".join(
        names.get(each.strip("?"), each.strip("?")) + "?" * each.endswith("?") for each in path.split(" > ")
    )


@pytest.mark.parametrize(
    ("life", "opened", "ending", "by", "path"),
    [
        ("72 21 14 45 5d 01", "active", "orderly", "us", "SS > EST > FW1 > FW2 > TW?"),
        ("72 21 14 45 5d 02", "active", "half-closed", "us", "SS > EST > FW1 > FW2 > TW?"),
        ("72 21 14 45 5e 02", "active", "orderly", "us", "SS > EST > FW1 > FW2 > TW?"),
        ("a3 31 18 89 9d 01", "passive", "orderly", "peer", "LISTEN > SR > EST > CW > LA > CLOSED"),
        ("72 21 14 4b bd 01", "active", "orderly", "both", "SS > EST > FW1 > CLOSING > TW?"),
        ("72 23 31 17 TCP_ABORT_ON_CLOSE 02", "simultaneous", "aborted, data unread", "us", "SS > SR > EST > CLOSED"),
        ("72 03 27 02", "active", "refused", "peer", "SS > CLOSED"),
        ("72 2d 02", "active", "unreachable", "", "SS > CLOSED"),
        ("72 27 02", "active", "abandoned", "us", "SS > CLOSED"),
        ("a3 31 03 1d 02", "passive", "reset by peer", "peer", "LISTEN > SR > EST > CLOSED"),
        ("72 21 17 TCP_STATE 02", "active", "aborted, linger 0", "us", "SS > EST > CLOSED"),
        ("72 21 TCP_STATE 17 02", "active", "killed", "us", "SS > EST > CLOSED"),
        ("a3 31 1e TCP_STATE 02", "passive", "reset by us", "us", "LISTEN > SR > EST > CLOSED"),
        ("72 21 TCP_KEEPALIVE_TIMEOUT 1d 02", "active", "keep-alive death", "us", "SS > EST > CLOSED"),
        ("72 21 1d 02", "active", "gave up", "", "SS > EST > CLOSED"),
        ("72 21 14 4d 01 TCP_ABORT_ON_DATA", "active", "reset by us", "us", "SS > EST > FW1 > CLOSED"),
        ("89 9d 01", "before", "orderly", "peer", "CW > LA > CLOSED"),
        ("72 5d 01", "active", "orderly", "us", "SS > EST? > FW1? > FW2? > TW?"),
        ("72 21 TCP_FLAGS 14 45 5d 01", "active", "orderly", "us", "SS > EST > FW1 > FW2 > TW?"),
        ("14 45", "before", "unknown", "", "EST > FW1 > FW2"),
    ],
)  # fmt: skip
def test_a_life_is_judged(life: str, opened: str, ending: str, by: str, path: str) -> None:
    verdict = judge(word(life))
    assert (verdict.opened.value, verdict.ending.value, verdict.by) == (opened, ending, by)
    assert path_text(verdict.path) == spelt(path)


def test_nothing_acknowledged_the_last_fin() -> None:
    assert judge(word("a3 31 18 89 9d 01"), unanswered=True).ending is Ending.GAVE_UP


def test_a_syn_without_an_answer() -> None:
    assert judge(word("72 2d 02"), unanswered=True).ending is Ending.UNANSWERED


def test_an_abort_whose_socket_lives_on_is_a_disconnect() -> None:
    verdict = judge(word("72 21 17 TCP_STATE"), at_once=False)
    assert (verdict.ending, verdict.why) == (Ending.RESET_BY_US, "disconnected: connect() with AF_UNSPEC")


@pytest.mark.parametrize(
    ("life", "ending"),
    [("72 21 e0 1d", Ending.KEEPALIVE), ("72 21 17 e0", Ending.RESET_BY_US), ("a3 31 1e e0", Ending.RESET_BY_US)],
)
def test_an_older_kernel_gives_no_reason(life: str, ending: Ending) -> None:
    assert judge(bytes.fromhex(life)).ending is ending


def test_a_listener_is_no_connection() -> None:
    assert judge(word("7a a7 02")).listener
    assert judge(word("a7 02")).listener


def test_every_word_of_every_octet_is_judged() -> None:
    for first in range(256):
        for second in range(256):
            verdict = judge(bytes([first, second]))
            assert isinstance(verdict.opened, Opened)
            assert all(isinstance(standing.state, State) for standing in verdict.path)
