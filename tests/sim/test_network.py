from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sim.packets import A, B, packet, segment
from tulpen.sim.chance import Chance
from tulpen.sim.filters import Chain, Delay, Loss
from tulpen.sim.mtu import Mtu
from tulpen.sim.nat import Nat
from tulpen.sim.network import Interface, Network
from tulpen.wire.address import address
from tulpen.wire.icmp import Icmp
from tulpen.wire.ip import Packet
from tulpen.wire.segment import ACK, FIN, PSH, SYN, Segment

PUBLIC = address("192.0.2.1")


def network() -> tuple[Network, Interface, Interface]:
    net = Network()
    return net, net.plug(Interface("a", [A])), net.plug(Interface("b", [B]))


def test_a_packet_goes_to_whom_it_is_addressed() -> None:
    net, a, b = network()
    b.into = Delay(5)
    a.out = Delay(2)
    net.send(a, packet(), 10)
    assert len(net) == 1
    assert net.next_deadline() == 17
    assert net.arrivals(16) == []
    assert [(i.name, p.dst) for i, p in net.arrivals(17)] == [("b", B)]
    assert net.next_deadline() is None


def test_nobody_has_the_address() -> None:
    net, a, _ = network()
    net.send(a, packet(dst=PUBLIC), 0)
    assert net.unroutable == 1
    assert len(net) == 0


def test_an_address_belongs_to_one_interface() -> None:
    net, _, _ = network()
    with pytest.raises(ValueError, match="b already has"):
        net.plug(Interface("c", [B]))


def test_arrivals_of_one_instant_keep_the_order_of_sending() -> None:
    net, a, _ = network()
    for seq in range(5):
        net.send(a, packet(seq=seq), 0)
    assert [segment(p).seq for _, p in net.arrivals(0)] == [0, 1, 2, 3, 4]


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), max_size=40))
def test_arrivals_come_by_their_time_and_then_as_they_were_sent(sent: list[tuple[int, int]]) -> None:
    net, a, _ = network()
    expected, now, seen = [], 0, []
    for seq, (passed, delay) in enumerate(sent):
        now += passed
        seen += [segment(p).seq for _, p in net.arrivals(now)]
        a.out = Delay(delay)
        net.send(a, packet(seq=seq), now)
        expected.append((now + delay, seq))
    assert len(seen) + len(net) == len(sent)
    while (when := net.next_deadline()) is not None:
        assert net.arrivals(when - 1) == []
        seen += [segment(p).seq for _, p in net.arrivals(when)]
    assert seen == [seq for _, seq in sorted(expected)]


@pytest.mark.parametrize("side", ["out", "into"])
def test_an_icmp_error_comes_back(side: str) -> None:
    net, a, b = network()
    if side == "out":
        a.out = Chain(Mtu(100), Loss(Chance(0), 1))
    else:
        b.into = Chain(Mtu(100), Loss(Chance(0), 1))
    net.send(a, packet(bytes(100)), 0)
    ((interface, error),) = net.arrivals(0)
    assert interface is a
    assert isinstance(error.payload, Icmp)


def test_two_hosts_behind_one_nat() -> None:
    net, _, _ = network()
    nat = Nat(PUBLIC)
    inside = [net.plug(Interface(f"in{i}", [address(f"192.168.0.{i}")], out=nat.outward)) for i in (1, 2)]
    net.plug(Interface("nat", [PUBLIC], into=nat.inward))
    for interface in inside:
        net.send(interface, packet(flags=SYN, src=interface.addresses[0]), 0)
    arrived = net.arrivals(0)
    assert [(i.name, p.src) for i, p in arrived] == [("b", PUBLIC)] * 2
    for b, syn in arrived:
        seg = segment(syn)
        net.send(b, Packet(B, PUBLIC, Segment(0, 1, SYN | ACK, sport=80, dport=seg.sport)), 0)
    assert [(i.name, segment(p).dport) for i, p in net.arrivals(0)] == [("in1", 1000), ("in2", 1000)]


def test_a_large_segment_is_cut_as_a_device_cuts_it() -> None:
    net, a, _ = network()
    data = bytes(range(250))
    seg = Segment(2**32 - 100, 7, FIN | PSH | ACK, 9, data, sport=1, dport=2, gso_size=100)
    net.send(a, Packet(A, B, seg), 0)
    pieces = [segment(p) for _, p in net.arrivals(0)]
    assert [p.seq for p in pieces] == [2**32 - 100, 0, 100]
    assert [p.flags for p in pieces] == [ACK, ACK, FIN | PSH | ACK]
    assert b"".join(p.data for p in pieces) == data
    assert {(p.ack, p.wnd, p.sport, p.dport, p.gso_size) for p in pieces} == {(7, 9, 1, 2, 0)}
