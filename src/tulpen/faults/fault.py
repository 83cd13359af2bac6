"""What a fault is: one thing that goes wrong with TCP, said once, usable on every backend.

A ``Fault`` is a description and a recipe.  ``Fault.stage`` turns it, with the values of
its parameters, into a ``Stage``: what the server's host is set to, what the server does
at each point of a conversation, what the path between does to packets, and how the
victim's own host is prepared.  A stage is used for one run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Final

from tulpen.faults.conduct import Conduct
from tulpen.faults.tally import Tally
from tulpen.sim.filters import clear

if TYPE_CHECKING:
    from tulpen.faults.http import Framing
    from tulpen.sim.chance import Chance
    from tulpen.sim.filters import Filter
    from tulpen.wire.ip import Packet

SECOND: Final = 1_000_000_000


class Outcome(Enum):
    """What became of the program."""

    OK = "ok"  # it succeeded, and its output is the control's
    ERROR = "error"  # it said that it failed
    HANG = "hang"  # it was still at it when the deadline came
    WRONG = "wrong"  # it said that it succeeded, and its output is not the control's


OK: Final = frozenset({Outcome.OK})
ERROR: Final = frozenset({Outcome.ERROR})
OK_OR_ERROR: Final = OK | ERROR


@dataclass(frozen=True, slots=True)
class Parameter:
    """A number that a fault can be given: ``rst-at-byte:bytes=100``."""

    name: str
    default: float
    meaning: str

    def read(self, text: str) -> float:
        """Return the number that ``text`` says; raises ValueError."""
        number = int(text) if isinstance(self.default, int) else float(text)
        if not 0 <= number < float("inf"):
            raise ValueError(text)
        return number


@dataclass(slots=True)
class Preparation:
    """What is done to the victim's own host before the victim starts."""

    sysctls: dict[str, str] = field(default_factory=dict)  # of its network namespace
    time_waits: int = 0  # connections to the server that it has closed first


@dataclass(slots=True)
class Stage:
    """One fault, set up for one run."""

    conduct: Callable[[], Conduct] = Conduct  # of each connection that is accepted
    times: int = 0  # the first so many; those after them are served well; 0: of all
    network: Filter = clear  # the path, both ways
    listens: bool = True
    accepts: bool = True
    framing: Framing | None = None  # None: as the run has it
    settings: dict[str, object] = field(default_factory=dict)  # of the server's host, over its defaults
    options: dict[str, object] = field(default_factory=dict)  # of the server's sockets
    victim: Preparation = field(default_factory=Preparation)
    tally: Tally = field(default_factory=Tally)  # how often the fault was met


@dataclass(frozen=True, slots=True)
class Scene:
    """Where a fault is staged."""

    chance: Chance
    server: bytes  # the address of the server's host

    def from_server(self, packet: Packet) -> bool:
        """Say whether the server sent it."""
        return packet.src == self.server


Values = Mapping[str, float]
Recipe = Callable[[Values, Scene], Stage]
TIMES: Final = Parameter("times", 0, "connections it happens to; 0: all")


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that goes wrong: its name, what it means, and how it is staged."""

    name: str
    summary: str  # one sentence; {parameter} is filled in
    good: str  # what a good program does
    source: str  # RFC and section
    acceptable: frozenset[Outcome]
    recipe: Recipe
    parameters: tuple[Parameter, ...] = ()
    requests: int = 1  # how many requests on one connection it takes to meet it
    pause: float = 0.0  # seconds between them

    def values(self, given: Mapping[str, float] | None = None) -> dict[str, float]:
        """Return the value of every parameter."""
        return {each.name: (given or {}).get(each.name, each.default) for each in self.parameters}

    def says(self, values: Values) -> str:
        """Return the summary with the values filled in."""
        return self.summary.format(**{name: f"{value:g}" for name, value in values.items()})

    def accepts(self, outcome: Outcome, values: Values) -> bool:
        """Say whether a good program may come out like this."""
        return outcome in self.acceptable or (outcome is Outcome.OK and values.get(TIMES.name, 0) > 0)

    def stage(self, values: Values, scene: Scene) -> Stage:
        """Set the fault up for one run."""
        values = self.values(values)
        stage = self.recipe(values, scene)
        stage.times = int(values.get(TIMES.name, 0))
        return stage
