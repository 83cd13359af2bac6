from __future__ import annotations

from tests.sim.packets import SECOND, A, B, packet, segment
from tulpen.sim.nat import Nat, Unknown
from tulpen.wire.address import address
from tulpen.wire.icmp import Icmp, IcmpKind
from tulpen.wire.icmp_error import icmp_error
from tulpen.wire.ip import Packet, build_packet, parse_packet
from tulpen.wire.segment import ACK, RST, SYN, Segment

PUBLIC = address("192.0.2.1")
OTHER = address("10.0.0.9")


def out(nat: Nat, *, flags: int = SYN, src: bytes = A, now: int = 0) -> list[Packet]:
    return [p for _, p in nat.outward(packet(flags=flags, src=src), now)]


def back(nat: Nat, port: int, *, flags: int = SYN | ACK, src: bytes = B, now: int = 0) -> list[Packet]:
    seg = Segment(5, 1, flags, sport=80, dport=port)
    return [p for _, p in nat.inward(Packet(src, PUBLIC, seg), now)]


def test_both_ways() -> None:
    nat = Nat(PUBLIC)
    (syn,) = out(nat)
    assert (syn.src, syn.dst, segment(syn).dport) == (PUBLIC, B, 80)
    (answer,) = back(nat, segment(syn).sport)
    assert (answer.src, answer.dst, segment(answer).dport) == (B, A, 1000)


def test_two_hosts_with_one_port_get_two() -> None:
    nat = Nat(PUBLIC)
    (one,), (two,) = out(nat), out(nat, src=OTHER)
    assert segment(one).sport != segment(two).sport
    assert back(nat, segment(two).sport)[0].dst == OTHER


def test_an_idle_mapping_is_forgotten() -> None:
    nat = Nat(PUBLIC, timeout=60 * SECOND)
    port = segment(out(nat)[0]).sport
    assert back(nat, port, now=60 * SECOND)
    assert back(nat, port, now=120 * SECOND)  # used at 60 s
    assert not back(nat, port, now=181 * SECOND)
    assert len(nat) == 0


def test_what_belongs_to_no_mapping() -> None:
    silent = Nat(PUBLIC)
    assert out(silent, flags=ACK) == []
    assert back(silent, 5000) == []

    rude = Nat(PUBLIC, unknown=Unknown.RESET)
    (rst,) = out(rude, flags=ACK)
    assert (rst.src, rst.dst, segment(rst).flags) == (B, A, RST)
    (rst,) = back(rude, 5000)
    assert (rst.dst, segment(rst).flags, segment(rst).seq) == (B, RST, 1)
    assert out(rude, flags=RST) == []

    loose = Nat(PUBLIC, unknown=Unknown.ADOPT)
    first = segment(out(loose)[0]).sport
    loose.forget()
    assert segment(out(loose, flags=ACK)[0]).sport != first


def test_a_mapping_is_for_one_peer() -> None:
    nat = Nat(PUBLIC)
    port = segment(out(nat)[0]).sport
    assert back(nat, port, src=OTHER) == []


def test_an_icmp_error_finds_its_way_in() -> None:
    nat = Nat(PUBLIC)
    (syn,) = out(nat)
    error = icmp_error(syn, IcmpKind.UNREACHABLE_HOST, syn.dst)
    assert error is not None
    ((_, inside),) = nat.inward(error, 0)
    assert inside.dst == A
    for icmp in (inside.payload, parse_packet(build_packet(inside)).payload):
        assert isinstance(icmp, Icmp)
        assert icmp.embedded == (A, B, 1000, 80, 0)
