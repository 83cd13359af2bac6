from __future__ import annotations

from itertools import pairwise

from tests.sim.packets import MS, SECOND, A, B, delays, lost, packet, segment
from tulpen.sim.chance import Chance
from tulpen.sim.filters import (
    Bursts,
    Chain,
    Corruption,
    Cut,
    Delay,
    Duplication,
    Jitter,
    Loss,
    Only,
    Passed,
    Reordering,
    Switch,
    clear,
    drop,
    flags,
    in_turn,
)
from tulpen.wire.ip import Packet
from tulpen.wire.segment import ACK, FIN, SYN


def test_delay() -> None:
    assert delays(Delay(5 * MS), 2, every=MS) == [[5 * MS], [6 * MS]]


def test_jitter_keeps_the_order_unless_told_otherwise() -> None:
    ordered = [out[0] for out in delays(Jitter(Chance(1), 10 * MS), 500, every=MS)]
    assert ordered == sorted(ordered)
    assert all(0 <= out - i * MS <= 10 * MS for i, out in enumerate(ordered))
    loose = [out[0] for out in delays(Jitter(Chance(1), 10 * MS, overtaking=True), 500, every=MS)]
    assert loose != sorted(loose)


def test_loss() -> None:
    assert lost(Loss(Chance(1), 0)) == 0
    assert lost(Loss(Chance(1), 1)) == 10_000
    assert 400 < lost(Loss(Chance(1), 0.05)) < 600


def test_bursts_come_together() -> None:
    out = [not o for o in delays(Bursts(Chance(1), begins=0.01, ends=0.2), 10_000)]
    followed = sum(a and b for a, b in pairwise(out))
    assert 200 < sum(out) < 1000
    assert followed > 0.6 * sum(out)


def test_duplication() -> None:
    out = delays(Duplication(Chance(1), 0.5, gap=3 * MS), 1000)
    assert 400 < sum(len(o) == 2 for o in out) < 600
    assert all(o[0] == 0 and o[-1] <= 3 * MS for o in out)


def test_reordering_lets_later_packets_overtake() -> None:
    out = [o[0] for o in delays(Reordering(Chance(1), 0.2, 5 * MS), 100, every=MS)]
    assert out != sorted(out)
    assert {o - i * MS for i, o in enumerate(out)} == {0, 5 * MS}


def test_corruption_flips_a_bit_and_leaves_the_sender_his_packet() -> None:
    whole = packet(b"hello")
    ((_, out),) = Corruption(Chance(1), 1)(whole, 0)
    assert out.damaged
    assert not whole.damaged
    flipped = [a ^ b for a, b in zip(segment(out).data, b"hello", strict=True) if a != b]
    assert len(flipped) == 1
    assert flipped[0].bit_count() == 1
    ((_, bare),) = Corruption(Chance(1), 1)(packet(), 0)
    assert bare.damaged


def test_a_cut_has_a_beginning_and_an_end() -> None:
    cut = Cut(SECOND, 2 * SECOND)
    assert [len(cut(packet(), t)) for t in (0, SECOND - 1, SECOND, 2 * SECOND - 1, 2 * SECOND)] == [1, 1, 0, 0, 1]
    assert not Cut()(packet(), 10**18)


def test_a_switch_is_thrown_by_hand() -> None:
    switch = Switch()
    assert switch(packet(), 0)
    switch.on = False
    assert not switch(packet(), 0)


def test_only_some_packets_and_only_so_many() -> None:
    first_two_syns = Only(flags(SYN, lacking=ACK), drop, times=2)
    sent = [SYN, SYN | ACK, SYN, SYN, ACK]
    assert [len(first_two_syns(packet(flags=f), 0)) for f in sent] == [0, 1, 0, 1, 1]
    every_fin = Only(flags(FIN), drop)
    assert [len(every_fin(packet(flags=f), 0)) for f in (FIN | ACK, ACK, FIN)] == [0, 1, 0]


def test_in_turn_treats_the_first_packets_one_by_one() -> None:
    plan = in_turn([drop, clear, Delay(7)])
    assert delays(plan, 4) == [[], [0], [7], [0]]


def test_a_chain_adds_up_delays_and_asks_at_the_time_of_arrival() -> None:
    chain = Chain(Delay(5), Duplication(Chance(1), 1), Cut(10), Delay(1))
    assert delays(chain, 3, every=3) == [[6, 6], [9, 9], []]


def test_what_is_turned_back_skips_the_rest_of_the_chain() -> None:
    def refuse(packet: Packet, now: int) -> Passed:
        return [(2, Packet(packet.dst, packet.src, packet.payload))]

    ((waited, out),) = Chain(Delay(1), refuse, drop)(packet(), 0)
    assert (waited, out.src, out.dst) == (3, B, A)
