"""A link that large packets do not fit through."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tulpen.sim.rewrite import octets, quote
from tulpen.wire.icmp import ICMP, ICMP6, Icmp, IcmpKind, Quoted, numbers
from tulpen.wire.ip import Packet
from tulpen.wire.segment import Segment

if TYPE_CHECKING:
    from tulpen.sim.filters import Passed

MOST_QUOTED_4: Final = 548  # of a message of 576 octets (RFC 1812 §4.3.2.3)
MOST_QUOTED_6: Final = 1232  # of the least MTU (RFC 4443 §3.2)


class Mtu:
    """Packets of more than ``mtu`` octets are lost.

    With ``icmp`` the router says so (RFC 1191, RFC 8201), from ``router`` if given and
    else in the destination's name; without, the path is a black hole (RFC 2923).
    """

    def __init__(self, mtu: int, *, icmp: bool = True, router: bytes | None = None) -> None:
        self.mtu = mtu
        self.icmp = icmp
        self.router = router
        self.dropped = 0

    def __call__(self, packet: Packet, now: int) -> Passed:
        if octets(packet) <= self.mtu:
            return [(0, packet)]
        self.dropped += 1
        if not self.icmp or (isinstance(packet.payload, Icmp) and packet.payload.is_error):
            return []
        return [(0, error_about(packet, IcmpKind.PACKET_TOO_BIG, mtu=self.mtu, by=self.router))]


def error_about(packet: Packet, kind: IcmpKind, *, mtu: int = 0, by: bytes | None = None) -> Packet:
    """Return the ICMP error that tells the sender of ``packet`` what became of it."""
    ipv6 = packet.version == 6
    type, code = numbers(kind, ipv6=ipv6)
    seg = packet.payload
    embedded = None
    if isinstance(seg, Segment):
        embedded = Quoted(packet.src, packet.dst, seg.sport, seg.dport, seg.seq)
    data = quote(packet, MOST_QUOTED_6 if ipv6 else MOST_QUOTED_4)
    icmp = Icmp(kind, type, code, mtu=mtu, data=data, embedded=embedded)
    return Packet(packet.dst if by is None else by, packet.src, icmp, protocol=ICMP6 if ipv6 else ICMP)
