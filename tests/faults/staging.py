"""A fault in virtual time: a server that commits it, and a client that asks."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from tulpen.faults.asker import Asker, Question
from tulpen.faults.catalogue import choose
from tulpen.faults.fault import Scene, Stage
from tulpen.faults.http import Framing, Http, Page, numbered_lines
from tulpen.faults.server import Server
from tulpen.host.host import Host
from tulpen.sim.chance import Chance
from tulpen.sim.filters import Chain
from tulpen.sim.network import Interface
from tulpen.sim.station import Station
from tulpen.sim.world import World
from tulpen.tcp.config import Settings
from tulpen.tcp.trace import FourTuple, Record
from tulpen.wire.address import address
from tulpen.wire.ip import Packet
from tulpen.wire.segment import Segment

SECOND = 1_000_000_000
CLIENT, SERVER = address("192.0.2.1"), address("192.0.2.2")
PAGE = Page(numbered_lines(20_000))
GET = Question(b"GET / HTTP/1.1\r\nHost: server\r\n\r\n")
GET_AND_CLOSE = Question(b"GET / HTTP/1.1\r\nHost: server\r\nConnection: close\r\n\r\n")


@dataclass
class Play:
    """What happened."""

    stage: Stage
    client: Asker
    world: World
    hosts: dict[str, Host]
    arrived: list[tuple[int, str, Segment]] = field(default_factory=list)  # (now, at whom, segment)

    @property
    def outcome(self) -> str:
        """The last question's: ok, hang, an errno's name, or short."""
        import errno

        asked = self.client.asked[-1]
        if asked.gave_up:
            return "hang"
        if asked.error:
            return errno.errorcode[asked.error]
        return "ok" if asked.whole else "short"

    def at(self, whom: str) -> list[Segment]:
        return [seg for _, who, seg in self.arrived if who == whom]

    def records(self, whom: str) -> deque[tuple[FourTuple | None, Record]]:
        records = self.hosts[whom].stack.records
        assert records is not None
        return records


def play(
    spelling: str,
    *,
    question: Question = GET,
    questions: int = 1,
    seconds: float = 30,
    seed: int = 1,
    before: Callable[[World], None] = lambda world: None,
) -> Play:
    """Run one fault for so many virtual seconds; ``before`` may put taps into the world."""
    choice = choose(spelling)
    chance = Chance(seed)
    stage = choice.fault.stage(choice.values, Scene(chance, SERVER))
    server = Server(80, stage, lambda: Http(PAGE, stage.framing or Framing.LENGTH))
    settings = Settings(tcp_timewait_len=1)
    for name, value in stage.settings.items():
        setattr(settings, name, value)
    hosts = {
        "client": Host([CLIENT], secret=b"client", trace=True),
        "server": Host([SERVER], secret=b"server", settings=settings, trace=True),
    }
    pause = int(choice.fault.pause * SECOND)
    client = Asker(CLIENT and SERVER, 80, question, times=questions, pause=pause, pooled=questions > 1)
    world = World(seed)
    path = Chain(stage.network, server.gate)
    world.add("client", Station(hosts["client"], client), CLIENT)
    world.add("server", Station(hosts["server"], server), SERVER, out=path, into=path)
    shown = Play(stage, client, world, hosts)

    def tap(now: int, interface: Interface, outgoing: bool, packet: Packet) -> None:
        if not outgoing and isinstance(packet.payload, Segment):
            shown.arrived.append((now, interface.name, packet.payload))

    world.taps.append(tap)
    before(world)
    world.run(int(seconds * SECOND))
    return shown
