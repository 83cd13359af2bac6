"""A link that large packets do not fit through."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tulpen.sim.rewrite import octets
from tulpen.wire.icmp import IcmpKind
from tulpen.wire.icmp_error import icmp_error

if TYPE_CHECKING:
    from tulpen.sim.filters import Passed
    from tulpen.wire.ip import Packet


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
        if not self.icmp:
            return []
        by = packet.dst if self.router is None else self.router
        error = icmp_error(packet, IcmpKind.PACKET_TOO_BIG, by, mtu=self.mtu)
        return [] if error is None else [(0, error)]
