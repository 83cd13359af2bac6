"""ICMP errors about a packet, as a router or the host it was sent to reports them (RFC 1122 §3.2.2, RFC 4443 §2.4)."""

from __future__ import annotations

from typing import Final

from tulpen.wire.address import is_broadcast, is_multicast, is_unspecified
from tulpen.wire.icmp import ICMP, ICMP6, Icmp, IcmpKind, Quoted, numbers
from tulpen.wire.ip import HEADER_4, HEADER_6, Packet, build_packet
from tulpen.wire.segment import Segment

# The whole error stays within the least MTU that every path must carry.
MOST_4: Final = 576 - HEADER_4 - 8  # RFC 1812 §4.3.2.3
MOST_6: Final = 1280 - HEADER_6 - 8  # RFC 4443 §2.4 (c)


def icmp_error(about: Packet, kind: IcmpKind, src: bytes, *, mtu: int = 0) -> Packet | None:
    """Return the packet by which ``src`` tells the sender of ``about`` what became of it; None if it must not."""
    if not may_report(about):
        return None
    ipv6 = len(about.src) == 16
    type, code = numbers(kind, ipv6=ipv6)
    quote = build_packet(about)[: MOST_6 if ipv6 else MOST_4]
    seg = about.payload
    embedded = Quoted(about.src, about.dst, seg.sport, seg.dport, seg.seq) if isinstance(seg, Segment) else None
    message = Icmp(kind, type, code, mtu=mtu, data=quote, embedded=embedded)
    return Packet(src, about.src, message, protocol=ICMP6 if ipv6 else ICMP)


def may_report(about: Packet) -> bool:
    """Say whether an error may be sent: never about an error, nor to or about more than one host."""
    if isinstance(about.payload, Icmp) and about.payload.is_error:
        return False
    if is_multicast(about.dst) or is_broadcast(about.dst):
        return False
    return not (is_multicast(about.src) or is_broadcast(about.src) or is_unspecified(about.src))
