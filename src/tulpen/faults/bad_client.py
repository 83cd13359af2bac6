"""What a bad client is: something that a server has to live with, said once.

A ``BadClient`` is a description and a recipe.  The recipe makes a ``Visit``: an endpoint
that misbehaves from the moment it is put on the network until it is told to leave.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from tulpen.faults.fault import Parameter

if TYPE_CHECKING:
    from tulpen.faults.gate import Gate
    from tulpen.sim.chance import Chance
    from tulpen.wire.ip import Packet


@dataclass(frozen=True, slots=True)
class Target:
    """The server, and where its bad clients live."""

    address: bytes
    port: int
    question: bytes  # what a healthy client asks
    home: bytes  # the address of the host that the bad clients are on
    gate: Gate  # on the path: here a connection can be made to vanish
    chance: Chance


class Visit(Protocol):
    """Bad clients at work: an endpoint of the network."""

    @property
    def addresses(self) -> tuple[bytes, ...]:
        """Where it takes packets."""

    @property
    def opened(self) -> int:
        """Connections that it has made, or tried to."""

    def leave(self, now: int) -> None:
        """Go, in this bad client's way."""

    def packet_arrives(self, packet: Packet, now: int) -> None:
        """Take a packet."""

    def timeout(self, now: int) -> None:
        """Do what is due."""

    def packets_to_send(self, now: int) -> list[Packet]:
        """Give the packets that are to go out."""

    def next_deadline(self) -> int | None:
        """Say when ``timeout`` is to be called."""


Values = Mapping[str, float]
COUNT: Final = Parameter("clients", 100, "connections")
RATE: Final = Parameter("rate", 200.0, "connections opened a second")


@dataclass(frozen=True, slots=True)
class BadClient:
    """Something that clients do to a server."""

    name: str
    summary: str  # one sentence; {parameter} is filled in
    good: str  # what a good server does
    source: str  # RFC and section
    recipe: Callable[[Values, Target], Visit | None]
    parameters: tuple[Parameter, ...] = ()

    def values(self, given: Values | None = None) -> dict[str, float]:
        """Return the value of every parameter."""
        return {each.name: (given or {}).get(each.name, each.default) for each in self.parameters}

    def says(self, values: Values) -> str:
        """Return the summary with the values filled in."""
        return self.summary.format(**{name: f"{value:g}" for name, value in values.items()})
