"""A connection that was at rest is what it was before, to the last number."""

from __future__ import annotations

from itertools import count
from random import Random

import pytest

from tulpen.tcp.config import MS, Settings, SocketOptions
from tulpen.tcp.connection import Connection
from tulpen.tcp.option_sets import OptionSets
from tulpen.tcp.resting import Dormitory
from tulpen.tcp.stack import Stack
from tulpen.tcp.state import State
from tulpen.tcp.trace import FourTuple

NAME = FourTuple(b"\x0a\0\0\1", 80, b"\x0a\0\0\2", 5000)
NOT_COMPARED = {"stack", "trace", "_moment"}


def differences(one: object, other: object, where: str = "tcb") -> list[str]:
    """Return where two records, and those in them, are not alike."""
    if type(one) is not type(other):
        return [f"{where}: {one!r} {other!r}"]
    slots = getattr(type(one), "__mypyc_attrs__", getattr(type(one), "__slots__", ()))
    if not slots or isinstance(one, tuple):
        return [] if one == other else [f"{where}: {one!r} {other!r}"]
    return [
        found
        for slot in slots
        if slot not in NOT_COMPARED
        for found in differences(getattr(one, slot), getattr(other, slot), f"{where}.{slot}")
    ]


def conversation(chance: Random, one: Connection, other: Connection, now: int) -> int:
    """Let both say something on a path that loses; return when they are quiet again."""
    for end in (one, other):
        if chance.random() < 0.7:
            end.send(bytes(chance.randrange(1, 60_000)), now)
    for step in count():
        sent = [(other, each) for each in one.segments_to_send(now)] + [
            (one, each) for each in other.segments_to_send(now)
        ]
        for end, segment in sent:
            if chance.random() > 0.05:
                end.segment_arrives(segment, now)
        now += chance.randrange(1, 20) * MS
        for end in (one, other):
            end.receive(1 << 20, now)
            while end.next_signal() is not None:
                pass
        due = [each for end in (one, other) if (each := end.next_deadline()) is not None]
        if not sent and not due:
            return now
        if not sent:
            now = max(now, min(due))
            for end in (one, other):
                end.timeout(now)
        assert step < 10_000
    return now


@pytest.mark.parametrize("seed", range(6))
def test_nothing_is_lost(seed: int) -> None:
    chance = Random(seed)
    settings = Settings(
        tcp_timestamps=seed % 2, tcp_sack=seed % 3 > 0, tcp_congestion_control=("cubic", "reno")[seed // 2 % 2],
        tcp_rcvbuf_overhead=seed != 3, tcp_ecn=seed // 2 % 2, tcp_mtu_probing=seed % 2,
    )  # fmt: skip
    stack = Stack(settings)
    dormitory, rested = Dormitory(stack, OptionSets()), 0
    for _ in range(4):
        now = chance.randrange(1 << 40)
        one = Connection(stack, iss=chance.randrange(1 << 32), name=NAME)
        other = Connection(Stack(settings), iss=chance.randrange(1 << 32), mss=chance.choice([1460, 536, 8960]))
        other.open_passive(now)
        one.open_active(now)
        for _ in range(5):
            now = conversation(chance, one, other, now)
            resting = dormitory.rest(one)
            if resting is None:
                continue
            again = dormitory.wake(resting, NAME)
            assert differences(one.tcb, again.tcb) == []
            assert (len(resting.octets) < 600, again.tcb.stack is stack, again.state) == (True, True, State.ESTABLISHED)
            one, rested = again, rested + 1
    assert rested > 10


def test_what_is_on_its_way_keeps_it_awake() -> None:
    one, other = Connection(iss=1, name=NAME), Connection(iss=2)
    other.open_passive(0)
    one.open_active(0)
    dormitory = Dormitory(one.tcb.stack, OptionSets())
    assert dormitory.rest(one) is None  # SYN-SENT
    conversation(Random(3), one, other, 0)
    assert dormitory.rest(one) is not None
    one.send(b"text", 10**12)
    assert dormitory.rest(one) is None
    one.segments_to_send(10**12)
    assert dormitory.rest(one) is None


def test_those_with_the_same_options_share_them() -> None:
    one, other = Connection(iss=1, name=NAME, options=SocketOptions(tcp_nodelay=True)), Connection(iss=2)
    other.open_passive(0)
    one.open_active(0)
    conversation(Random(1), one, other, 0)
    dormitory = Dormitory(one.tcb.stack, OptionSets())
    first, second = dormitory.rest(one), dormitory.rest(one)
    assert first is not None
    assert second is not None
    assert first.options is second.options
    assert first.options is not one.tcb.options
    assert dormitory.wake(first, NAME).tcb.options == one.tcb.options
