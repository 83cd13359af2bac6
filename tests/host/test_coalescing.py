"""Which ACKs of one batch are passed over."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tulpen.host.coalescing import supersedes
from tulpen.host.host import Host
from tulpen.wire.address import address
from tulpen.wire.ip import Packet, build_packet
from tulpen.wire.options import NO_OPTIONS, Options
from tulpen.wire.segment import ACK, CWR, ECE, FIN, PSH, RST, SYN, Segment

ENDS = {4: (address("192.0.2.1"), address("192.0.2.2")), 6: (address("2001:db8::1"), address("2001:db8::2"))}


def ack(number: int, *, version: int = 4, tos: int = 0, tsval: int | None = 10, **fields: Any) -> bytes:
    options = fields.pop("options", NO_OPTIONS if tsval is None else Options(tsval=tsval, tsecr=5))
    values: dict[str, Any] = {"seq": 100, "ack": number, "flags": ACK, "wnd": 500, "sport": 1, "dport": 2} | fields
    return build_packet(Packet(*ENDS[version], Segment(options=options, **values), tos=tos))


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("tsval", [None, 10])
def test_an_ack_of_more_supersedes_one_of_less(version: int, tsval: int | None) -> None:
    earlier = ack(1000, version=version, tsval=tsval)
    assert supersedes(ack(2000, version=version, tsval=tsval, wnd=7), earlier)
    assert not supersedes(earlier, ack(2000, version=version, tsval=tsval))
    assert not supersedes(earlier, earlier), "the same again may be a duplicate, and those are counted"


def test_numbers_and_clocks_wrap() -> None:
    assert supersedes(ack(5, tsval=3), ack(0xFFFF_FFFF, tsval=0xFFFF_FFF0))
    assert not supersedes(ack(2000, tsval=9), ack(1000, tsval=10)), "from before: PAWS will drop it"


OTHER: dict[str, dict[str, Any]] = {
    "text": {"data": b"x"},
    "their sequence number": {"seq": 101},
    "a port": {"sport": 3},
    "PSH": {"flags": ACK | PSH},
    "FIN": {"flags": ACK | FIN},
    "SYN": {"flags": ACK | SYN},
    "RST": {"flags": ACK | RST},
    "ECE": {"flags": ACK | ECE},
    "CWR": {"flags": ACK | CWR},
    "SACK": {"options": Options(tsval=10, tsecr=5, sack=((3000, 4000),))},
    "SACK alone": {"options": Options(sack=((3000, 4000),))},
    "no timestamps": {"tsval": None},
    "a mark of congestion": {"tos": 3},
    "an address": {"version": 6},
}


@pytest.mark.parametrize("what", OTHER)
def test_nothing_else_is_passed_over_or_supersedes(what: str) -> None:
    other = OTHER[what]
    assert not supersedes(ack(2000), ack(1000, **other))
    assert not supersedes(ack(2000, **other), ack(1000))
    if what not in ("no timestamps", "an address", "a port", "their sequence number", "a mark of congestion"):
        assert not supersedes(ack(2000, **other), ack(1000, **other))


@given(st.binary(max_size=80), st.binary(max_size=80))
def test_any_octets_may_come(one: bytes, other: bytes) -> None:
    assert not supersedes(one, other) or (one[0] in (0x45, 0x60) and one != other)
    supersedes(ack(1000)[: len(one)] + one, ack(2000)[: len(one)] + other)


class Sides(NamedTuple):
    """A sender whose ACKs come packet by packet or in batches, and its peer."""

    sender: Host
    peer: Host


@given(st.integers(1, 100), st.lists(st.integers(0, 8), min_size=1).filter(any))
@settings(max_examples=30, deadline=None)
def test_a_sender_gets_as_far_by_batches(size: int, batches: list[int]) -> None:
    text = bytes(range(256)) * size
    assert transfer(text, batches) == text


def transfer(text: bytes, batches: list[int]) -> bytes:
    """Send ``text`` while ACKs wait and come in batches of such sizes; return what has arrived."""
    sides = Sides(Host(["192.0.2.1"], secret=b"one"), Host(["192.0.2.2"], secret=b"other"))
    now = 1_000_000_000
    listener = sides.peer.listen(None, 80, now)
    sock = sides.sender.connect("192.0.2.2", 80, now)
    accepted, arrived, left = None, b"", text
    waiting: list[bytes] = []
    for turn in range(2000):
        now += 1_000_000
        if sock.state.title == "ESTABLISHED" and left:
            left = left[sock.send(left, now) :]
        for packet in sides.sender.packets_to_send(now):
            sides.peer.bytes_arrive(build_packet(packet), now)
            waiting += [build_packet(each) for each in sides.peer.packets_to_send(now)]
        accepted = accepted or listener.accept()
        if accepted is not None:
            arrived += accepted.receive(1 << 20, now)
            waiting += [build_packet(each) for each in sides.peer.packets_to_send(now)]
        count = batches[turn % len(batches)]
        sides.sender.batch_arrives([(octets, None) for octets in waiting[:count]], now)
        del waiting[:count]
        for host in sides:
            host.timeout(now)
            while host.next_event() is not None:
                pass
        if len(arrived) == len(text) and not waiting and not sock.connection.tcb.flight.sent:
            break
    counters = sides.sender.counters()
    assert counters.get("InReceives", 0) == counters.get("InSegs", 0)
    return arrived


def test_with_a_trace_every_ack_is_told() -> None:
    acks = [(ack(number), None) for number in (1000, 2000, 3000)]
    for trace, passed_over in ((False, 2), (True, 0)):
        host = Host(["192.0.2.2"], trace=trace)
        host.batch_arrives(acks, 1)
        assert host.counters().get("TCPBacklogCoalesce", 0) == passed_over
        assert host.counters()["InSegs"] == 3
