"""What a segment, a connection, a gap, a SACK block and a timer cost where there are many of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from benchmarks.case import Case
from benchmarks.pair import MS, PORT, SERVER
from tulpen.host.deadlines import Deadlines
from tulpen.host.host import Host
from tulpen.host.socket import Socket
from tulpen.tcp.config import Settings
from tulpen.tcp.connection import Connection
from tulpen.tcp.stack import Stack
from tulpen.wire.address import address
from tulpen.wire.ip import Packet
from tulpen.wire.options import NO_OPTIONS, Options
from tulpen.wire.segment import ACK, PSH, SYN, Segment
from tulpen.wire.seq import wrap

FEW, MANY, VERY_MANY = 10, 1000, 100_000
SAMPLE = 2000
HERE = address(SERVER)
SETTINGS = Settings(
    tcp_max_syn_backlog=1 << 20, somaxconn=1 << 20, tcp_rmem=(4096, 1 << 28, 1 << 28),
    tcp_wmem=(4096, 1 << 28, 1 << 28), rmem_max=1 << 28, tcp_initial_cwnd=20_000, tcp_rcvbuf_overhead=False,
    tcp_quick_acks=0,
)  # fmt: skip
OFFER = Options(mss=1460, wscale=14, sack_permitted=True)


class Crowd:
    """A host, and remote ends that remember nothing but where their numbers stand."""

    def __init__(self, count: int) -> None:
        self.host = Host([SERVER], settings=SETTINGS)
        self.listener = self.host.listen(None, PORT, 0, backlog=1 << 20)
        self.now = 1_000_000_000
        self.acks: list[int] = []
        for _ in range(count):
            self.open()

    def open(self) -> None:
        """One more connection."""
        number = len(self.acks)
        self.acks.append(0)
        (answer,) = self.say(number, SYN, 0, options=OFFER)
        self.acks[number] = wrap(answer.seq + 1)
        self.say(number, ACK, 1)
        assert self.listener.accept() is not None
        while self.host.next_event() is not None:
            pass

    def say(self, number: int, flags: int, seq: int, data: bytes = b"", options: Options = NO_OPTIONS) -> list[Segment]:
        """Send a segment to the host; return its answers."""
        peer, port = (0x0A000000 + number // 50_000 + 9).to_bytes(4, "big"), number % 50_000 + 1024
        ack = self.acks[number] if flags & ACK else 0
        segment = Segment(seq, ack, flags, 60_000, data, options, sport=port, dport=PORT)
        self.now += 1000
        self.host.packet_arrives(Packet(peer, HERE, segment), self.now)
        self.host.next_deadline()
        return [each.payload for each in self.host.packets_to_send(self.now) if isinstance(each.payload, Segment)]


def mean(work: Callable[[int], object], count: int) -> float:
    """Return the microseconds of process time that a piece of work takes."""
    began = time.process_time()
    for number in range(count):
        work(number)
    return (time.process_time() - began) / count * 1e6


def segment_among(count: int) -> float:
    """A segment of text comes in and is acknowledged, on one connection after the other."""
    crowd, turns = Crowd(count), [0] * count

    def work(number: int) -> None:
        which = number % SAMPLE * 7919 % count
        crowd.say(which, ACK | PSH, 1 + 8 * turns[which], b"12345678")
        turns[which] += 1
        while (event := crowd.host.next_event()) is not None:
            if isinstance(event[0], Socket):
                event[0].receive(100, crowd.now)

    mean(work, 3 * SAMPLE)  # the first of a connection are not like the others
    return mean(work, SAMPLE)


def connection_among(count: int) -> float:
    """A connection is opened where there are so many."""
    crowd = Crowd(count)
    return mean(lambda _: crowd.open(), SAMPLE)


def gap_among(count: int) -> float:
    """A segment comes out of order and leaves a gap, until there are so many."""
    crowd = Crowd(1)
    return mean(lambda number: crowd.say(0, ACK, 2 + 2 * number, b"x"), count)


def sack_among(count: int) -> float:
    """An ACK reports one more segment beyond a hole, of so many in flight."""
    now = 1_000_000_000
    settings = replace(SETTINGS, tcp_quick_acks=16)
    one, other = Connection(Stack(settings), iss=1), Connection(Stack(settings), iss=2)
    other.open_passive(now)
    one.open_active(now)
    _carry(one, other, now)
    one.send(b"x", now)
    _carry(one, other, now)  # the ACK tells the window, scaled
    one.send(bytes(1448 * count), now)
    sent = one.segments_to_send(now)
    assert len(sent) == count
    acks = []
    for segment in sent[1:]:
        other.segment_arrives(segment, now)
        acks += other.segments_to_send(now)

    def work(number: int) -> None:
        one.segment_arrives(acks[number], now + 10 * MS)
        one.segments_to_send(now + 10 * MS)

    return mean(work, len(acks))


def _carry(one: Connection, other: Connection, now: int) -> None:
    """Let two connections talk until neither has anything to send."""
    moved = True
    while moved:
        moved = False
        for source, target in ((one, other), (other, one)):
            for segment in source.segments_to_send(now):
                target.segment_arrives(segment, now)
                moved = True


def timer_among(count: int) -> float:
    """A timer is set and put off, and at the end all of them expire."""
    deadlines: Deadlines[int] = Deadlines()

    def work(number: int) -> None:
        for turn in range(3):
            deadlines.set(number, (number * 7919 % count + turn * count) * MS)
        deadlines.earliest()

    taken = mean(work, count)
    return taken + mean(lambda _: deadlines.pop(1 << 62), count)


def group(name: str, what: Callable[[int], float], *counts: int) -> list[Case]:
    """Return a case for each count, all compared with the first."""
    least = counts[0]
    return [
        Case(
            name, f"{count:,}", "µs", partial(what, count), f"{least:,}" if count > least else "",
            once=True, smaller=True,
        )
        for count in counts
    ]  # fmt: skip


GROWTH = [
    *group("a segment, among connections", segment_among, FEW, MANY, VERY_MANY),
    *group("a connection, among connections", connection_among, FEW, MANY, VERY_MANY),
    *group("a segment out of order, up to so many gaps", gap_among, 100, MANY, 10_000),
    *group("a SACK, of so many segments in flight", sack_among, 100, MANY, 10_000),
    *group("a timer, among timers", timer_among, FEW, MANY, VERY_MANY),
]
