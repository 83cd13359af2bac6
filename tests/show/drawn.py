"""Ladders for the tests: one drawn by hand with every fate in it, and a way to compare with the golden texts."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tulpen.show.ladder import Arrow, End, Fate, Happening, HappeningKind, Ladder, Side, Standing, arrow
from tulpen.tcp.state import State
from tulpen.wire.options import NO_OPTIONS, Options
from tulpen.wire.segment import ACK, FIN, PSH, RST, SYN, Segment

if TYPE_CHECKING:
    from tulpen.show.ladder import Path as StatePath

MS: Final = 1_000_000
LEFT, RIGHT = Side.LEFT, Side.RIGHT
OFFER: Final = Options(mss=1460, sack_permitted=True, wscale=7, tsval=77)
GOLDEN: Final = Path(__file__).parent / "golden"
ISN: Final = {LEFT: 1000, RIGHT: 0xFFFF_FF00}


def seen(*states: State) -> StatePath:
    return tuple(Standing(state) for state in states)


def inferred(*states: State) -> StatePath:
    return tuple(Standing(state, inferred=True) for state in states)


def rung(
    ladder: Ladder,
    sender: Side,
    sent: float,
    flags: int,
    seq: int,
    ack: int = 0,
    data: int = 0,
    *,
    arrived: float | None = None,
    fate: Fate = Fate.ARRIVED,
    notes: tuple[str, ...] = (),
    left: StatePath = (),
    right: StatePath = (),
    options: Options = NO_OPTIONS,
) -> Arrow:
    """Add an arrow; times in milliseconds, numbers relative."""
    seg = Segment(
        (ISN[sender] + seq) & 0xFFFF_FFFF,
        (ISN[sender.other] + ack) & 0xFFFF_FFFF if flags & ACK else 0,
        flags,
        65535,
        bytes(data),
        options,
    )
    made = arrow(
        sender, int(sent * MS), seg, arrived=None if arrived is None else int(arrived * MS), fate=fate, notes=notes
    )
    made.left, made.right = left, right
    ladder.rungs.append(made)
    return made


def empty(title: str = "") -> Ladder:
    return Ladder(
        End("python (Linux)", Standing(State.CLOSED), ISN[LEFT], address="10.0.0.1:40000"),
        End("tulpen", Standing(State.LISTEN), ISN[RIGHT], address="10.0.0.2:80"),
        title=title,
    )


def download(segments: int = 400) -> Ladder:
    """A whole conversation, to the end of TIME-WAIT."""
    ladder = empty()
    rung(ladder, LEFT, 0, SYN, 0, options=OFFER, left=seen(State.SYN_SENT), right=seen(State.SYN_RECEIVED))
    rung(ladder, RIGHT, 0.1, SYN | ACK, 0, 1, options=OFFER, left=seen(State.ESTABLISHED))
    rung(ladder, LEFT, 0.142, ACK, 1, 1, right=seen(State.ESTABLISHED))
    rung(ladder, LEFT, 0.3, PSH | ACK, 1, 1, 83)
    rung(ladder, RIGHT, 0.35, ACK, 1, 84)
    at, seq = 0.4, 1
    for i in range(segments):
        at += 0.01
        rung(ladder, RIGHT, at, ACK, seq, 84, 1448)
        seq += 1448
        if i % 2:
            rung(ladder, LEFT, at + 0.003, ACK, 84, seq)
    rung(ladder, RIGHT, at + 1, FIN | ACK, seq, 84, left=seen(State.CLOSE_WAIT), right=seen(State.FIN_WAIT_1))
    rung(
        ladder, LEFT, at + 1.1, FIN | ACK, 84, seq + 1,
        left=seen(State.LAST_ACK), right=seen(State.FIN_WAIT_2, State.TIME_WAIT),
    )  # fmt: skip
    rung(ladder, RIGHT, at + 1.2, ACK, seq + 1, 85, left=inferred(State.CLOSED))
    end = Happening(RIGHT, int((at + 60_001.2) * MS), "2 MSL have passed", HappeningKind.TIMER)
    end.take(RIGHT, Standing(State.CLOSED))
    ladder.rungs.append(end)
    return ladder


def every_fate() -> Ladder:
    """A simultaneous open, and then everything that can become of a segment."""
    ladder = empty("Simultaneous open, and all that can go wrong")
    ladder.right.first = Standing(State.CLOSED)
    rung(ladder, LEFT, 0, SYN, 0, arrived=20, left=seen(State.SYN_SENT), right=seen(State.SYN_RECEIVED))
    rung(ladder, RIGHT, 5, SYN, 0, arrived=15, left=seen(State.SYN_RECEIVED), right=seen(State.SYN_SENT))
    rung(ladder, LEFT, 15, SYN | ACK, 0, 1, arrived=35, right=seen(State.ESTABLISHED))
    rung(ladder, RIGHT, 20, SYN | ACK, 0, 1, arrived=40, left=seen(State.ESTABLISHED))
    rung(ladder, LEFT, 60, PSH | ACK, 1, 1, 5, fate=Fate.LOST)
    rung(ladder, LEFT, 260, PSH | ACK, 1, 1, 5, arrived=280, notes=("retransmission", "RTO"))
    rung(ladder, LEFT, 261, PSH | ACK, 6, 1, 5, arrived=300, fate=Fate.OUT_OF_ORDER)
    rung(ladder, LEFT, 262, PSH | ACK, 11, 1, 5, arrived=290)
    edges = ((ISN[LEFT] + 11) & 0xFFFF_FFFF, (ISN[LEFT] + 16) & 0xFFFF_FFFF)
    rung(ladder, RIGHT, 290, ACK, 1, 6, options=Options(sack=(edges,)))
    rung(ladder, LEFT, 301, PSH | ACK, 11, 1, 5, fate=Fate.DUPLICATED)
    rung(ladder, LEFT, 310, PSH | ACK, 16, 1, 5, arrived=330, fate=Fate.CORRUPTED)
    rung(ladder, RIGHT, 340, RST, 70_000, arrived=360, fate=Fate.INJECTED, notes=("a RST outside the window",))
    rung(
        ladder, LEFT, 341, SYN, 99_116, arrived=361, fate=Fate.REFUSED,
        notes=("a SYN on a synchronized connection", "the rate limit held the challenge ACK back"),
    )  # fmt: skip
    abort = Happening(LEFT, 420 * MS, "abort", HappeningKind.CALL)
    abort.take(LEFT, Standing(State.CLOSED))
    ladder.rungs.append(abort)
    rung(ladder, LEFT, 420, RST | ACK, 16, 1, arrived=440, right=seen(State.CLOSED), notes=("ECONNRESET",)).hurts = True
    return ladder


def golden(name: str, drawn: str) -> None:
    """Hold ``drawn`` against tests/show/golden; TULPEN_GOLDEN=write writes it anew, to be looked at and committed."""
    path = GOLDEN / f"{name}.txt"
    if os.environ.get("TULPEN_GOLDEN") == "write":
        path.parent.mkdir(exist_ok=True)
        path.write_text(drawn, encoding="utf-8")
    assert drawn == path.read_text(encoding="utf-8")
