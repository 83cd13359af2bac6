"""An incident, and what a run of it gives.

An incident is one function over a ``Lab``.  It makes grounds, lets things happen there,
says what it does and what to look at, and claims what must then be true.  The same
function runs on every backend; ``facts`` are what is laid side by side afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from tulpen.lab.ground import Backend

if TYPE_CHECKING:
    from pathlib import Path

    from tulpen.lab.bench import Lab
    from tulpen.show.ladder import Ladder

EVERYWHERE: Final = (Backend.SIM, Backend.STACK, Backend.KERNEL)


@dataclass(frozen=True, slots=True)
class Incident:
    """One incident of TCP's life."""

    name: str
    summary: str  # one line
    theory: str  # paragraphs, with the sections they stand on
    run: Callable[[Lab], None]
    spoiled: str  # what ``Lab.spoiled`` changes, so that a claim no longer holds
    backends: tuple[Backend, ...] = EVERYWHERE
    absent: Mapping[Backend, str] = field(default_factory=dict)  # why a backend cannot show it
    inexact: str = ""  # why virtual time does not give the same figures each time
    explained: Mapping[str, str] = field(default_factory=dict)  # facts in which backends differ, and why


@dataclass(frozen=True, slots=True)
class Said:
    """What was done, in a sentence."""

    words: str
    now: int  # nanoseconds since the ground's beginning


@dataclass(frozen=True, slots=True)
class Looked:
    """What to look at: the command one would type, and what it says."""

    command: str
    answer: str


@dataclass(frozen=True, slots=True)
class Claimed:
    """What must be true, whether it was, and what was seen."""

    sentence: str
    held: bool
    seen: str = ""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A ladder, with its title."""

    ladder: Ladder
    title: str


@dataclass(frozen=True, slots=True)
class Measured:
    """A table of figures: a heading for each column, and rows of values."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]


@dataclass(frozen=True, slots=True)
class Plotted:
    """Curves over one axis: name -> points (x, y)."""

    title: str
    x: str
    y: str
    curves: Mapping[str, tuple[tuple[float, float], ...]]
    steps: bool = False  # y keeps its value until the next point
    log: bool = False  # the y axis


Event = Said | Looked | Claimed | Drawn | Measured | Plotted


@dataclass(slots=True)
class Account:
    """One run of an incident on one backend."""

    incident: str
    backend: Backend
    seed: int
    events: list[Event] = field(default_factory=list)
    facts: dict[str, object] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)  # machine -> what runs on it
    settings: Mapping[str, object] = field(default_factory=dict)
    captures: list[Path] = field(default_factory=list)  # what was written of the first machine's packets

    @property
    def claims(self) -> list[Claimed]:
        """What was claimed."""
        return [event for event in self.events if isinstance(event, Claimed)]

    @property
    def held(self) -> bool:
        """Whether all claims held, and there were some."""
        return bool(self.claims) and all(claim.held for claim in self.claims)

    def _repr_html_(self) -> str:
        """Show it where a notebook does."""
        from tulpen.lab.notebook import fragment

        return fragment(self)
