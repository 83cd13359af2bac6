from __future__ import annotations

import io
import json

import pytest
from rich.console import Console

from tulpen.kernel import tcp_codes as codes
from tulpen.tcp.state import State
from tulpen.tcp.trace import FourTuple
from tulpen.watch.activity import Activity
from tulpen.watch.chosen import Chosen
from tulpen.watch.ended import Ended, duration
from tulpen.watch.screen import Screen
from tulpen.watch.tally import Tally
from tulpen.watch.verdict import Ending, judge
from tulpen.watch.who import Who

HERE, THERE = bytes([192, 0, 2, 1]), bytes.fromhex("20010db8000000000000000000000002")


def ended(word: str, *, port: int = 80, command: str = "nginx", place: str = "") -> Ended:
    name = FourTuple(HERE, port, THERE, 5000)
    return Ended(1e9, name, judge(bytes.fromhex(word)), 1.5, None, 10, 20, 3, Who(7, command, 4), 4, place)


ORDERLY = ended("a3318899" + "9d01")
RESET = ended("7221031d02", port=5000, command='a"b\x1b[2J', place="web")


def drawn(width: int, height: int = 40) -> str:
    tally = Tally()
    counts = [0] * 256
    counts[0x72] = counts[0x5D] = 9
    tally.add(counts)
    tally.lost = 4
    activity = Activity()
    activity.add([ORDERLY, RESET])
    activity.look(tally)
    activity.close()
    console = Console(file=io.StringIO(), width=width, height=height, color_system=None, force_terminal=True)
    console.print(Screen(activity, tally, ["a note"]))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize("width", [70, 100, 160])
def test_a_screen_has_everything(width: int) -> None:
    text = drawn(width)
    for words in (
        "4 lost",
        "a note",
        "LISTEN",
        "ESTABLISHED",
        "orderly",
        "reset by peer",
        "192.0.2.1:80",
        "2001:db8::2",
    ):
        assert words in text
    assert "\x1b[2J" not in text


def test_a_small_terminal_is_not_overrun() -> None:
    assert drawn(160, 10).count("\n") < 40


def test_a_line_and_an_object_say_the_same() -> None:
    line = RESET.as_line()
    assert "192.0.2.1:5000 -> [2001:db8::2]:5000" in line
    assert "in web" in line
    assert "3 sent again" in line
    told = json.loads(RESET.as_json())
    assert told["states"] == ["CLOSED", "SYN-SENT", "ESTABLISHED", "CLOSED"]
    assert (told["ending"], told["process"], told["namespace"]) == ("reset by peer", 'a"b\x1b[2J', "web")
    assert (told["sent"], told["received"], told["duration"]) == (10, 20, 1.5)
    unknown = json.loads(RESET._replace(who=None, sent=None, namespace=None, place="", duration=None).as_json())
    assert [unknown[key] for key in ("pid", "sent", "namespace", "namespace_inode", "duration")] == [None] * 5


def test_who_is_told() -> None:
    def told(chosen: Chosen) -> list[bool]:
        return [chosen.wants(each.verdict) and chosen.takes(each) for each in (ORDERLY, RESET)]

    assert told(Chosen()) == [True, True]
    assert told(Chosen(ports=frozenset({80}))) == [True, False]
    assert told(Chosen(processes=frozenset({"nginx"}))) == [True, False]
    assert told(Chosen(processes=frozenset({"7"}))) == [True, True]
    assert told(Chosen(states=frozenset({State.CLOSE_WAIT}))) == [True, False]
    assert told(Chosen(endings=frozenset({Ending.RESET_BY_PEER}))) == [False, True]


def test_counts_by_transition_and_reason() -> None:
    tally = Tally()
    counts = [0] * 256
    for code, number in ((0x1D, 2), (0x17, 3), (codes.RESET_SENT + 15, 4), (codes.RESET_RECEIVED, 5), (4, 6)):
        counts[code] = number
    tally.add(counts)
    tally.add(counts)
    assert tally.transitions() == {(State.ESTABLISHED, State.CLOSED): 10}
    assert tally.resets_sent() == {"TCP_STATE": 8}
    assert (tally.resets_received, tally.retransmissions, tally.events) == (10, 12, 40)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, ""), (0.0000123, "12 us"), (0.0123, "12.3 ms"), (1.234, "1.23 s"), (123.4, "123 s"), (12345.0, "12,345 s")],
)
def test_a_time_has_three_digits(seconds: float | None, words: str) -> None:
    assert duration(seconds) == words
