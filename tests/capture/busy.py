"""A busy capture made by hand: connections of a few hosts at once, and all that can be known of addresses."""

from __future__ import annotations

import random

from tests.capture.files import MS, Talk, Timed
from tulpen.wire.options import Options

EPOCH = 1_700_000_000_000_000_000
SECOND = 1_000_000_000


def busy(seed: int, count: int = 40) -> list[Timed]:
    """Packets in order of time: closed, reset, unanswered, lossy, damaged, names used again, stamps behind, cookies."""
    chance = random.Random(seed)
    packets: list[Timed] = []
    stamp = 1 << 20
    for number in range(count):
        talk = Talk(sport=20_000 + chance.randrange(max(count // 2, 1)), isn=(chance.getrandbits(32), 77 * number))
        talk.addresses = (bytes((10, 0, chance.randrange(3), 1)), bytes((10, 0, 9, chance.randrange(1, 4))))
        talk.now = chance.randrange(20) * 60 * SECOND + chance.randrange(SECOND)
        stamp += chance.choice((-500, 64, 64, 64))
        stamped = Options(mss=1460, wscale=7, sack_permitted=True, tsval=stamp, tsecr=0)
        plain = Options(mss=1460, sack_permitted=True)
        kind = chance.randrange(8)
        if kind == 0:
            talk.client("S", options=stamped).client("S", options=stamped, after=1000.0)
        elif kind == 1:
            talk.opened(stamped, Options(mss=1460, wscale=7, sack_permitted=True, tsval=64 * number + 23, tsecr=stamp))
            talk.client(".", 1, 1, options=Options(tsval=stamp + 1, tsecr=9))
        elif kind == 2:
            talk.opened(plain, Options(mss=1460)).client("P.", 1, 1, 50).server(".", 1, 51)
        else:
            _goes_on(talk.opened(plain, plain), chance)
        packets += [(EPOCH + when, packet) for when, packet in talk.packets]
    packets.sort(key=lambda each: each[0])
    return packets


def _goes_on(talk: Talk, chance: random.Random) -> None:
    at = 1
    for _ in range(chance.randrange(6)):
        again = chance.random() < 0.2
        talk.client("P.", at, 1, 100, damaged=chance.random() < 0.15)
        if again:
            talk.client("P.", at, 1, 100, after=300.0)
        at += 100
        talk.server(".", 1, at, after=chance.choice((1.0, 10.0, 2000.0)))
    ending = chance.randrange(4)
    if ending == 0:
        talk.server("R.", 1, at)
    elif ending != 1:
        talk.client("F.", at, 1).server("F.", 1, at + 1).client(".", at + 1, 2)
        if ending == 3:
            talk.server("F.", 1, at + 1, after=chance.choice((500.0, 100_000.0, 300_000.0)))
    talk.now += MS
