"""What came of a run: values alone, for the table, JSON, JUnit and HTML to draw on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tulpen.faults.fault import Outcome

if TYPE_CHECKING:
    from pathlib import Path

    from tulpen.faults.catalogue import Choice
    from tulpen.link.command import Output
    from tulpen.show.ladder import Ladder


@dataclass(slots=True)
class Connection:
    """One connection, client left."""

    title: str  # both sockets
    ladder: Ladder


@dataclass(slots=True)
class Result:
    """What became of the program under one fault."""

    choice: Choice
    outcome: Outcome = Outcome.OK
    status: int | None = None  # its exit status, minus the signal that killed it; None: it had to be stopped
    seconds: float = 0.0
    stdout: Output | None = None
    stderr: Output | None = None
    written: Output | None = None  # what it wrote to {out}
    last_words: str = ""
    met: int = 0  # how often the fault happened to it
    connections: list[Connection] = field(default_factory=list)
    pcap: Path | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def acceptable(self) -> bool:
        """Whether a good program may come out like this; under a fault it never met, one that is ok."""
        if not self.met and self.outcome is Outcome.OK:
            return True
        return self.choice.fault.accepts(self.outcome, self.choice.values)

    @property
    def found(self) -> bool:
        """Whether something is to be looked at: a hang, a wrong result, an error where none is due."""
        return self.outcome in (Outcome.HANG, Outcome.WRONG) or not self.acceptable


@dataclass(slots=True)
class Report:
    """What came of all of it."""

    command: tuple[str, ...]
    program: str
    built_in: bool  # the victim is Python's own HTTP client
    version: str
    kernel: str
    device: str
    started: str  # ISO 8601
    seed: int
    deadline: float
    family: int
    seconds: float = 0.0
    upstream: str = ""
    control: Result | None = None
    sample: Result | None = None  # the control with a shorter page, for the drawing
    results: list[Result] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def found(self) -> list[Result]:
        """The results to be looked at."""
        return [each for each in self.results if each.found]
