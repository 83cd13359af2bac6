from __future__ import annotations

from tests.sim.packets import MS, SECOND, delays, packet
from tulpen.sim.rate import Rate

# 1,000 octets on the wire: 8 ms at 1 Mbit/s
THOUSAND = packet(bytes(960))


def test_a_packet_takes_its_length_and_waits_for_those_before_it() -> None:
    link = Rate(1_000_000)
    assert [link(THOUSAND, 0)[0][0] for _ in range(3)] == [8 * MS, 16 * MS, 24 * MS]
    assert link(THOUSAND, SECOND)[0][0] == 8 * MS


def test_the_queue_has_a_limit_in_packets() -> None:
    link = Rate(1_000_000, packets=2)
    assert [len(link(THOUSAND, 0)) for _ in range(5)] == [1, 1, 1, 0, 0]  # one on the link, two behind it
    assert link.dropped == 2
    assert len(link(THOUSAND, 8 * MS)) == 1


def test_the_queue_has_a_limit_in_octets() -> None:
    link = Rate(1_000_000, octets=2500)
    assert [len(link(THOUSAND, 0)) for _ in range(4)] == [1, 1, 0, 0]
    assert [len(link(packet(), 0)) for _ in range(2)] == [1, 1]


def test_a_slow_link_carries_small_packets_too() -> None:
    assert delays(Rate(320), 2) == [[SECOND], [2 * SECOND]]
