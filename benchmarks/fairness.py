"""Very many connections that all move data at once: do they get on, in equal shares, and as fast as few?"""

from __future__ import annotations

import time
from functools import cache, partial
from typing import NamedTuple

from benchmarks.case import Case
from benchmarks.pair import CLIENT, MS, PORT, SERVER
from tulpen.host.host import Host
from tulpen.host.listener import Listener
from tulpen.host.socket import Socket
from tulpen.tcp.config import Settings

FEW, MANY, VERY_MANY = 100, 10_000, 50_000
EACH = 150_000  # octets that are moved for each connection while they are watched
HEAD_START = 60_000  # octets that the first half moves before the others, and each of these before they are watched
TEXT = bytes(1 << 16)
SETTINGS = Settings(
    somaxconn=1 << 20, tcp_max_syn_backlog=1 << 20, ip_local_port_range=(1024, 65_535),
    tcp_wmem=(4096, 1 << 16, 1 << 16), tcp_rmem=(4096, 1 << 17, 1 << 17),
)  # fmt: skip


class Outcome(NamedTuple):
    """What came of one run."""

    fairness: float  # Jain's index of what arrived: 1 where all got the same
    least: float  # what the one that got least got, of an equal share
    speed: float  # MB for each second of process time, of both hosts together


class Crowd:
    """Two hosts on a link that a device cuts segments for, as quick as they are; each wake of a host is one batch."""

    def __init__(self) -> None:
        self.client = Host([CLIENT], settings=SETTINGS, secret=b"client", gso_max=65_535)
        self.server = Host([SERVER], settings=SETTINGS, secret=b"server", gso_max=65_535)
        self.now = 1_000_000_000
        self.listener = self.server.listen(None, PORT, self.now, backlog=1 << 20)
        self.taken: dict[Socket, int] = {}
        self.total = 0

    def open(self, count: int) -> None:
        """Let so many connections begin."""
        for _ in range(count):
            self.client.connect(SERVER, PORT, self.now)

    def turn(self) -> None:
        """Carry a batch to the server, take what came, and carry a batch back; give what there is room for."""
        for packet in self.client.packets_to_send(self.now):
            self.server.packet_arrives(packet, self.now)
        self._take()
        self.now += MS
        for packet in self.server.packets_to_send(self.now):
            self.client.packet_arrives(packet, self.now)
        while (event := self.client.next_event()) is not None:
            while isinstance(event[0], Socket) and event[0].send(TEXT, self.now):
                pass
        for host in (self.client, self.server):
            if (due := host.next_deadline()) is not None and due <= self.now:
                host.timeout(self.now)

    def _take(self) -> None:
        while (event := self.server.next_event()) is not None:
            handle = event[0]
            if isinstance(handle, Listener):
                while (accepted := handle.accept()) is not None:
                    self.taken[accepted] = 0
                continue
            octets = len(handle.receive(1 << 20, self.now))
            self.taken[handle] += octets
            self.total += octets


@cache
def outcome(count: int) -> Outcome:
    """Let half of them go ahead; then watch all of them until each could have moved so much."""
    crowd = Crowd()
    crowd.open(count // 2)
    while crowd.total < HEAD_START * count // 2:
        crowd.turn()
    crowd.open(count - count // 2)
    while len(crowd.taken) < count or min(crowd.taken.values()) < HEAD_START:
        crowd.turn()
    before, start = dict(crowd.taken), crowd.total
    began = time.process_time()
    while crowd.total - start < EACH * count:
        crowd.turn()
    spent = time.process_time() - began
    shares = [octets - before[socket] for socket, octets in crowd.taken.items()]
    total = sum(shares)
    return Outcome(
        total * total / (count * sum(share * share for share in shares)),
        min(shares) * count / total,
        total / spent / 1e6,
    )


def measured(count: int, what: str) -> float:
    found: float = getattr(outcome(count), what)
    return found


FAIRNESS = [
    Case(group, f"{count:,}", unit, partial(measured, count, what), beside if count > FEW else "", once=True)
    for group, unit, what, beside in (
        ("connections at once: Jain's index of their shares", "of 1", "fairness", ""),
        ("connections at once: the least share", "of an equal one", "least", ""),
        ("connections at once: speed", "MB/s", "speed", f"{FEW:,}"),
    )
    for count in (FEW, MANY, VERY_MANY)
]
