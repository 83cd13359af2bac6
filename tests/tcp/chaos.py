"""Whatever may happen to a connection, drawn by chance: segments near and far, calls, time."""

from __future__ import annotations

from random import Random
from typing import Final, NamedTuple

from tulpen.tcp.config import MS, SECOND
from tulpen.tcp.connection import Connection
from tulpen.tcp.errors import TcpError
from tulpen.wire.options import Options
from tulpen.wire.segment import ACK, FIN, PSH, RST, SYN, URG, Segment
from tulpen.wire.seq import wrap

#: Flags that a peer would send, and some that none would.
LIKELY: Final = (ACK, ACK | PSH, ACK | PSH, ACK | FIN, SYN, SYN | ACK, RST, RST | ACK, ACK | URG, 0, FIN, PSH | URG)
STEPS: Final = (0, 0, 0, 0, 1, -1, 2, -2, 3, 535, 536, 1000, 1448, 1460, -1460, 2920, 65_535, 131_072, 1 << 31)
SIZES: Final = (0, 0, 0, 1, 2, 3, 100, 536, 1000, 1448, 1460, 5000, 65_000)
WINDOWS: Final = (0, 1, 2, 100, 1460, 5000, *(65_535,) * 20)
TIMES: Final = (0, 0, MS, 10 * MS, 50 * MS, 300 * MS, SECOND, 3 * SECOND, 70 * SECOND, 3 * 86_400 * SECOND)


class Deed(NamedTuple):
    """One thing that happens, so that it can happen to a copy too."""

    name: str
    segment: Segment | None = None
    number: int = 0
    flag: bool = False

    def do(self, connection: Connection, now: int) -> None:
        """Let it happen; what a call refuses is no failure."""
        try:
            self._do(connection, now)
        except TcpError:
            assert self.segment is None

    def _do(self, connection: Connection, now: int) -> None:
        if self.segment is not None:
            connection.segment_arrives(self.segment, now)
        elif self.name == "send":
            connection.send(bytes(self.number), now, push=self.flag, urgent=self.number % 7 == 0)
        elif self.name == "receive":
            connection.receive(self.number)
        elif self.name == "timeout":
            connection.timeout(now)
        elif self.name == "open":
            (connection.open_passive if self.flag else connection.open_active)(now)
        elif self.name == "shutdown":
            connection.shutdown(now)
        elif self.name == "close":
            connection.close(now)
        elif self.name == "abort":
            connection.abort(now)
        elif self.name == "keepalive":
            connection.set_keepalive(self.flag, now)
        elif self.name == "icmp":
            connection.icmp_arrives(wrap(connection.status().snd_una + self.number), 113, now, hard=self.flag)
        elif self.name == "path":
            connection.path_mss(self.number, now)


#: How often each happens, of a thousand.
CALLS: Final = (
    ("send", 120), ("receive", 90), ("timeout", 90), ("open", 20), ("shutdown", 6), ("close", 3), ("abort", 2),
    ("keepalive", 5), ("icmp", 5), ("path", 3),
)  # fmt: skip


def deed(chance: Random, connection: Connection) -> Deed:
    """Draw what happens next."""
    draw = chance.randrange(1000)
    for name, often in CALLS:
        draw -= often
        if draw < 0:
            return Deed(name, None, chance.choice((*SIZES, 20_000, 65_000)), chance.random() < 0.5)
    return Deed("segment", segment(chance, connection))


def segment(chance: Random, connection: Connection) -> Segment:
    """Draw a segment: mostly one that could be the peer's, often a little off, seldom anything."""
    status = connection.status()
    if chance.random() < 0.05:
        return _anything(chance)
    near = status.snd_una if chance.random() < 0.6 else chance.randint(status.snd_una, status.snd_nxt)
    return Segment(
        wrap(status.rcv_nxt + chance.choice(STEPS) * (chance.random() < 0.5)),
        wrap(near + chance.choice(STEPS) * (chance.random() < 0.2)),
        chance.choice(LIKELY) if chance.random() < 0.6 else ACK,
        chance.choice(WINDOWS),
        bytes(chance.choice(SIZES)),
        _options(chance, connection),
        urg=chance.choice((0, 1, 5, 65_535)),
    )


def _anything(chance: Random) -> Segment:
    return Segment(
        chance.getrandbits(32), chance.getrandbits(32), chance.getrandbits(9), chance.getrandbits(16),
        bytes(chance.choice(SIZES)), urg=chance.getrandbits(16),
    )  # fmt: skip


def _options(chance: Random, connection: Connection) -> Options:
    tcb = connection.tcb
    blocks = []
    if chance.random() < 0.4:
        for _ in range(chance.randrange(1, 5)):
            left = tcb.snd.una + chance.choice((chance.randrange(-100, 20_000), chance.randrange(1, 20) * tcb.smss))
            blocks.append((wrap(left), wrap(left + chance.choice((-5, 0, 1, 100, tcb.smss, 3 * tcb.smss)))))
    stamps = tcb.terms.timestamps or chance.random() < 0.3
    return Options(
        mss=chance.choice((None, 0, 1, 100, 536, 1460, 65_535)),
        wscale=chance.choice((None, 0, 7, 14, 15, 255)),
        sack_permitted=chance.random() < 0.8,
        tsval=wrap(tcb.ts_recent + chance.choice((0, 0, 1, 1, -1, 1000, 1 << 31))) if stamps else None,
        tsecr=chance.choice((0, 1, 1 << 31)),
        sack=tuple(blocks),
        user_timeout=chance.choice((None, None, 0, 1, 5000)),
    )
