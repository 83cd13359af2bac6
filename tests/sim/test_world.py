from __future__ import annotations

import pytest

from tests.sim.packets import MS, SECOND, A, B, packet, segment
from tulpen.sim.filters import Delay, Loss
from tulpen.sim.network import Interface
from tulpen.sim.world import Livelock, World
from tulpen.wire.ip import Packet


class Pinger:
    """Sends a packet every ``every`` nanoseconds; answers what comes if it is to."""

    def __init__(self, src: bytes, dst: bytes, every: int | None = None, *, answers: bool = False) -> None:
        self.src, self.dst, self.every, self.answers = src, dst, every, answers
        self.due = every
        self.heard: list[tuple[int, int]] = []
        self.out: list[Packet] = []

    def packet_arrives(self, packet: Packet, now: int) -> None:
        self.heard.append((now, segment(packet).seq))
        if self.answers:
            self.send(now)

    def send(self, now: int) -> None:
        self.out.append(packet(src=self.src, dst=self.dst, seq=now // MS))

    def timeout(self, now: int) -> None:
        self.send(now)
        assert self.every is not None
        self.due = now + self.every

    def packets_to_send(self, now: int) -> list[Packet]:
        out, self.out = self.out, []
        return out

    def next_deadline(self) -> int | None:
        return self.due


def world(*, answers: bool = False, every: int | None = SECOND) -> tuple[World, Pinger, Pinger]:
    made = World()
    a, b = Pinger(A, B, every), Pinger(B, A, answers=answers)
    made.add("a", a, A, out=Delay(10 * MS))
    made.add("b", b, B)
    return made, a, b


def test_time_moves_to_the_next_event() -> None:
    sim, a, b = world(answers=True)
    sim.run(until=3 * SECOND)
    assert sim.now == 3 * SECOND
    assert b.heard == [(1010 * MS, 1000), (2010 * MS, 2000)]
    assert a.heard == [(1010 * MS, 1010), (2010 * MS, 2010)]
    sim.run(until=3010 * MS)
    assert len(b.heard) == 3


def test_a_run_ends_when_nothing_is_left() -> None:
    sim, a, b = world(every=None)
    a.send(0)
    sim.poke()
    assert sim.run() == 10 * MS
    assert len(b.heard) == 1
    assert not sim.step()


def test_a_run_ends_on_a_condition() -> None:
    sim, _, b = world()
    sim.run(unless=lambda: len(b.heard) == 5)
    assert sim.now == 5010 * MS


def test_planned_actions() -> None:
    sim, a, b = world(every=None)
    sim.at(7 * MS, a.send)
    sim.at(5 * MS, a.send)
    sim.run()
    assert b.heard == [(15 * MS, 5), (17 * MS, 7)]


def test_a_tap_sees_packets_leave_and_arrive() -> None:
    sim, _, _ = world()
    seen: list[tuple[int, str, bool]] = []

    def tap(now: int, interface: Interface, outgoing: bool, packet: Packet) -> None:
        seen.append((now // MS, interface.name, outgoing))

    sim.taps.append(tap)
    sim.run(until=1500 * MS)
    assert seen == [(1000, "a", True), (1010, "b", False)]


def test_a_seed_replays_a_run() -> None:
    def losses(seed: int) -> list[tuple[int, int]]:
        sim = World(seed)
        b = Pinger(B, A)
        sim.add("a", Pinger(A, B, SECOND), A, out=Loss(sim.chance.split("a out"), 0.3))
        sim.add("b", b, B)
        sim.run(until=100 * SECOND)
        return b.heard

    assert losses(1) == losses(1)
    assert losses(1) != losses(2)
    assert 50 < len(losses(1)) < 90


def test_packets_without_end_in_one_instant_are_noticed() -> None:
    sim = World(patience=1000)
    a, b = Pinger(A, B, answers=True), Pinger(B, A, answers=True)
    sim.add("a", a, A)
    sim.add("b", b, B)
    sim.at(5, a.send)
    with pytest.raises(Livelock, match="at 5 ns"):
        sim.run()
