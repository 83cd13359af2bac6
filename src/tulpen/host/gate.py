"""Which packets are for this host's TCP at all (RFC 1122 §3.2.1.3, RFC 9293 §3.9.2.3)."""

from __future__ import annotations

from tulpen.tcp.trace import Reason
from tulpen.wire.address import is_broadcast, is_multicast, is_unspecified
from tulpen.wire.ip import Packet
from tulpen.wire.segment import Segment


def no_unicast(address: bytes) -> bool:
    """Say whether an address can be nobody's: unspecified, multicast or broadcast."""
    if len(address) == 4 and 0 < address[0] < 224:
        return False
    return is_unspecified(address) or is_multicast(address) or is_broadcast(address)


def refused(packet: Packet, seg: Segment | None, addresses: frozenset[bytes]) -> Reason | None:
    """Return why a packet is dropped without an answer; None if it may come in."""
    src, dst = packet.src, packet.dst
    if no_unicast(src):
        return Reason.BAD_ADDRESS
    if dst not in addresses:
        return Reason.BAD_ADDRESS if no_unicast(dst) else Reason.NOT_OURS
    if seg is not None and src == dst and seg.sport == seg.dport:
        return Reason.LAND
    return None
