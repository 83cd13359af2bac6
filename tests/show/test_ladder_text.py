"""The drawing in a terminal, against texts that were looked at."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from tests.show.drawn import LEFT, MS, download, empty, every_fate, golden, rung, seen
from tulpen.show.ladder import Happening, HappeningKind, Standing
from tulpen.show.ladder_text import LadderText
from tulpen.show.ladder_text import ladder_text as text
from tulpen.tcp.state import State
from tulpen.wire.segment import ACK, PSH, SYN


@pytest.mark.parametrize("width", [60, 80, 120])
def test_a_download(width: int) -> None:
    golden(f"download-{width}", text(download(), width))


@pytest.mark.parametrize("width", [80, 132])
def test_every_fate(width: int) -> None:
    golden(f"every-fate-{width}", text(every_fate(), width))


def test_in_ascii() -> None:
    drawn = text(every_fate(), ascii_only=True)
    assert drawn.isascii()
    golden("every-fate-ascii", drawn)


@pytest.mark.parametrize("width", [60, 61, 80, 99, 132, 200])
@pytest.mark.parametrize("ascii_only", [False, True])
def test_no_line_is_wider_than_the_terminal(width: int, ascii_only: bool) -> None:
    for ladder in (download(), every_fate()):
        lines = text(ladder, width, ascii_only=ascii_only).splitlines()
        assert max(map(len, lines)) <= min(width, 132)


def test_both_ends_states_stand_in_their_columns() -> None:
    lines = text(download(3)).splitlines()
    assert [line[11:24].strip(" │") for line in lines if line[11:24].strip(" │")][1:] == [
        "CLOSED", "SYN-SENT", "ESTABLISHED", "CLOSE-WAIT", "LAST-ACK", "CLOSED?",
    ]  # fmt: skip


def test_an_encoding_that_has_no_arrows_gets_ascii() -> None:
    raw = io.BytesIO()
    console = Console(file=io.TextIOWrapper(raw, encoding="ascii"), width=80)
    console.print(LadderText(every_fate()))
    console.file.flush()
    assert b"---->" in raw.getvalue()


def test_all_of_it_on_request() -> None:
    assert "..." in text(download())
    whole = text(download(), show_all=True)
    assert "..." not in whole
    assert whole.count("len 1448") + whole.count(":") > 400


def test_absolute_numbers_on_request() -> None:
    out = io.StringIO()
    Console(file=out, width=100).print(LadderText(download(3), absolute=True))
    assert "SYN 1000 " in out.getvalue()
    assert "TS 77" in out.getvalue()


def test_tcpdumps_letters_on_request() -> None:
    out = io.StringIO()
    Console(file=out, width=100).print(LadderText(download(3), letters=True))
    assert "[S.] 0 ack 1" in out.getvalue()


def test_what_others_wrote_cannot_steer_the_terminal() -> None:
    ladder = empty("a\x1b[2Jtitle")
    ladder.left.name = "evil\x1b]0;x\x07\u202ename"
    ladder.rungs.append(Happening(LEFT, 0, "send \x1b[31m\r\n", HappeningKind.CALL))
    rung(ladder, LEFT, 1, PSH | ACK, 1, 1, 5, notes=("\x9b31m [bold]",))
    drawn = text(ladder)
    assert not any(ord(c) < 32 and c != "\n" for c in drawn)
    assert "\x9b" not in drawn
    assert "\u202e" not in drawn
    assert "[bold]" in drawn, "and no markup is understood"


def test_colour_is_only_an_addition() -> None:
    out = io.StringIO()
    Console(file=out, width=80, force_terminal=True, color_system="truecolor").print(LadderText(every_fate()))
    assert "\x1b[" in out.getvalue()


def test_a_pause_is_said() -> None:
    ladder = empty()
    rung(ladder, LEFT, 0, SYN, 0, left=seen(State.SYN_SENT))
    late = Happening(LEFT, 7200 * 1000 * MS, "gives up", HappeningKind.TIMER, left=(Standing(State.CLOSED),))
    ladder.rungs.append(late)
    assert "2 h" in text(ladder)


def test_an_empty_ladder() -> None:
    assert "python (Linux)" in text(empty())
