"""The conversation up to where a script failed, as a ladder."""

from __future__ import annotations

from io import StringIO
from typing import TYPE_CHECKING, Final

from tulpen.tcp.trace import FourTuple

if TYPE_CHECKING:
    from tulpen.drill.subject import Subject
    from tulpen.drill.world import World

WIDTH: Final = 100


def ladder_of(world: World) -> list[str]:
    """Return the lines of the ladder of the connection under test; none where nothing happened."""
    host = getattr(world.stage, "host", None)
    records = None if host is None else host.stack.records
    subject = world.subject
    if subject is None or not records:
        return []
    from rich.console import Console

    from tulpen.show.ladder_text import LadderText
    from tulpen.show.ladder_trace import Witness, ladder_from_trace, records_of

    own = records_of(records, _name(subject))
    if not own:
        return []
    ladder = ladder_from_trace(Witness("the script"), Witness("tulpen", own))
    out = StringIO()
    console = Console(file=out, width=WIDTH, color_system=None, highlight=False)
    console.print(LadderText(ladder))
    return out.getvalue().rstrip().splitlines()


def _name(subject: Subject) -> FourTuple:
    return FourTuple(subject.local, subject.local_port, subject.remote, subject.remote_port)
