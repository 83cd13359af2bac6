"""Two hosts, a client's conversation and a server's, and a path between them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tulpen.sim.application import Client, Conversation, Server
from tulpen.sim.chance import Chance
from tulpen.sim.filters import Chain, Delay, Filter
from tulpen.sim.network import Interface
from tulpen.sim.station import Station
from tulpen.sim.world import World
from tulpen.tcp.config import Settings
from tulpen.wire.ip import Packet, build_packet

MS = 1_000_000
SECOND = 1_000_000_000
CLIENT, SERVER = "10.0.0.1", "10.0.0.2"

Path = Callable[[Chance], Filter]


def short(chance: Chance) -> Filter:
    """10 ms each way, and nothing else."""
    return Delay(10 * MS)


def both(*filters: Callable[[Chance], Filter]) -> Path:
    """A path of several filters, each with a chance of its own."""
    return lambda chance: Chain(*(make(chance.split(str(i))) for i, make in enumerate(filters)))


class Pair:
    def __init__(
        self,
        conversation: Conversation,
        make: Callable[[], Conversation],
        *,
        there: Path = short,
        back: Path = short,
        seed: int = 1,
        encoded: bool = False,
        trace: bool = False,
        ipv6: bool = False,
        **settings: Any,
    ) -> None:
        self.world = World(seed)
        chance = self.world.chance.split("paths")
        client, server = ("2001:db8::1", "2001:db8::2") if ipv6 else (CLIENT, SERVER)
        self.conversation = conversation
        self.server = Server(80, make)
        self.client_station = self._station(
            "client", client, Client(server, 80, conversation), there(chance.split("there")), encoded, trace, settings
        )
        self.server_station = self._station(
            "server", server, self.server, back(chance.split("back")), encoded, trace, settings
        )

    def _station(
        self, name: str, address: str, runs: Any, out: Filter, encoded: bool, trace: bool, settings: dict[str, Any]
    ) -> Station:
        made = Settings(**settings)
        return self.world.station(name, address, runs=runs, settings=made, trace=trace, encoded=encoded, out=out)

    def run(self, until: int | None = None) -> Pair:
        self.world.run(until)
        return self

    @property
    def served(self) -> Any:
        (only,) = self.server.conversations
        return only

    def counter(self, name: str) -> int:
        """Of both hosts together."""
        return sum(station.host.counters().get(name, 0) for station in (self.client_station, self.server_station))


class Recorder:
    """A tap that keeps every packet, as octets, with its time."""

    def __init__(self) -> None:
        self.seen: list[tuple[int, str, bool, bytes]] = []

    def __call__(self, now: int, interface: Interface, outgoing: bool, packet: Packet) -> None:
        self.seen.append((now, interface.name, outgoing, build_packet(packet)))
