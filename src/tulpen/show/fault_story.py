"""The results of ``tulpen break`` as a table and as a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote

from tulpen.show.label import printable
from tulpen.show.ladder import Ladder, Path
from tulpen.show.report import Block, Drawing, Facts, Folded, Link, Output, Prose, Report, Section, anchor_of
from tulpen.show.table import Column, Table, Tone

LEGEND: Final = (
    "Time runs downwards, in seconds since the first segment. An arrow's slant grows with the logarithm of the "
    "segment's flight. A cross ends what was lost, a hollow head what was not accepted, and dashes are a second copy. "
    "Sequence numbers are relative. The bars are each end's state; a name in italics with a question mark was "
    "inferred from the segments, not read at that end."
)


@dataclass(slots=True)
class FaultStory:
    """What one program did under one fault."""

    fault: str  # the fault's name
    summary: str  # what it is
    outcome: str  # ok, error, hang, wrong
    seconds: float
    fine: bool = True  # a good program may come out like this
    control: bool = False  # nothing went wrong on purpose
    status: int | None = None  # exit status; minus a signal's number; None: it had to be stopped
    last_words: str = ""
    good: str = ""  # what a good program does
    source: str = ""  # RFC and section
    client: Path = ()
    server: Path = ()
    ladders: list[Ladder] = field(default_factory=list)
    outputs: list[tuple[str, str]] = field(default_factory=list)  # (name, text): its standard error ...
    notes: list[str] = field(default_factory=list)
    pcap: str = ""  # a file beside the page

    @property
    def tone(self) -> Tone:
        """Its colour."""
        if self.outcome == "ok":
            return Tone.GOOD if self.fine else Tone.ODD
        if self.outcome in ("hang", "wrong"):
            return Tone.BAD
        return Tone.PLAIN if self.fine else Tone.ODD


def status_text(status: int | None) -> str:
    """Return an exit status as people say it."""
    if status is None:
        return "stopped"
    return f"signal {-status}" if status < 0 else str(status)


def fault_table(stories: Sequence[FaultStory], *, linked: bool = False) -> Table[FaultStory]:
    """Return the table of faults; ``linked``: each leads to its section of the page."""

    def link(story: FaultStory) -> str:
        return f"#{_anchor(story)}"

    return Table(
        (
            Column("fault", "Fault", lambda story: story.fault, link=link if linked else None),
            Column("outcome", "Outcome", lambda story: story.outcome, tone=lambda story: story.tone),
            Column("fine", "", lambda story: story.fine, json_only=True),
            Column("seconds", "Time", lambda story: round(story.seconds, 3), text=lambda s: f"{s:.2f} s", right=True),
            Column("status", "Exit", lambda story: story.status, text=status_text, right=True),
            Column("client", "States", lambda story: story.client, least=30, under=True),
            Column("server", "tulpen's states", lambda story: story.server, json_only=not linked),
            Column("last_words", "Last words", lambda story: story.last_words, least=20),
            Column("summary", "", lambda story: story.summary, json_only=True),
            Column("source", "", lambda story: story.source, json_only=True),
            Column("notes", "", lambda story: story.notes, json_only=True),
            Column("pcap", "", lambda story: story.pcap or None, json_only=True),
        ),
        stories,
        title="Faults" if linked else "",
    )  # fmt: skip


def fault_report(
    stories: Sequence[FaultStory],
    *,
    program: str,
    command: str,
    facts: Sequence[tuple[str, str | Link]] = (),
    footer: str = "",
) -> Report:
    """Return the page of a run: what was found first, then the table, then every fault by itself."""
    faults = [story for story in stories if not story.control]
    return Report(
        title=f"What does {_shortened(program)} do when TCP goes wrong?",
        lead=_lead(faults),
        facts=(("Command", f"`{printable(command).replace('`', chr(39))}`"), *facts),
        sections=(
            Section(
                "All faults",
                [fault_table(stories, linked=True), Folded("How to read a ladder", [Prose(LEGEND)])],
                listed=False,
            ),
            *(_section(story) for story in stories),
        ),
        footer=footer,
    )


def _lead(stories: Sequence[FaultStory]) -> str:
    def listing(outcome: str, words: str) -> str:
        names = [
            story.fault for story in stories if story.outcome == outcome and (outcome != "error" or not story.fine)
        ]
        return f"\n\nIt {words} under {', '.join(names)}." if names else ""

    count = f"{len(stories)} fault{'s' * (len(stories) != 1)} tried."
    found = (
        listing("hang", "was still waiting at the deadline")
        + listing("wrong", "said that all was well, and its output was not")
        + listing("error", "gave an error where none was due")
    )
    return count + (found or " Nothing hung, and nothing was wrong.")


def _section(story: FaultStory) -> Section:
    facts: list[tuple[str, str | Link]] = [
        ("What happens", story.summary),
        ("A good program", story.good),
        ("Source", story.source),
        ("Time", f"{story.seconds:.3f} s"),
        ("Exit status", status_text(story.status)),
        ("Last words", story.last_words),
    ]
    if story.pcap:
        beside = "" if story.pcap.startswith("/") else "./"
        facts.append(("Capture", Link(story.pcap, beside + quote(story.pcap, errors="replace"))))
    blocks: list[Block] = [Facts([(name, value) for name, value in facts if value])]
    blocks += [Prose(note) for note in story.notes]
    for i, ladder in enumerate(story.ladders):
        name = ladder.title or ("The conversation" if len(story.ladders) == 1 else f"Conversation {i + 1}")
        shown = i == 0 and (story.control or story.tone in (Tone.BAD, Tone.ODD))
        blocks.append(Folded(name, [Drawing(ladder)], open=shown))
    blocks += [Folded(f"Its {name}", [Output(text, name)]) for name, text in story.outputs if text]
    return Section(story.fault, blocks, anchor=_anchor(story), verdict=story.outcome, tone=story.tone,
                   listed=story.control or story.tone in (Tone.BAD, Tone.ODD))  # fmt: skip


def _anchor(story: FaultStory) -> str:
    return anchor_of(f"fault {story.fault}")


def _shortened(command: str, most: int = 60) -> str:
    command = printable(command)
    return command if len(command) <= most else command[: most - 3] + "..."
