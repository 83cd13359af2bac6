"""What an incident works with: it makes grounds, and says, shows, claims and measures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from errno import errorcode
from math import inf
from typing import TYPE_CHECKING, Final, final

from tulpen.lab.ground import Backend, Ground
from tulpen.lab.incident import Account, Claimed, Drawn, Event, Looked, Measured, Plotted, Said
from tulpen.lab.rows import ss
from tulpen.show.ladder import Arrow

if TYPE_CHECKING:
    from pathlib import Path

    from tulpen.lab.machine import Door, Line, Machine, Value
    from tulpen.tcp.state import State

PATIENCE: Final = 10.0  # seconds that what must happen may take on a busy machine
SPOILED_PATIENCE: Final = 0.7  # what will not happen need not be waited for

Teller = Callable[[Event], None]
Progress = Callable[[str, int, int], None]  # what, done, of how many
Meanwhile = Callable[[], object]
Doctor = Callable[["Machine", "Ground", Meanwhile], None]


@final
class Lab:
    """One run of an incident.  ``spoiled``: something is broken on purpose, and a claim must fail."""

    def __init__(
        self,
        incident: str,
        backend: Backend,
        *,
        seed: int = 0,
        settings: Mapping[str, Value] | None = None,
        full: bool = False,
        spoiled: bool = False,
        tell: Teller | None = None,
        progress: Progress | None = None,
        pcap: Path | None = None,
        doctor: Doctor | None = None,
    ) -> None:
        self.backend = backend
        self.full = full  # as large as in life, where that takes long
        self.spoiled = spoiled
        self.account = Account(incident, backend, seed, settings=dict(settings or {}))
        self._settings = dict(settings or {})
        self._tell = tell
        self._progress = progress
        self._pcap = pcap
        self._doctor = doctor
        self._ground: Ground | None = None
        self._grounds = 0

    @property
    def virtual(self) -> bool:
        """Whether waiting costs nothing."""
        return self.backend is Backend.SIM

    def ground(self, *, watch: bool = True) -> AbstractContextManager[Ground]:
        """Return a new, empty place for things to happen in."""
        self._grounds += 1
        pcap = self._pcap
        if pcap is not None and self._grounds > 1:
            pcap = pcap.with_stem(f"{pcap.stem}-{self._grounds}")
        if pcap is not None:
            self.account.captures.append(pcap)
        seed = f"{self.account.seed}/{self._grounds}"
        patience = SPOILED_PATIENCE if self.spoiled else inf
        self._ground = Ground(self.backend, seed, watch=watch, settings=self._settings, pcap=pcap, patience=patience)
        return self._ground

    # the story

    def say(self, words: str) -> None:
        """Tell what is done."""
        self._add(Said(words, self._ground.now if self._ground is not None else 0))

    def look(self, machine: Machine, *states: State, note: str = "") -> None:
        """Show what ``ss -tan`` says on a machine now."""
        command, answer = ss(machine, states)
        self._add(Looked(command, f"{answer}\n{note}" if note else answer))

    def show(self, command: str, answer: str) -> None:
        """Show what another command says."""
        self._add(Looked(command, answer))

    def claim(self, sentence: str, held: bool, seen: object = "") -> None:
        """Claim something; it is written down whether it held."""
        self._add(Claimed(sentence, held, str(seen)))

    def fact(self, name: str, value: object) -> None:
        """Note what is laid beside the other backends' afterwards."""
        self.account.facts[name] = value

    def draw(self, ground: Ground, title: str, number: int = 0) -> None:
        """Draw a connection as a ladder."""
        for machine in ground.machines:
            self.account.kinds[machine.name] = machine.kind
        self._add(Drawn(ground.ladder(number, title), title))

    def measured(self, title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Give a table of figures."""
        self._add(Measured(title, tuple(columns), tuple(tuple(row) for row in rows)))

    def plot(
        self, title: str, x: str, y: str, curves: Mapping[str, Sequence[tuple[float, float]]], *,
        steps: bool = False, log: bool = False,
    ) -> None:  # fmt: skip
        """Give curves."""
        self._add(Plotted(title, x, y, {name: tuple(points) for name, points in curves.items()}, steps, log))

    def progress(self, what: str, done: int, total: int) -> None:
        """Say how far a long work is."""
        if self._progress is not None:
            self._progress(what, done, total)

    def consult(self, machine: Machine, ground: Ground, meanwhile: Meanwhile = lambda: None) -> None:
        """Let a doctor look at a machine, if there is one, while the trouble lasts and ``meanwhile`` goes on."""
        if self._doctor is not None:
            self._doctor(machine, ground, meanwhile)

    # what many incidents do

    def accept(self, ground: Ground, door: Door) -> Line:
        """Wait for a connection and take it."""
        taken: list[Line] = []

        def there() -> bool:
            line = door.accept()
            if line is not None:
                taken.append(line)
            return bool(taken)

        if not ground.until(there, PATIENCE):
            raise TimeoutError("nobody connected")
        return taken[0]

    def joined(self, ground: Ground, client: Machine, server: Machine, door: Door) -> tuple[Line, Line]:
        """Connect and accept; return both ends, the client's first."""
        ours = client.connect(server.address, door.port)
        theirs = self.accept(ground, door)
        return ours, theirs

    def joined_from(self, ground: Ground, client: Machine, server: Machine, door: Door, port: int) -> tuple[Line, Line]:
        """Connect from a port of one's own choice, and accept."""
        ours = client.connect(server.address, door.port, local_port=port, so_reuseaddr=True)
        return ours, self.accept(ground, door)

    def segments(self, ground: Ground, number: int = 0) -> tuple[str, ...]:
        """Return the flags of a connection's segments in their order, as tcpdump writes them: ``S``, ``S.``, ``.``."""
        return tuple(rung.letters for rung in ground.ladder(number).rungs if isinstance(rung, Arrow))

    def become(self, ground: Ground, line: Line, state: State, seconds: float = PATIENCE) -> bool:
        """Wait until a line is in a state."""
        return ground.until(lambda: line.state is state, seconds)

    def _add(self, event: Event) -> None:
        self.account.events.append(event)
        if self._tell is not None:
            self._tell(event)


def error_name(number: int) -> str:
    """Return an errno's name; ``none`` for 0."""
    return errorcode.get(number, str(number)) if number else "none"
