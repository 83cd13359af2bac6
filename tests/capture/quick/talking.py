"""Conversations made by chance: mostly what ends do, and now and then what they do not."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial
from typing import Any

from tulpen.capture.seen import IcmpError, Seen, Sum
from tulpen.wire.options import NO_OPTIONS, Options
from tulpen.wire.segment import ACK, ECE, FIN, PSH, RST, SYN

MS = 1_000_000
EPOCH = 1_700_000_000_000_000_000
MASK = 0xFFFF_FFFF
WAITS = (0, 1000, MS // 10, MS, 5 * MS, 40 * MS, 200 * MS, 700 * MS, 3000 * MS, 20_000 * MS, 50_000 * MS, 250_000 * MS)
LIKELY = (4, 4, 40, 60, 40, 8, 2, 1, 1, 1, 1, 1)


class Speaker:
    """One connection of two ends, each with the numbers it has come to."""

    def __init__(self, chance: random.Random, *, oddity: float) -> None:
        self.chance = chance
        self.oddity = oddity
        self.six = chance.random() < 0.2
        size = 16 if self.six else 4
        self.addresses = [bytes(size - 1) + bytes((chance.randrange(1, 4),)), bytes(size - 1) + bytes((9,))]
        self.ports = [chance.choice((40_000, 40_001, 50_000, 80)), chance.choice((80, 443, 33_000))]
        near = chance.choice((0, MASK - 300, 1 << 31, 5000))
        self.nxt = [(near + chance.randrange(600)) & MASK for _ in range(2)]
        self.got = [self.nxt[1], self.nxt[0]]  # what each has received of the other
        self.fin = [False, False]
        self.stamped = chance.random() < 0.5
        self.clock = chance.getrandbits(32)
        self.ttls = [chance.choice((64, 63, 128, 57)) for _ in range(2)]
        self.idents = [chance.choice((-1, 0, 7)) if not self.six else -1 for _ in range(2)]
        self.vlan = chance.choice((0, 0, 0, 5))
        self.unfinished = chance.choice((-1, -1, 0))
        self.over = False
        self.step = chance.choice((0, 0, 0, 0, 3))  # 0: its SYN comes first; 3: in midstream
        self.options: dict[str, Any] = {
            "mss": chance.choice((None, 1460, 100)),
            "wscale": chance.choice((None, 0, 7, 14)),
            "sack_permitted": chance.random() < 0.7,
        }

    def next(self, frame: int, when: int) -> Seen | IcmpError:
        """Its next segment."""
        self.clock = (self.clock + self.chance.choice((0, 1, 3, 50))) & MASK
        if self.step < 3:
            return self._open(frame, when)
        if self.chance.random() < self.oddity:
            return self._oddly(frame, when)
        side = self.chance.randrange(2)
        kind = self.chance.random()
        if self.over and kind < 0.8:
            return self._reset(frame, when, side)
        if kind < 0.06 and not self.fin[side]:
            self.fin[side] = True
            size = self.chance.choice((0, 0, 50))
            return self._send(frame, when, side, FIN | ACK, size)
        if kind < 0.08:
            return self._reset(frame, when, side)
        if kind < 0.55 and not self.fin[side]:
            return self._send(frame, when, side, PSH | ACK, self.chance.choice((1, 2, 100, 536, 1460, 20_000)))
        return self._send(frame, when, side, ACK)

    def _open(self, frame: int, when: int) -> Seen:
        step, self.step = self.step, self.step + 1
        if self.chance.random() < self.oddity:
            self.step = self.chance.randrange(4)
        if step == 0:
            return self._send(frame, when, 0, SYN)
        self.got = [self.nxt[1], self.nxt[0]]
        if step == 1:
            return self._send(frame, when, 1, SYN | ACK | (ECE if self.chance.random() < 0.1 else 0))
        return self._send(frame, when, 0, ACK)

    def _reset(self, frame: int, when: int, side: int) -> Seen:
        if self.chance.random() < 0.5:
            return self._send(frame, when, side, RST | ACK)
        return self._send(frame, when, side, RST, seq=self.chance.choice((self.nxt[side], self.got[1 - side])))

    def _window(self) -> int:
        return self.chance.choice((500, 60_001)) if self.chance.random() < self.oddity else 60_000

    def _send(
        self, frame: int, when: int, side: int, flags: int, size: int = 0, *, seq: int | None = None, **more: object
    ) -> Seen:
        chance = self.chance
        self.over = self.over or bool(flags & RST)
        if flags & ACK and chance.random() < 0.8:  # what has come is acknowledged, or a part of it
            there = (self.nxt[1 - side] - self.got[side]) & MASK
            if there < 1 << 20:
                self.got[side] = (self.got[side] + chance.choice((there, there, there // 2))) & MASK
        number = self.nxt[side] if seq is None else seq
        if seq is None and not flags & RST:
            self.nxt[side] = (number + size + bool(flags & (SYN | FIN))) & MASK
        stamp = Options(tsval=self.clock, tsecr=1) if self.stamped else NO_OPTIONS
        if flags & SYN:
            stamp = Options(tsval=stamp.tsval, tsecr=stamp.tsecr, **self.options)
        if self.idents[side] > 0:
            self.idents[side] = (self.idents[side] + 1) & 0xFFFF or 1
        seen = Seen(
            frame, when, self.addresses[side], self.addresses[1 - side], self.ports[side], self.ports[1 - side],
            number, self.got[side] if flags & ACK else 0, flags, self._window(), size,
            stamp, ttl=self.ttls[side], ident=self.idents[side],
            checksum=Sum.UNFINISHED if side == self.unfinished else chance.choice((Sum.GOOD, Sum.GOOD, Sum.UNKNOWN)),
            layers=f"vlan {self.vlan}" if self.vlan else "", vlan=self.vlan,
        )  # fmt: skip
        for name, value in more.items():
            setattr(seen, name, value)
        return seen

    def _oddly(self, frame: int, when: int) -> Seen | IcmpError:
        chance, side = self.chance, self.chance.randrange(2)
        send = partial(self._send, frame, when, side)
        back = (self.nxt[side] - chance.choice((1, 2, 50, 5000))) & MASK
        ahead = (self.nxt[side] + chance.choice((1, 100, 70_000))) & MASK
        here, there = self.addresses[side], self.addresses[1 - side]
        ports = self.ports[side], self.ports[1 - side]
        oddities: tuple[Callable[[], Seen | IcmpError], ...] = (
            lambda: send(ACK, chance.choice((0, 1, 100)), seq=back),
            lambda: send(ACK, chance.choice((0, 1, 100)), seq=back),
            lambda: send(ACK, chance.choice((0, 100)), seq=ahead),
            lambda: send(ACK, wnd=chance.choice((0, 1))),
            lambda: send(chance.randrange(64), chance.choice((0, 0, 10))),
            lambda: send(ACK, ttl=chance.randrange(256)),
            lambda: send(ACK, 10, checksum=Sum.WRONG),
            lambda: send(ACK, ack=(self.got[side] + chance.choice((-9, 1, 300))) & MASK),
            lambda: send(ACK, options=Options(sack=((back, self.nxt[side]),))),
            lambda: send(ACK | chance.choice((0, RST)), options=NO_OPTIONS),
            lambda: send(RST | chance.choice((0, ACK)), seq=chance.choice((0, back, ahead))),
            lambda: self._again(frame, when, side),
            lambda: IcmpError(frame, when, there, "x", "port", here, there, *ports, 5),
            lambda: send(ACK, layers="gre"),
            lambda: send(SYN | chance.choice((0, ACK)), chance.choice((0, 0, 8))),
            lambda: send(RST | ACK, ttl=chance.randrange(256), ident=chance.choice((-1, 0, 40_000))),
        )
        return chance.choice(oddities)()

    def _again(self, frame: int, when: int, side: int) -> Seen:
        self.nxt[side] = self.chance.getrandbits(32)
        self.step = 0
        return self._open(frame, when)


def talking(chance: random.Random, count: int, *, oddity: float = 0.02, at_once: int = 6) -> list[Seen | IcmpError]:
    """``count`` segments of connections that pass at once; of the same names, too."""
    when = EPOCH
    speakers = [Speaker(chance, oddity=oddity) for _ in range(at_once)]
    made: list[Seen | IcmpError] = []
    for frame in range(1, count + 1):
        when += chance.choices(WAITS, LIKELY)[0] // at_once
        if chance.random() < oddity / 10:
            when -= chance.choice((10 * MS, 5000 * MS))
        at = chance.randrange(at_once)
        if chance.random() < (0.6 if speakers[at].over else 0.02):
            speakers[at] = Speaker(chance, oddity=oddity if chance.random() < 0.5 else 0.0)
        made.append(speakers[at].next(frame, when))
    return made
