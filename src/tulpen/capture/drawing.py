"""The ladder of a connection in a capture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tulpen.capture.machine import Known, Machine
from tulpen.show.ladder import Arrow, End, Fate, Ladder, Side, Standing
from tulpen.tcp.state import CLOSED
from tulpen.wire.address import text
from tulpen.wire.segment import RST, SYN

if TYPE_CHECKING:
    from tulpen.capture.conversation import Conversation
    from tulpen.capture.end import End as Followed
    from tulpen.capture.rows import Told
    from tulpen.capture.seen import Seen

QUIET = frozenset(("overtaken", "after the RST"))


def ladder(talk: Conversation, told: Told) -> Ladder:
    """Draw a connection whose segments were kept: the client on the left."""
    client = 0 if told.connection.client_port == talk.ends[0].port else 1
    if text(talk.ends[client].address) != told.connection.client:
        client = 1 - client
    sides = {client: Side.LEFT, 1 - client: Side.RIGHT}
    drawn = Ladder(_end("client", talk.ends[client]), _end("server", talk.ends[1 - client]))
    notes = talk.findings.notes or {}
    for side, seg in talk.kept or ():
        drawn.rungs.append(_arrow(talk, sides[side], talk.ends[side], seg, tuple(notes.get(seg.frame, ()))))
    arrows = {arrow.frame: arrow for arrow in drawn.rungs if isinstance(arrow, Arrow)}
    for side, end in enumerate(talk.ends):
        _stand(arrows, sides[side], end.machine)
    return drawn


def _end(name: str, end: Followed) -> End:
    first = Standing()
    if end.machine.steps and end.machine.steps[0].source is CLOSED:
        first = Standing(CLOSED, inferred=True)
    host = text(end.address)
    address = f"[{host}]:{end.port}" if ":" in host else f"{host}:{end.port}"
    return End(f"{name} {address}", first, end.isn, address)


def _arrow(talk: Conversation, sender: Side, end: Followed, seg: Seen, notes: tuple[str, ...]) -> Arrow:
    scaled = not seg.flags & SYN and all(each.wscale >= 0 for each in talk.ends)
    fate = Fate.ARRIVED
    if "bad checksum" in notes:
        fate = Fate.CORRUPTED
    elif any(reset.frame == seg.frame and reset.went_on for reset in talk.resets):
        fate = Fate.INJECTED
    return Arrow(
        sender, seg.when, seg.flags, seg.seq, seg.ack, seg.wnd << min(end.wscale, 14) if scaled else seg.wnd,
        seg.length, arrived=seg.when, fate=fate, options=seg.options, urgent=seg.urg, notes=notes, frame=seg.frame,
        hurts=bool(seg.flags & RST) or any(note not in QUIET for note in notes),
    )  # fmt: skip


def _stand(arrows: dict[int | None, Arrow], side: Side, machine: Machine) -> None:
    for step in machine.steps:
        arrow = arrows.get(step.frame)
        if arrow is not None:
            arrow.take(side, Standing(step.target, inferred=step.known is not Known.SEEN))
